/**
 * The built package (`npm run build:sdk`) on Node 20, Bun and Deno, which are installed aside
 * (`.ci/run`); OMNIX_RUNTIMES says where.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TEXT, sseReply, streamEvents } from '#testing/fake-upstream-replies.ts';
import { parse } from '#testing/recordings-json.ts';
import { createTestGateway, type TestGateway } from '#testing/test-gateway.ts';

const run = promisify(execFile);
const directory = process.env['OMNIX_RUNTIMES'] ?? '';
const STORY = fileURLToPath(new URL('story.mjs', import.meta.url));
const COST = 0.000_025;
const RUNTIMES = [
  { name: 'Node 20', command: join(directory, 'node'), flags: [] },
  { name: 'Bun', command: join(directory, 'bun'), flags: ['run'] },
  {
    name: 'Deno',
    command: join(directory, 'deno'),
    flags: ['run', '--no-lock', '--no-prompt', '--allow-net', '--allow-env', '--allow-read'],
  },
];

let house: TestGateway;
let url: string;
beforeAll(async () => {
  house = await createTestGateway();
  ({ url } = await house.listen());
  house.fake.on('/stops', () => sseReply(streamEvents().slice(0, 3), [{ do: 'hang' }]));
});
afterAll(() => house.close());

describe.skipIf(directory === '').each(RUNTIMES)('the package on $name', ({ command, flags }) => {
  it('answers, streams, leaves, refuses and embeds', async () => {
    house.fake.forget();
    const { stdout } = await run(command, [...flags, STORY], {
      env: {
        OMNIX_SDK: new URL('../typescript/dist/index.js', import.meta.url).href,
        OMNIX_API_KEY: house.keys.live,
        OMNIX_TEST_KEY: house.keys.test,
        OMNIX_BASE_URL: `${url}/v1`,
      },
    });
    expect(parse(stdout)).toEqual({
      whole: TEXT,
      streamed: TEXT,
      costs: [COST, COST],
      aborted: true,
      refused: [true, 404, 'model_not_found'],
      numbers: true,
    });
    const gone = (): boolean => (house.fake.at('/stops')[0]?.aborted ?? null) !== null;
    await house.fake.until('the upstream to see that its client left', gone);
    await house.untilSettled();
  });
});
