/**
 * Keeps the embedded Postgres running: one whose process has ended by itself, which is mostly the
 * system being short of memory, is started again at the same address.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { describeError } from '#base/describe-error.ts';
import type { Log } from '#base/log.ts';

import type { EmbeddedPostgres } from './embedded-postgres.node.ts';
import { isAlive } from './embedded-process.node.ts';

export interface Watch {
  /** Ends the watch and stops the Postgres. */
  stop(): Promise<void>;
}

const LOOK_MS = 250;
/** How long a Postgres that ends again and again, or does not start, is left alone at most. */
const PAUSE_MAX_MS = 30_000;
/** One that ran for so long has recovered from what ended it. */
const STEADY_MS = 60_000;

/** Nobody else may start or stop it from here on. */
export function watchEmbeddedPostgres(postgres: EmbeddedPostgres, log: Log): Watch {
  const stopped = new AbortController();
  const watching = watch(postgres, log, stopped.signal);
  return {
    stop: async () => {
      stopped.abort();
      await watching;
      await postgres.stop();
    },
  };
}

async function watch(postgres: EmbeddedPostgres, log: Log, signal: AbortSignal): Promise<void> {
  let attempts = 0;
  let startedMs = performance.now();
  let toldPid: number | null = null;
  while (await pause(LOOK_MS, signal)) {
    // An adopted one is no child of ours, and announces its end to nobody: asking is the only way.
    if (isAlive(postgres.pid)) {
      if (performance.now() - startedMs > STEADY_MS) attempts = 0;
      continue;
    }
    attempts += 1;
    if (postgres.pid !== toldPid)
      log.write('error', 'embedded_postgres_ended', { pid: postgres.pid });
    toldPid = postgres.pid;
    if (attempts > 1 && !(await pause(backoffMs(attempts), signal))) return;
    try {
      await postgres.restart(signal);
      startedMs = performance.now();
      log.write('warn', 'embedded_postgres_restarted', { pid: postgres.pid, attempts });
    } catch (error) {
      if (signal.aborted) return;
      const cause = describeError(error);
      log.write('error', 'embedded_postgres_restart_failed', { attempts, cause });
    }
  }
}

function backoffMs(attempts: number): number {
  return Math.min(PAUSE_MAX_MS, LOOK_MS * 2 ** attempts);
}

/** False: the watch is over. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal, ref: false });
    return true;
  } catch {
    return false;
  }
}
