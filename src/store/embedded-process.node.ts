/**
 * The postmaster as a process: what its pid file says, whether it lives, how it is made to stop.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  readonly socketDirectory: string;
  readonly ready: boolean;
}

const LINE = { pid: 0, port: 3, socketDirectory: 4, status: 7 } as const;
const POLL_MS = 10;
/** How long each way to stop is given before the next, ruder one: fast, immediate, kill. */
const STOP_STEPS: readonly (readonly [signal: NodeJS.Signals, waitMs: number])[] = [
  ['SIGINT', 15_000],
  ['SIGQUIT', 5000],
  ['SIGKILL', 2000],
];

/** The pid file of a cluster; null when there is none or it is not written yet. */
export function readPostmasterFile(clusterDirectory: string): PostmasterFile | null {
  let lines: readonly string[];
  try {
    lines = readFileSync(join(clusterDirectory, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return null;
  }
  const pid = Number(lines[LINE.pid]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  return {
    pid,
    port: Number(lines[LINE.port]),
    socketDirectory: lines[LINE.socketDirectory]?.trim() ?? '',
    ready: lines[LINE.status]?.trim() === 'ready',
  };
}

/**
 * True while the process exists and is no zombie (as pid 1 of a container we may never see it
 * reaped).
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && Reflect.get(error, 'code') === 'EPERM')) return false;
  }
  if (process.platform !== 'linux') return true;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

/**
 * Whether the process is the postmaster of this cluster, and not a stranger who was given the same
 * number.
 */
export function isPostmasterOf(pid: number, clusterDirectory: string): boolean {
  if (!isAlive(pid)) return false;
  try {
    if (process.platform === 'linux') {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(clusterDirectory);
    }
    if (process.platform === 'win32') return true;
    return execFileSync('ps', ['-p', String(pid), '-o', 'command='])
      .toString()
      .includes(clusterDirectory);
  } catch {
    return false;
  }
}

/** Polls until the condition holds. False: it did not in time. */
export async function waitUntil(condition: () => boolean, waitMs: number): Promise<boolean> {
  const deadline = performance.now() + waitMs;
  while (!condition()) {
    if (performance.now() > deadline) return false;
    // A process that is no child of ours announces its end to nobody: asking is the only way.
    await sleep(POLL_MS);
  }
  return true;
}

/** Stops a postmaster, politely at first, and waits until it is gone. Throws when nothing helps. */
export async function stopPostmaster(pid: number): Promise<void> {
  for (const [signal, waitMs] of STOP_STEPS) {
    if (!isAlive(pid)) return;
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (isAlive(pid)) throw error;
    }
    if (await waitUntil(() => !isAlive(pid), waitMs)) return;
  }
  throw new Error(`The embedded Postgres (process ${pid}) does not stop.`);
}
