/**
 * The embedded Postgres: a real one from npm, run by us in its own session, reachable only over a
 * private unix socket. It outlives a killed parent, so every start first looks for such an orphan
 * and adopts or stops it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chownSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { StartRefused } from '#base/start-refused.ts';

import {
  type EmbeddedCluster,
  lastLines,
  makeSocketDirectory,
  prepareCluster,
  programEnvironment,
  remakeSocketDirectory,
  removeSocketDirectory,
  spawnIdentity,
  SOCKET_PORT,
  SUPERUSER,
} from './embedded-cluster.node.ts';
import {
  isAlive,
  isPostmasterOf,
  type PostmasterFile,
  readPostmasterFile,
  stopPostmaster,
  waitUntil,
} from './embedded-process.node.ts';
import { isListening, openSocketPlace } from './lock-socket.node.ts';
import type { PostgresAddress } from './postgres-address.ts';
import { connectPostgres } from './postgres.node.ts';

export interface EmbeddedPostgresOptions {
  /**
   * Made if missing; everything of this Postgres is under it. One starter at a time: see
   * `data-lock.node.ts`.
   */
  readonly directory: string;
  /** Listen on 127.0.0.1 instead of a unix socket. Windows always does. */
  readonly tcp?: boolean;
  /** False for throw-away data: no syncs. Default true. */
  readonly durable?: boolean;
  /** Gives the start up: what was started is stopped, and the reason is thrown. */
  readonly signal?: AbortSignal;
}

export interface EmbeddedPostgres {
  readonly address: PostgresAddress;
  /** Another one after each `restart`. */
  readonly pid: number;
  /** It was running already, left by a parent that was killed. */
  readonly adopted: boolean;
  /** Starts it again at the same address, after its process has ended by itself. */
  restart(signal: AbortSignal): Promise<void>;
  /** Ends all connections, writes everything down, waits until the process is gone. */
  stop(): Promise<void>;
}

const DATABASE = 'postgres';
/**
 * Postgres also listens on a socket in its own data directory, where nobody connects: it tells
 * those who share the directory and not the table of processes that it lives. Only Linux has such.
 */
const SOCKETS_OF_LIFE = process.platform === 'linux' ? ['.'] : [];
const SOCKET_FILE = '.s.PGSQL.';
const SOCKET_FILE_LONGEST = '.s.PGSQL.65535.lock';
const LOOPBACK = '127.0.0.1';
const LOG_BYTES_MAX = 10_000_000;
/**
 * Children of a killed postmaster need a moment to notice; until then their shared memory blocks a
 * new one.
 */
const RETRY_MS = 5000;
const RETRY_PAUSE_MS = 100;
/** Crash recovery replays at most `max_wal_size`; a healthy start takes 50 ms. */
const READY_MS = 120_000;
const TERMINATE_MS = 3000;
const PASSING = /pre-existing shared memory block|lock file "[^"]+" already exists|could not bind/;

const SETTINGS: Readonly<Record<string, string>> = {
  shared_buffers: '128MB',
  max_connections: '60',
  huge_pages: 'off',
  io_method: 'sync',
  min_wal_size: '80MB',
  max_wal_size: '512MB',
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Neither statements nor rows in the log: they may hold what customers wrote.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  unix_socket_permissions: '0700',
};
const DURABLE: Readonly<Record<string, string>> = { fsync: 'on', synchronous_commit: 'on' };
const THROW_AWAY: Readonly<Record<string, string>> = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
};

