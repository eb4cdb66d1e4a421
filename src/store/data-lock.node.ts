/**
 * One process owns a data directory. The lock is a bound socket whose name comes from the
 * directory's real path: the kernel frees it when its owner dies, however it dies, and whoever
 * finds it taken can ask it who the owner is.
 */
import { createHash } from 'node:crypto';
import { rmSync, statSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { StartRefused } from '#base/start-refused.ts';

import { prepareDataDirectory } from './data-directory.node.ts';

export interface DataLock {
  /** Frees the directory for the next owner. */
  release(): Promise<void>;
}

export interface DataLockOptions {
  /** How long to wait for an owner that is on its way out. Default 10,000. */
  readonly waitMs?: number;
  /**
   * Called once when the lock is taken and the waiting begins, with the owner's pid if it told us.
   */
  readonly onWait?: (pid: number | null) => void;
  /** What the lock is made of. Default: what the platform has. */
  readonly means?: LockMeans;
}

/**
 * `abstract`: Linux. `pipe`: Windows. `file`: a socket file, which a killed owner leaves behind.
 */
export type LockMeans = 'abstract' | 'pipe' | 'file';

/** Another process owns the directory. The message names both. */
export class DataDirectoryInUse extends StartRefused {
  override readonly name = 'DataDirectoryInUse';
}

const WAIT_MS = 10_000;
const POLL_MS = 50;
const ASK_MS = 1000;
/**
 * Two starters that both found a dead owner's file: the slower one has done its worst after this
 * time.
 */
const SETTLE_MS = 100;
const HASH_LENGTH_FILE = 24;

/**
 * Makes the directory if need be and takes it. Rejects with `DataDirectoryInUse`, or with
 * `StartRefused` where it cannot be written.
 */
export async function acquireDataLock(
  directory: string,
  options: DataLockOptions = {},
): Promise<DataLock> {
  const real = prepareDataDirectory(directory);
  const means = options.means ?? platformMeans();
  const name = lockName(real, means);
  const deadline = performance.now() + (options.waitMs ?? WAIT_MS);
  for (let attempt = 0; ; attempt += 1) {
    const server = means === 'file' ? await bindFile(name) : await bind(name);
    if (server !== null) return { release: () => close(server) };
    const late = performance.now() > deadline;
    const pid = attempt === 0 || late ? (await askOwner(name)).pid : null;
    if (late) throw inUse(real, pid);
    if (attempt === 0) options.onWait?.(pid);
    await sleep(POLL_MS);
  }
}

function inUse(directory: string, pid: number | null): DataDirectoryInUse {
  const owner = pid === null ? 'another process' : `the process ${pid}`;
  return new DataDirectoryInUse(
    `The data directory ${directory} is in use by ${owner}. ` +
      'Stop that one first, or set OMNIX_DATA_DIR to another directory.',
  );
}

function platformMeans(): LockMeans {
  if (process.platform === 'linux') return 'abstract';
  return process.platform === 'win32' ? 'pipe' : 'file';
}

function lockName(real: string, means: LockMeans): string {
  const hash = createHash('sha256').update(real).digest('hex');
  if (means === 'abstract') return `\0omnix-${hash}`;
  if (means === 'pipe') return String.raw`\\.\pipe\omnix-${hash}`;
  return join(tmpdir(), `omnix-${hash.slice(0, HASH_LENGTH_FILE)}.lock`);
}

/** Null: somebody else has bound it. */
async function bind(name: string): Promise<Server | null> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(`${process.pid}\n`);
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (Reflect.get(error, 'code') === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen({ path: name, exclusive: true }, () => {
      // The lock alone is no reason for the process to live on.
      server.unref();
      resolve(server);
    });
  });
}

async function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

/**
 * A socket file outlives its owner: one that nobody answers is taken away, and then it is seen who
 * was first.
 */
async function bindFile(name: string): Promise<Server | null> {
  const bound = await bind(name);
  if (bound !== null) return bound;
  const before = inodeOf(name);
  const owner = await askOwner(name);
  if (owner.listening || before === null || inodeOf(name) !== before) return null;
  rmSync(name, { force: true });
  const server = await bind(name);
  if (server === null) return null;
  const ours = inodeOf(name);
  await sleep(SETTLE_MS);
  // The loser's server stays open, unseen: closing it would remove the file, which is the winner's
  // by now.
  return ours !== null && inodeOf(name) === ours ? server : null;
}

function inodeOf(path: string): bigint | null {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? null;
}

interface Owner {
  /** False: nobody is bound to the name. An owner that is too busy to answer is still one. */
  readonly listening: boolean;
  readonly pid: number | null;
}

async function askOwner(name: string): Promise<Owner> {
  return new Promise((resolve) => {
    const socket = createConnection(name);
    const done = (listening: boolean, pid: number | null): void => {
      socket.destroy();
      resolve({ listening, pid });
    };
    socket.setTimeout(ASK_MS, () => done(true, null));
    socket.once('error', (error) => done(Reflect.get(error, 'code') !== 'ECONNREFUSED', null));
    socket.once('close', () => done(true, null));
    socket.once('data', (bytes) => {
      const pid = Number.parseInt(bytes.toString('utf8'), 10);
      done(true, Number.isSafeInteger(pid) ? pid : null);
    });
  });
}
