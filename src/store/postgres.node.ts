/**
 * The database over postgres.js: a small pool of connections to any Postgres, ours or the
 * operator's.
 */
import { connect as openSocket, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import type { SQL } from 'drizzle-orm';
import postgres from 'postgres';

import { type Database, DatabaseUnavailable, type Row } from './database.ts';
import { type PostgresAddress, readDatabaseUrl } from './postgres-address.ts';
import { toStoreError } from './postgres-errors.ts';
import { WIRE_TYPES } from './postgres-types.ts';
import { Renderer, type StatementValues } from './render.ts';

export interface PostgresOptions {
  /** A DATABASE_URL, or the address of an embedded Postgres. */
  readonly at: string | PostgresAddress;
  /** Connections at most. Default 10. */
  readonly connectionsMax?: number;
  /** The server ends a longer statement. Default 10,000. Zero: none. */
  readonly statementTimeoutMs?: number;
  /** Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** A connection that nothing used for so long is closed. Default: never. */
  readonly idleTimeoutMs?: number;
}

const CONNECTIONS_MAX = 10;
const STATEMENT_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5000;
/**
 * How much longer than the server we wait: past that the connection itself is dead, whatever TCP
 * believes.
 */
const DEADLINE_GRACE_MS = 2000;
const RECONNECT_DELAY_SECONDS = 0.1;
/** A connection that ends sooner was turned away: the next one waits, each time twice as long. */
const TURNED_AWAY_MS = 1000;
const PAUSE_MS = 10;
const PAUSE_MS_MAX = 1000;
const CLOSE_MS = 5000;
const MS_PER_SECOND = 1000;

/**
 * A postgres.js client with our conventions. For migrations and tests; everything else uses
 * `openPostgres`.
 */
export function connectPostgres(options: PostgresOptions): postgres.Sql {
  return connect(options, {});
}

/**
 * A statement waits for a free connection and not behind another one that may be waiting for a
 * lock.
 */
const WITHOUT_PIPELINE = { max_pipeline: 0 };

/** What postgres.js has made of the address. */
interface SocketPlace {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path: string | false;
}

interface Opening {
  readonly socket: Socket;
  readonly openedMs: number;
  /** Whether anything at the other end took the connection. */
  accepted: boolean;
}

/**
 * Opens sockets for postgres.js, which connects anew without any pause, hundreds of times a second,
 * where something accepts its connection and closes it without a word. Where nothing accepts it the
 * statement fails at once, and so must the next one: no pause. Of several hosts each is tried in
 * turn, and postgres.js tries on by itself although none accepts: there every failure counts.
 */
function pacedSockets(): (place: SocketPlace) => Promise<Socket> {
  let last: Opening | null = null;
  let opened = 0;
  let turnedAway = 0;
  return async ({ host, port, path }) => {
    const isRepeated =
      last !== null &&
      (last.accepted || host.length > 1) &&
      last.socket.destroyed &&
      performance.now() - last.openedMs < TURNED_AWAY_MS;
    turnedAway = isRepeated ? turnedAway + 1 : 0;
    if (turnedAway > 0) await sleep(Math.min(PAUSE_MS * 2 ** turnedAway, PAUSE_MS_MAX));
    const at = opened % host.length;
    opened += 1;
    const where = { host: host[at] ?? '', port: port[at] ?? 0 };
    const socket = openSocket(path === false ? where : { path });
    const opening = { socket, openedMs: performance.now(), accepted: false };
    socket.once('connect', () => {
      opening.accepted = true;
    });
    last = opening;
    // postgres.js asks TLS for the name that it finds here.
    return Object.assign(socket, where);
  };
}

function connect(options: PostgresOptions, more: { max_pipeline?: number }): postgres.Sql {
  const at = typeof options.at === 'string' ? readDatabaseUrl(options.at) : options.at;
  const settings = {
    max: options.connectionsMax ?? CONNECTIONS_MAX,
    connect_timeout: (options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS) / MS_PER_SECOND,
    ...(options.idleTimeoutMs === undefined
      ? {}
      : { idle_timeout: options.idleTimeoutMs / MS_PER_SECOND }),
    backoff: () => RECONNECT_DELAY_SECONDS,
    socket: pacedSockets(),
    ...more,
    fetch_types: false,
    types: WIRE_TYPES,
    onnotice: () => undefined,
    connection: {
      application_name: 'omnix',
      TimeZone: 'UTC',
      statement_timeout: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
    },
  };
  return typeof at === 'string' ? postgres(at, settings) : postgres({ ...settings, ...at });
}

/**
 * Opens a pool. Connects when the first statement comes; a lost connection is made again by the
 * next one.
 */
export function openPostgres(options: PostgresOptions): Database {
  return new PostgresDatabase(options);
}

type Query = postgres.PendingQuery<Row[]>;

class PostgresDatabase implements Database {
  readonly #renderer = new Renderer();
  readonly #options: PostgresOptions;
  readonly #connectMs: number;
  /** Infinite where there is no statement timeout. */
  readonly #deadlineMs: number;
  readonly #running = new Set<Query>();
  #client: postgres.Sql;
  #closed = false;

  constructor(options: PostgresOptions) {
    this.#options = options;
    const statementMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
    this.#connectMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    this.#deadlineMs =
      statementMs === 0
        ? Number.POSITIVE_INFINITY
        : Math.max(statementMs, this.#connectMs) + DEADLINE_GRACE_MS;
    this.#client = connect(options, WITHOUT_PIPELINE);
  }

  async run(statement: SQL, values?: StatementValues): Promise<readonly Row[]> {
    if (this.#closed)
      throw new DatabaseUnavailable('The database is closed: we are shutting down.');
    const { text, parameters } = this.#renderer.render(statement, values);
    const client = this.#client;
    // oxlint-disable-next-line house/no-raw-sql -- rendered by drizzle, values apart
    const query = client.unsafe<Row[]>(text, parameters, { prepare: true });
    const connecting = setTimeout(() => this.#giveUpConnecting(query), this.#connectMs);
    const deadline =
      this.#deadlineMs === Number.POSITIVE_INFINITY
        ? undefined
        : setTimeout(() => this.#giveUp(query, client), this.#deadlineMs);
    this.#running.add(query);
    try {
      // Copied out of postgres.js's array, which carries the statement and its parameters.
      return Array.from(await query);
    } catch (error) {
      throw toStoreError(error);
    } finally {
      this.#running.delete(query);
      clearTimeout(connecting);
      clearTimeout(deadline);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const ended = Promise.allSettled(this.#running).then(() => undefined);
    const given = new AbortController();
    await Promise.race([
      ended,
      sleep(CLOSE_MS, undefined, { signal: given.signal }).catch(() => undefined),
    ]);
    given.abort();
    // Its own way to wait would wait for connections that the server had ended.
    await this.#client.end({ timeout: 0 });
  }

  /**
   * No connection has taken any statement: the server is away (postgres.js itself would go on
   * trying).
   */
  #giveUpConnecting(query: Query): void {
    if (![...this.#running].some(isSent)) query.cancel();
  }

  /**
   * Past the deadline the server has not even said that it stopped the statement: all connections
   * are made anew.
   */
  #giveUp(query: Query, client: postgres.Sql): void {
    if (!isSent(query)) {
      query.cancel();
      return;
    }
    if (this.#client === client && !this.#closed) {
      this.#client = connect(this.#options, WITHOUT_PIPELINE);
    }
    void client.end({ timeout: 0 });
  }
}

/** Whether a connection has taken the statement; until then it waits for one. */
function isSent(query: object): boolean {
  return Reflect.get(query, 'active') === true;
}