/**
 * Starts or adopts. A later start takes about 0.2 s, the first one 1 to 3 s. Throws errors that say
 * what to do.
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const cluster = await prepareCluster(options.directory, options.durable ?? true);
  const tcp = options.tcp === true || process.platform === 'win32';
  const settings = { ...SETTINGS, ...(options.durable === false ? THROW_AWAY : DURABLE) };
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([settings, tcp, cluster.binaries.postgres]))
    .digest('hex');
  const base = { ...settings, 'omnix.fingerprint': fingerprint };
  const orphan = await takeOver(cluster, fingerprint);
  if (orphan !== null) return running({ cluster, settings: base }, orphan, true);
  const socketDirectory = tcp ? '' : await makeSocketDirectory(cluster);
  const listen = listenAt(socketDirectory, tcp ? await freePort() : SOCKET_PORT);
  try {
    const file = await startPostmaster(cluster, { ...base, ...listen }, options.signal);
    return running({ cluster, settings: base }, file, false);
  } catch (error) {
    removeSocketDirectory(socketDirectory);
    throw error;
  }
}

type Settings = Readonly<Record<string, string>>;

interface Recipe {
  readonly cluster: EmbeddedCluster;
  /** All but where it listens. */
  readonly settings: Settings;
}

/** Settings for a socket in this directory, or where it is empty for 127.0.0.1. */
function listenAt(socketDirectory: string, port: number): Settings {
  const directories = socketDirectory === '' ? [] : [socketDirectory];
  return {
    listen_addresses: socketDirectory === '' ? LOOPBACK : '',
    unix_socket_directories: [...directories, ...SOCKETS_OF_LIFE].join(','),
    port: String(port),
  };
}

function running(recipe: Recipe, first: PostmasterFile, adopted: boolean): EmbeddedPostgres {
  const { cluster } = recipe;
  let file = first;
  return {
    address: addressOf(cluster, first),
    get pid() {
      return file.pid;
    },
    adopted,
    restart: async (signal) => {
      file = await startAgain(recipe, file, signal);
    },
    stop: async () => {
      await stopPostmaster(file.pid);
      removeSocketDirectory(first.socketDirectory);
    },
  };
}

async function startAgain(
  { cluster, settings }: Recipe,
  { port, socketDirectory }: PostmasterFile,
  signal: AbortSignal,
): Promise<PostmasterFile> {
  await clearAfterDead(cluster);
  const isSocket = isAbsolute(socketDirectory);
  if (isSocket) remakeSocketDirectory(socketDirectory, cluster.user);
  const listen = listenAt(isSocket ? socketDirectory : '', port);
  return startPostmaster(cluster, { ...settings, ...listen }, signal);
}

function addressOf(cluster: EmbeddedCluster, file: PostmasterFile): PostgresAddress {
  return {
    host: isAbsolute(file.socketDirectory) ? file.socketDirectory : LOOPBACK,
    port: file.port,
    user: SUPERUSER,
    password: cluster.password,
    database: DATABASE,
  };
}

/**
 * An orphan that runs as we would start it is adopted; any other is stopped. Null: start a new one.
 */
async function takeOver(
  cluster: EmbeddedCluster,
  fingerprint: string,
): Promise<PostmasterFile | null> {
  const found = readPostmasterFile(cluster.data);
  if (found === null || !isPostmasterOf(found.pid, cluster.data)) {
    await clearAfterDead(cluster);
    return null;
  }
  await waitUntil(
    () => readPostmasterFile(cluster.data)?.ready === true || !isAlive(found.pid),
    RETRY_MS,
  );
  const file = readPostmasterFile(cluster.data);
  if (file?.ready === true && (await adopt(addressOf(cluster, file), fingerprint))) return file;
  await stopPostmaster(found.pid);
  return null;
}

/**
 * Takes away what a killed Postgres left: the numbers in its files may belong to strangers by now,
 * whom a new one would take for the owner. Throws where it lives after all, unseen by us.
 */
async function clearAfterDead({ data, root }: EmbeddedCluster): Promise<void> {
  const deadline = performance.now() + RETRY_MS;
  while (await livesUnseen(data)) {
    if (performance.now() > deadline) {
      throw new StartRefused(
        `The Postgres in ${root} still runs in another container, whose OmniX is gone. Stop ` +
          'that container first, or set OMNIX_DATA_DIR to another directory.',
      );
    }
    await sleep(RETRY_PAUSE_MS);
  }
  const stale = readdirSync(data).filter((name) => name.startsWith(SOCKET_FILE));
  for (const name of [...stale, 'postmaster.pid']) rmSync(join(data, name), { force: true });
}

