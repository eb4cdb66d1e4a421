/**
 * Where a Postgres is and who we are there. A URL cannot name a unix socket in a way that every
 * tool reads; this can.
 */

export interface PostgresAddress {
  /** A host name, or the directory of a unix socket (begins with a slash). */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

const DEFAULT_PORT = 5432;
/**
 * Parameters of other clients, which postgres.js would send to the server as settings, and it would
 * refuse.
 */
const FOREIGN_PARAMETERS = [
  'channel_binding',
  'pgbouncer',
  'connection_limit',
  'pool_timeout',
  'schema',
];

/**
 * The address as a URL in libpq's form, which `readDatabaseUrl` and psql understand. Holds the
 * password: never log it.
 */
export function toDatabaseUrl(address: PostgresAddress): string {
  const { host, port, user, password, database } = address;
  const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  const name = encodeURIComponent(database);
  return host.startsWith('/')
    ? `postgres://${login}@/${name}?host=${encodeURIComponent(host)}&port=${port}`
    : `postgres://${login}@${host}:${port}/${name}`;
}

/**
 * A DATABASE_URL as something postgres.js connects to: the address where it names a unix socket,
 * else the URL without the parameters that belong to other clients. Throws for anything that is not
 * a Postgres URL; the message does not repeat it.
 */
export function readDatabaseUrl(url: string): PostgresAddress | string {
  if (!/^postgres(ql)?:\/\//.test(url)) {
    throw new Error('DATABASE_URL must begin with postgres:// or postgresql://');
  }
  const split = /^([^?]*)\?(.*)$/.exec(url);
  if (split === null) return url;
  const [, base = '', query = ''] = split;
  const parameters = new URLSearchParams(query);
  for (const name of FOREIGN_PARAMETERS) parameters.delete(name);
  const host = parameters.get('host');
  if (host?.startsWith('/') === true) return socketAddress(base, host, parameters);
  return parameters.size === 0 ? base : `${base}?${parameters.toString()}`;
}

function socketAddress(base: string, host: string, parameters: URLSearchParams): PostgresAddress {
  const match = /^\w+:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?[^/]*\/(.*)$/.exec(base);
  const [, user = '', password = '', database = ''] = match ?? [];
  const port = Number(parameters.get('port') ?? DEFAULT_PORT);
  return {
    host,
    port,
    user: decodeURIComponent(user) || 'postgres',
    password: decodeURIComponent(password),
    database: decodeURIComponent(database) || 'postgres',
  };
}
