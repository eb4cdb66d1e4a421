/**
 * A process of its own that owns the Postgres of one test run: started with the run, it starts
 * Postgres when the first test asks for a database, and stops it and deletes everything when its
 * standard input ends. That happens however the run ends, kill -9 included, so nothing stays
 * behind.
 * Protocol, on the unix socket (Windows: pipe) named by the first argument: a client connects and
 * reads one line of JSON, `{url}` or `{error}`; its database lives until it disconnects. With the
 * word `tcp` at the end of the arguments Postgres listens on 127.0.0.1, for those who have no unix
 * sockets.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type postgres from 'postgres';

import { type EmbeddedPostgres, startEmbeddedPostgres } from '#store/embedded-postgres.node.ts';
import {
  isAlive,
  isPostmasterOf,
  readPostmasterFile,
  stopPostmaster,
} from '#store/embedded-process.node.ts';
import { migrate } from '#store/migrate.node.ts';
import { type PostgresAddress, toDatabaseUrl } from '#store/postgres-address.ts';
import { connectPostgres } from '#store/postgres.node.ts';

interface Server {
  readonly address: PostgresAddress;
  readonly client: postgres.Sql;
}

const TEMPLATE = 'template_omnix';
const CONNECTIONS = 4;
const NAME_BYTES = 8;
const MODE_TRAVERSABLE = 0o755;

/** What must be stopped at the end, also when a later step of the start failed. */
const started: { embedded: EmbeddedPostgres | null } = { embedded: null };

/**
 * Starts Postgres in `directory` and makes the migrated template that every test's database is a
 * copy of.
 */
async function startServer(
  directory: string,
  { migrations, tcp }: { readonly migrations: string; readonly tcp: boolean },
): Promise<Server> {
  const embedded = await startEmbeddedPostgres({ directory, durable: false, tcp });
  started.embedded = embedded;
  const { address } = embedded;
  const client = connectPostgres({
    at: address,
    connectionsMax: CONNECTIONS,
    statementTimeoutMs: 0,
  });
  await client.unsafe(`create database ${TEMPLATE}`);
  await migrate(named(address, TEMPLATE), migrations);
  return { address, client };
}

function named(address: PostgresAddress, database: string): PostgresAddress {
  return { ...address, database };
}

async function serve(socket: Socket, server: Promise<Server>): Promise<void> {
  // A test that was killed breaks its connection; that is how we learn of its end.
  socket.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
  socket.resume();
  try {
    const { address, client } = await server;
    const name = `test_${randomBytes(NAME_BYTES).toString('hex')}`;
    await client.unsafe(`create database ${name} template ${TEMPLATE}`);
    socket.write(`${JSON.stringify({ url: toDatabaseUrl(named(address, name)) })}\n`);
    await ended;
    await client.unsafe(`drop database ${name} with (force)`);
  } catch (error) {
    socket.end(`${JSON.stringify({ error: error instanceof Error ? error.message : 'failed' })}\n`);
  }
}

function main(endpoint: string, options: { migrations: string; tcp: boolean }): void {
  const root = join(tmpdir(), `omnix-test-${process.pid}`);
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root);
  // Postgres may run as another user, who must be able to pass.
  chmodSync(root, MODE_TRAVERSABLE);
  const lazy: { server: Promise<Server> | null } = { server: null };
  const listener = createServer((socket) => {
    lazy.server ??= startServer(join(root, 'postgres'), options);
    void serve(socket, lazy.server);
  });
  listener.listen(endpoint);
  const state = { ending: false };
  const end = (code: number): void => {
    if (state.ending) return;
    state.ending = true;
    void stop(lazy.server).finally(() => {
      rmSync(root, { recursive: true, force: true });
      rmSync(endpoint, { force: true });
      process.exit(code);
    });
  };
  process.once('uncaughtException', (error) => {
    process.stderr.write(`test Postgres: ${error.stack ?? error.message}\n`);
    end(1);
  });
  process.stdin.resume();
  process.stdin.once('end', () => end(0));
  process.stdin.once('error', () => end(0));
  process.once('SIGTERM', () => end(0));
  process.once('SIGINT', () => end(0));
}

/** What servers left that were themselves killed -9: their directories are named by their pids. */
async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(/^omnix-test-(\d+)$/.exec(name)?.[1]);
    if (!Number.isSafeInteger(pid) || isAlive(pid)) continue;
    const directory = join(tmpdir(), name);
    const data = join(directory, 'postgres', 'data');
    const postmaster = readPostmasterFile(data);
    try {
      if (postmaster !== null && isPostmasterOf(postmaster.pid, data)) {
        await stopPostmaster(postmaster.pid);
      }
      rmSync(directory, { recursive: true, force: true });
    } catch {
      // Another user's.
    }
  }
}

async function stop(server: Promise<Server> | null): Promise<void> {
  // A start that is under way is awaited: only then is there something to stop.
  await server?.catch(() => undefined);
  await started.embedded?.stop();
}

const [, , endpoint, migrations, socket] = process.argv;
if (endpoint === undefined || migrations === undefined) {
  throw new Error('usage: postgres-server.ts <endpoint> <migrations> [tcp]');
}
main(endpoint, { migrations, tcp: socket === 'tcp' });
await removeLeftovers();
