/** The benchmark's side of the load generator: one job at a time, each bounded in time. */
import { fileURLToPath } from 'node:url';

import type { Child, Children } from './children.ts';
import { waitForPort } from './children.ts';
import type { LoadJob, LoadResult } from './load-protocol.ts';
import { isLoadReply } from './load-protocol.ts';

export interface Load {
  /** Rejects when the generator has died or does not answer in time. */
  run(job: LoadJob): Promise<LoadResult>;
}

const START_TIMEOUT_MS = 30_000;
const JOB_TIMEOUT_MS = 180_000;

function runOn(child: Child, id: number, job: LoadJob): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(new Error(`no answer to ${job.kind}`)), JOB_TIMEOUT_MS);
    const onExit = () => settle(new Error(`the load generator died:\n${child.output()}`));
    const onMessage = (message: unknown) => {
      if (!isLoadReply(message) || message.id !== id) return;
      settle('result' in message ? message.result : new Error(message.error));
    };
    function settle(outcome: LoadResult | Error): void {
      clearTimeout(timer);
      child.process.off('message', onMessage);
      child.process.off('exit', onExit);
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    }
    child.process.on('message', onMessage);
    child.process.on('exit', onExit);
    child.process.send({ id, job });
  });
}

export async function startLoad(children: Children, cpus: string | null): Promise<Load> {
  const file = fileURLToPath(import.meta.resolve('./load.ts'));
  const child = children.start({ name: 'load', args: [file], cpus, channel: true });
  await waitForPort(child, START_TIMEOUT_MS);
  let id = 0;
  return {
    run(job) {
      id += 1;
      return runOn(child, id, job);
    },
  };
}