async function livesUnseen(data: string): Promise<boolean> {
  const sockets = readdirSync(data).filter((name) => name.startsWith(SOCKET_FILE));
  if (sockets.length === 0) return false;
  const place = openSocketPlace(data, SOCKET_FILE_LONGEST);
  const listening = await Promise.all(sockets.map((name) => isListening(place.pathOf(name))));
  place.close();
  return listening.includes(true);
}

/**
 * Asks the orphan who it is and ends what its last owner left running, so that nothing of it
 * commits later on.
 */
async function adopt(address: PostgresAddress, fingerprint: string): Promise<boolean> {
  const client = connectPostgres({ at: address, connectionsMax: 1 });
  try {
    const [row] = await client<{ same: boolean }[]>`
      select current_setting('omnix.fingerprint', true) = ${fingerprint} as same`;
    if (row?.same !== true) return false;
    await client`
      select pg_terminate_backend(pid, ${TERMINATE_MS}) from pg_stat_activity
      where backend_type = 'client backend' and pid <> pg_backend_pid()`;
    return true;
  } catch {
    return false;
  } finally {
    await client.end({ timeout: 1 });
  }
}

async function startPostmaster(
  cluster: EmbeddedCluster,
  settings: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<PostmasterFile> {
  const deadline = performance.now() + RETRY_MS;
  for (;;) {
    signal?.throwIfAborted();
    const logStart = prepareLog(cluster);
    const child = spawnPostmaster(cluster, settings);
    const file = await becomesReady(cluster, child, signal);
    if (file !== null) return file;
    const output = readFileSync(cluster.logFile, 'utf8').slice(logStart);
    if (!PASSING.test(output) || performance.now() > deadline) {
      throw new StartRefused(
        `The embedded Postgres in ${cluster.root} did not start: ${lastLines(output)} ` +
          `(more in ${cluster.logFile})`,
      );
    }
    await sleep(RETRY_PAUSE_MS);
  }
}

/** Returns where this start's lines begin. */
function prepareLog(cluster: EmbeddedCluster): number {
  closeSync(openSync(cluster.logFile, 'a', 0o600));
  if (cluster.user !== null) chownSync(cluster.logFile, cluster.user.uid, cluster.user.gid);
  if (statSync(cluster.logFile).size > LOG_BYTES_MAX) truncateSync(cluster.logFile);
  return readFileSync(cluster.logFile, 'utf8').length;
}

function spawnPostmaster(
  cluster: EmbeddedCluster,
  settings: Readonly<Record<string, string>>,
): ChildProcess {
  const log = openSync(cluster.logFile, 'a');
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  try {
    const child = spawn(cluster.binaries.postgres, ['-D', cluster.data, ...flags], {
      ...spawnIdentity(cluster.user),
      env: programEnvironment(cluster.binaries),
      stdio: ['ignore', log, log],
      // Its own session: neither Ctrl-C nor a kill of our process group may take it down before the
      // drain is over.
      detached: true,
    });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

/** Null: it ended before it was ready. */
async function becomesReady(
  cluster: EmbeddedCluster,
  child: ChildProcess,
  signal: AbortSignal | undefined,
): Promise<PostmasterFile | null> {
  const state = { ended: false };
  child.once('exit', () => (state.ended = true));
  child.once('error', () => (state.ended = true));
  const isReady = (): PostmasterFile | null => {
    const file = readPostmasterFile(cluster.data);
    return file !== null && file.pid === child.pid && file.ready ? file : null;
  };
  const isOver = (): boolean => state.ended || signal?.aborted === true;
  const answered = await waitUntil(() => isOver() || isReady() !== null, READY_MS);
  const givenUp = !answered || signal?.aborted === true;
  if (givenUp && child.pid !== undefined) await stopPostmaster(child.pid);
  signal?.throwIfAborted();
  return state.ended ? null : isReady();
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, LOOPBACK, () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port is free'));
        else resolve(address.port);
      });
    });
  });
}
