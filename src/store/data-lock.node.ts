/**
 * One process owns a data directory. Its lock is made of sockets, which the kernel frees when their
 * owner dies, however it dies: one whose name comes from the directory's real path, where the
 * system has such names, and a claim in the directory itself, which other containers see as well.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { StartRefused } from '#base/start-refused.ts';

import { claimDirectory } from './data-claim.node.ts';
import { prepareDataDirectory } from './data-directory.node.ts';
import { askSocket, bindSocket, closeSocket, type Neighbour } from './lock-socket.node.ts';

export interface DataLock {
  /** Frees the directory for the next owner. */
  release(): Promise<void>;
}

export interface DataLockOptions {
  /** How long to wait for an owner that is on its way out. Default 10,000. */
  readonly waitMs?: number;
  /**
   * Called once when the lock is taken and the waiting begins, with as much of the owner as it told
   * us.
   */
  readonly onWait?: (owner: string) => void;
  /** What the lock is made of. Default: what the platform has. */
  readonly means?: LockMeans;
}

/**
 * `abstract`: Linux, a name in this network namespace, and a claim. `claim`: alone, where sockets
 * have no names but paths. `pipe`: Windows, which has no such sockets, and one name for all.
 */
export type LockMeans = 'abstract' | 'claim' | 'pipe';

/** Another process owns the directory. The message names both. */
export class DataDirectoryInUse extends StartRefused {
  override readonly name = 'DataDirectoryInUse';
}

const WAIT_MS = 10_000;
const POLL_MS = 50;
const SOMEBODY: Neighbour = { who: 'another process', owns: true };

/**
 * Makes the directory if need be and takes it. Rejects with `DataDirectoryInUse`, or with
 * `StartRefused` where it cannot be written or locked.
 */
export async function acquireDataLock(
  directory: string,
  options: DataLockOptions = {},
): Promise<DataLock> {
  const real = prepareDataDirectory(directory);
  const means = options.means ?? platformMeans();
  const deadline = performance.now() + (options.waitMs ?? WAIT_MS);
  for (let attempt = 0; ; attempt += 1) {
    const taken = await take(real, means);
    if ('release' in taken) return taken;
    if (performance.now() > deadline) throw inUse(real, taken.who);
    if (attempt === 0) options.onWait?.(taken.who);
    await sleep(POLL_MS);
  }
}

function inUse(directory: string, owner: string): DataDirectoryInUse {
  return new DataDirectoryInUse(
    `The data directory ${directory} is in use by ${owner}. ` +
      'Stop that one first, or set OMNIX_DATA_DIR to another directory.',
  );
}

function platformMeans(): LockMeans {
  if (process.platform === 'linux') return 'abstract';
  return process.platform === 'win32' ? 'pipe' : 'claim';
}

/** Both locks or none. */
async function take(real: string, means: LockMeans): Promise<DataLock | Neighbour> {
  if (means === 'claim') return claimDirectory(real);
  const name = lockName(real, means);
  const server = await bindSocket(name, () => true);
  if (server === null) return (await askSocket(name)) ?? SOMEBODY;
  const named = { release: () => closeSocket(server) };
  if (means === 'pipe') return named;
  try {
    const claim = await claimDirectory(real);
    if (!('release' in claim)) {
      await named.release();
      return claim;
    }
    return {
      release: async () => {
        await claim.release();
        await named.release();
      },
    };
  } catch (error) {
    await named.release();
    throw error;
  }
}

function lockName(real: string, means: LockMeans): string {
  const hash = createHash('sha256').update(real).digest('hex');
  return means === 'pipe' ? String.raw`\\.\pipe\omnix-${hash}` : `\0omnix-${hash}`;
}
