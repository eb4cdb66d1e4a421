/**
 * A database of one's own from the owner of a test Postgres: without vitest, so that whoever starts
 * the run may ask too.
 */
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Database } from '#store/database.ts';
import { openPostgres } from '#store/postgres.node.ts';

export interface TestDatabase {
  readonly database: Database;
  /** For processes of their own: set it as DATABASE_URL. */
  readonly url: string;
  /** Closes and drops it. Without it, it is dropped when the test file's process ends. */
  readonly drop: () => Promise<void>;
}

const CONNECTIONS_MAX = 10;
/** The server is started with the run; a quick test may be there first. */
const ENDPOINT_WAIT_MS = 15_000;
const POLL_MS = 25;

/** Asks the Postgres of `startPostgresOwner` for one. */
export async function createDatabaseAt(endpoint: string): Promise<TestDatabase> {
  const socket = await connect(endpoint);
  const url = await readUrl(socket);
  // The open connection keeps the database alive, but not this process.
  socket.unref();
  const database = openPostgres({ at: url, connectionsMax: CONNECTIONS_MAX });
  return {
    database,
    url,
    drop: async () => {
      await database.close();
      socket.destroy();
    },
  };
}

async function connect(endpoint: string): Promise<Socket> {
  const deadline = performance.now() + ENDPOINT_WAIT_MS;
  for (;;) {
    const socket = await tryConnect(endpoint);
    if (socket !== null) return socket;
    if (performance.now() > deadline) throw new Error('the test Postgres did not come up');
    await sleep(POLL_MS);
  }
}

async function tryConnect(endpoint: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = createConnection(endpoint);
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(null));
  });
}

async function readUrl(socket: Socket): Promise<string> {
  const lines = createInterface({ input: socket });
  for await (const line of lines) {
    const answer: unknown = JSON.parse(line);
    const url: unknown =
      typeof answer === 'object' && answer !== null && Reflect.get(answer, 'url');
    if (typeof url === 'string') return url;
    throw new Error(`the test Postgres refused: ${line}`);
  }
  throw new Error('the test Postgres went away');
}
