/**
 * The load generator's process: takes jobs from the benchmark one after the other and answers each
 * with what it measured. Apart from the benchmark, so that nothing else runs on its loop.
 */
import { exitWithParent } from './child-side.ts';
import { runJob } from './load-modes.ts';
import type { LoadReply } from './load-protocol.ts';
import { isLoadRequest } from './load-protocol.ts';

function reply(message: LoadReply): void {
  process.send?.(message);
}

process.on('message', (message: unknown) => {
  if (!isLoadRequest(message)) return;
  const { id, job } = message;
  runJob(job).then(
    (result) => reply({ id, result }),
    (error: unknown) => reply({ id, error: error instanceof Error ? error.message : 'failed' }),
  );
});

exitWithParent();
process.send?.({ port: 0 });
