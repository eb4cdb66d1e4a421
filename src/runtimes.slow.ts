/**
 * The same server on Bun and Deno, with the fetch transport and a Postgres of its own: they are
 * installed aside (`.ci/run`), and OMNIX_RUNTIMES says where.
 */
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  PIECES,
  SSE_HEADERS,
  goodReply,
  modeOf,
  streamEvents,
} from '#testing/fake-upstream-replies.ts';
import { startFakeUpstream, type FakeUpstream, type Reply } from '#testing/fake-upstream.ts';
import { createTestDatabase } from '#testing/postgres.ts';
import { startServer, type TestServer } from '#testing/server.ts';

const directory = process.env['OMNIX_RUNTIMES'] ?? '';
const DENO = ['run', '--allow-all', '--no-lock', '--node-modules-dir=manual'] as const;
const RUNTIMES = [
  { name: 'Bun', runtime: [join(directory, 'bun')] },
  { name: 'Deno', runtime: [join(directory, 'deno'), ...DENO] },
];
const COST = 0.000025;
const price = { input: '1', output: '2' };
const hang: Reply = [
  { do: 'head', status: 200, headers: SSE_HEADERS },
  ...streamEvents()
    .slice(0, 3)
    .map((bytes) => ({ do: 'write', bytes }) as const),
  { do: 'hang' },
];

let fake: FakeUpstream;
beforeAll(async () => {
  fake = await startFakeUpstream();
  fake.on('/good', ({ body }) => goodReply(modeOf(body)));
  fake.on('/hang', () => hang);
});
afterAll(() => fake.close());

describe.skipIf(directory === '').each(RUNTIMES)('on $name', ({ runtime }) => {
  let server: TestServer;
  let client: OpenAI;
  const messages = [{ role: 'user' as const, content: 'hi' }];

  beforeAll(async () => {
    const { url } = await createTestDatabase();
    const provider = (path: string) => ({
      type: 'openai',
      base_url: fake.origin + path,
      api_key: 'sk-upstream',
    });
    const model = (name: string) => ({
      endpoints: [{ provider: name, model: 'm', price, context: 8_000, max_output: 1_000 }],
    });
    server = await startServer({
      runtime,
      config: {
        providers: { good: provider('/good'), hang: provider('/hang') },
        models: { good: model('good'), hang: model('hang') },
      },
      env: { DATABASE_URL: url, OMNIX_SECRET: 'a master secret of the tests' },
    });
    await server.grant('1');
    const { key } = await server.createKey();
    client = new OpenAI({ apiKey: key, baseURL: server.baseUrl, maxRetries: 0 });
  });
  afterAll(() => server.dispose());

  it('chats, streams and bills to the nano-dollar', async () => {
    const whole = await client.chat.completions.create({ model: 'good', messages });
    expect(whole.choices[0]?.message.content).toBe(PIECES.join(''));
    const stream = client.chat.completions.stream({ model: 'good', messages });
    expect(await stream.finalContent()).toBe(PIECES.join(''));
    const { total_usage: usage, held } = await server.credits();
    expect([usage, held]).toEqual([2 * COST, 0]);
  });

  it('a client that leaves ends the upstream (promise 10)', async () => {
    const stream = await client.chat.completions.create({ model: 'hang', messages, stream: true });
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content === PIECES[0]) break;
    }
    await fake.until(
      'the upstream to see it',
      () => (fake.at('/hang')[0]?.aborted ?? null) !== null,
    );
    fake.forget();
    await expect.poll(async () => (await server.credits()).held).toBe(0);
    expect((await server.credits()).total_usage).toBeGreaterThan(2 * COST);
  });

  it('stops when it is told to, with everything posted, and starts again', async () => {
    const before = await server.credits();
    expect(await server.terminate()).toBe(0);
    await server.restart();
    expect(await server.credits()).toEqual(before);
  });
});
