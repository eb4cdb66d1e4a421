/** What `/ready` says, in every state of the process. */
import { describe, expect, it } from 'vitest';
import { silentLog } from '#base/log.ts';
import { createStatusApp } from './app.ts';
import { Lifecycle } from './lifecycle.ts';

function ask(lifecycle: Lifecycle, path: string): Response | Promise<Response> {
  const app = createStatusApp({ lifecycle, log: silentLog, version: '1', pidFor: () => null });
  return app.request(path);
}

describe('GET /ready', () => {
  it.each<[string, (lifecycle: Lifecycle) => void, string | null]>([
    ['before anything happened', () => undefined, 'starting'],
    [
      'at a step of the start',
      (process) => process.become({ kind: 'starting', reason: 'a step' }),
      'a step',
    ],
    ['when all is well', (process) => process.become({ kind: 'ready' }), null],
    [
      'while something is away',
      (process) => {
        process.become({ kind: 'ready' });
        process.lacks('x');
      },
      'x',
    ],
    [
      'when it is back',
      (process) => {
        process.become({ kind: 'ready' });
        process.lacks('x');
        process.lacks(null);
      },
      null,
    ],
    [
      'while the process stops, whatever is away',
      (process) => {
        process.lacks('x');
        process.become({ kind: 'draining' });
      },
      'draining',
    ],
  ])('%s', async (_name, happens, reason) => {
    const lifecycle = new Lifecycle();
    happens(lifecycle);
    const ready = await ask(lifecycle, '/ready');
    expect(ready.status).toBe(reason === null ? 200 : 503);
    const told = { status: 'not_ready', reason };
    expect(await ready.json()).toEqual(reason === null ? { status: 'ready', version: '1' } : told);
    expect((await ask(lifecycle, '/health')).status).toBe(200);
  });
});
