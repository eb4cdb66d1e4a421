/**
 * A ceiling is kept before anything is held or sent: what could cost more does not run, what could
 * not does, to the nano-dollar.
 */
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { formatUsd, nanoUsd, parseUsd, type NanoUsd } from '#base/money.ts';
import { providers } from '#providers/registry.ts';
import { errorBody, goodReply, jsonReply } from '#testing/fake-upstream-replies.ts';
import { at, objectOf, stringOf, type JsonObject } from '#testing/recordings-json.ts';
import { answerWell, createTestGateway, type TestGateway } from '#testing/test-gateway.ts';

const CHAT = '/v1/chat/completions';
const EMBEDDINGS = '/v1/embeddings';
const HEADER = 'x-omnix-max-cost';
const FREE = { input: '0', output: '0' };
/** For two inputs. */
const VECTORS = JSON.stringify({
  object: 'list',
  data: [0, 1].map((index) => ({ object: 'embedding', index, embedding: [1, 0] })),
  model: 'm',
  usage: { prompt_tokens: 2, total_tokens: 2 },
});

const place = (provider: string, price: JsonObject): JsonObject => ({
  provider,
  model: 'm',
  price,
  context: 100_000,
  max_output: 50_000,
});
const LARGE = { prompt_tokens: 90_000, completion_tokens: 40_000, total_tokens: 130_000 };
const DEAR = { input: '10', output: '100' };
const CHEAP = { input: '1', output: '10' };

let house: TestGateway;
beforeAll(async () => {
  const vectors = { ...place('vectors', { input: '7', output: '0' }), max_output: 10 };
  house = await createTestGateway({
    spoken: { vectors: providers.openai },
    providers: { vectors: { type: 'openai', base_url: '/vectors', api_key: 'sk-canary-upstream' } },
    models: {
      dear: { endpoints: [place('a', DEAR)] },
      cheap: { endpoints: [place('b', CHEAP)] },
      wordy: { endpoints: [place('a', { input: '100', output: '1' })] },
      free: { endpoints: [place('a', FREE)] },
      'dear-then-cheap': { endpoints: [place('a', DEAR), place('b', CHEAP)] },
      'cheap-then-dear': { endpoints: [place('b', CHEAP), place('a', DEAR)] },
      'text-vectors': { endpoints: [vectors] },
    },
  });
  house.fake.on('/vectors', () => jsonReply(200, VECTORS));
});
afterEach(async () => {
  await house.untilSettled();
  for (const host of ['/a', '/b']) house.fake.on(host, answerWell);
  house.fake.forget();
});
afterAll(() => house.close());

interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly error: JsonObject;
}

async function post(path: string, body: JsonObject, ceiling: string): Promise<Told> {
  const response = await house.post(path, body, { [HEADER]: ceiling });
  const text = await response.text();
  const json: unknown = text.startsWith('{') ? JSON.parse(text) : {};
  return { status: response.status, headers: response.headers, error: objectOf(at(json, 'error')) };
}

const messages = [{ role: 'user', content: 'Say hello to everybody in this house.' }];

async function highestOf(path: string, body: JsonObject): Promise<NanoUsd> {
  const response = await house.post(`/v1/estimate?endpoint=${path}`, body);
  const parsed = parseUsd(stringOf(at(await response.json(), 'highest')));
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

/** What the books say; nothing may change where a request was refused. */
async function books(): Promise<JsonObject> {
  await house.untilSettled();
  return house.credits();
}

const IMAGE = { type: 'image_url', image_url: { url: 'https://x.test/a.png' } };

describe('a ceiling, to the nano-dollar (contract: Answers, x-omnix-max-cost)', () => {
  it('takes null for no tool of the host (web_search_options)', async () => {
    const body = { model: 'cheap', messages, max_tokens: 50 };
    const highest = await highestOf(CHAT, { ...body, web_search_options: null });
    expect(highest).toBeLessThan(2n * (await highestOf(CHAT, body)));
    const searching = await highestOf(CHAT, { ...body, web_search_options: {} });
    expect(searching).toBeGreaterThan(10n * highest);
  });

  it.each<[string, string, JsonObject]>([
    ['a chat with a limit', CHAT, { model: 'dear', messages, max_completion_tokens: 77 }],
    ['a chat without one', CHAT, { model: 'dear', messages }],
    ['a stream', CHAT, { model: 'dear', messages, max_tokens: 50, stream: true }],
    ['a stream without a limit', CHAT, { model: 'dear', messages, stream: true }],
    ['several choices', CHAT, { model: 'dear', messages, max_tokens: 50, n: 3 }],
    ['an image', CHAT, { model: 'dear', messages: [{ role: 'user', content: [IMAGE] }] }],
    [
      'tools of the host',
      CHAT,
      { model: 'cheap', messages, max_tokens: 50, tools: [{ type: 'web_search' }] },
    ],
    ['embeddings', EMBEDDINGS, { model: 'text-vectors', input: ['one text', 'and another'] }],
  ])('of %s', async (_kind, path, body) => {
    const highest = await highestOf(path, body);
    expect(highest).toBeGreaterThan(0n);
    expect(house.fake.received, 'an estimate asks nobody').toHaveLength(0);
    const before = await books();
    const below = await post(path, body, formatUsd(nanoUsd(highest - 1n)));
    expect(below.status).toBe(402);
    expect(below.error).toMatchObject({ code: 'max_cost_exceeded', param: HEADER });
    expect(below.error['message']).toContain(`could cost $${formatUsd(highest)} at `);
    expect(await books(), 'nothing held or posted').toEqual(before);
    expect(house.fake.received, 'nothing sent').toHaveLength(0);
    expect((await post(path, body, formatUsd(highest))).status).toBe(200);
    expect((await post(path, body, formatUsd(nanoUsd(highest + 1n)))).status).toBe(200);
    expect(house.fake.received).toHaveLength(2);
  });

  it('of 0 lets only through what is free', async () => {
    const body = { messages, max_tokens: 5 };
    expect((await post(CHAT, { model: 'cheap', ...body }, '0')).status).toBe(402);
    expect((await post(CHAT, { model: 'free', ...body }, '0')).status).toBe(200);
    expect((await post(CHAT, { model: 'free', ...body }, '0.000')).status).toBe(200);
  });
});

describe('what a host says that it used', () => {
  it.each(['json', 'stream'] as const)(
    'costs the caller no more than the ceiling (%s)',
    async (mode) => {
      house.fake.on('/a', () => goodReply(mode, { usage: LARGE }));
      const body = { model: 'dear', messages, max_tokens: 20, stream: mode === 'stream' };
      const response = await house.post(CHAT, body, { [HEADER]: '0.01' });
      const text = await response.text();
      expect(response.status).toBe(200);
      expect(text).toContain('"cost":0.01,');
      expect(await house.receipt(response.headers.get('x-generation-id'))).toMatchObject({
        total_cost: 0.01,
        waived: 'over_max_cost',
        tokens_prompt: 90_000,
      });
    },
  );

  it('is believed up to the ceiling, and whole without one', async () => {
    house.fake.on('/a', () => goodReply('json', { usage: LARGE }));
    const asked = await house.post(CHAT, { model: 'dear', messages, max_tokens: 20 });
    const receipt = await house.receipt(asked.headers.get('x-generation-id'));
    expect(receipt).toMatchObject({ waived: null, tokens_prompt: LARGE.prompt_tokens });
  });
});

describe('an absurd limit', () => {
  it('holds no more than a model could ever generate, and refuses nobody else', async () => {
    const silly = { model: 'cheap', messages, max_tokens: Number.MAX_SAFE_INTEGER };
    const others = { model: 'cheap', messages, max_tokens: 20 };
    const answers = await Promise.all(
      [silly, others, others].map((body) => house.post(CHAT, body)),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await highestOf(CHAT, silly)).toBeLessThan(1_100_000_000n);
  });
});

describe('a ceiling that is no amount', () => {
  const AMOUNTS = ['', 'NaN', '-1', '-0', '+1', '1e-3', 'abc', '0x10', '.5', '1.', '1,5', '$1'];

  it.each([...AMOUNTS, 'Infinity', '0 .1', '0.0000000001', '9'.repeat(41), '0.01, 0.02'])(
    'is a 400 that names the header: "%s"',
    async (text) => {
      const { status, error } = await post(CHAT, { model: 'cheap', messages }, text);
      expect({ status, code: error['code'] }).toEqual({ status: 400, code: 'invalid_value' });
      expect(error['param']).toBe(HEADER);
      expect(error['message']).toMatch(/decimal number such as 0\.01, with at most 9 decimal/);
      expect(house.fake.received).toHaveLength(0);
    },
  );

  it('is one where the header comes twice', async () => {
    const { url } = await house.listen();
    const headers = new Headers({ authorization: `Bearer ${house.keys.live}` });
    headers.append(HEADER, '1');
    headers.append(HEADER, '2');
    const body = JSON.stringify({ model: 'cheap', messages });
    const response = await fetch(`${url}${CHAT}`, { method: 'POST', headers, body });
    expect(response.status).toBe(400);
    expect(at(await response.json(), 'error', 'param')).toBe(HEADER);
  });

  it('is no reason to tell a stranger anything but that', async () => {
    const headers = { [HEADER]: 'abc', authorization: 'Bearer sk-omx-live-nonsense' };
    expect((await house.post(CHAT, { model: 'cheap', messages }, headers)).status).toBe(401);
  });
});

describe('places of different price', () => {
  const body = { messages, max_tokens: 1_000 };
  const hosts = (): string[] => house.fake.received.map(({ path }) => path.split('/')[1] ?? '');

  it('only those within the ceiling are tried', async () => {
    const { status } = await post(CHAT, { model: 'dear-then-cheap', ...body }, '0.05');
    expect(status).toBe(200);
    expect(hosts()).toEqual(['b']);
  });

  it('all of them are where all are within it, in their order', async () => {
    house.fake.on('/a', () => jsonReply(500, errorBody('down', null)));
    const { status } = await post(CHAT, { model: 'dear-then-cheap', ...body }, '0.5');
    expect(status).toBe(200);
    expect(hosts()).toEqual(['a', 'b']);
  });

  it('a failure is not made good at a place above it', async () => {
    house.fake.on('/b', () => jsonReply(500, errorBody('down', null)));
    const { status } = await post(CHAT, { model: 'cheap-then-dear', ...body }, '0.05');
    expect(status).toBe(502);
    expect(hosts()).toEqual(['b']);
    house.fake.forget();
    const models = { model: 'cheap', models: ['dear'], ...body };
    expect((await post(CHAT, models, '0.05')).status).toBe(502);
    expect(hosts()).toEqual(['b']);
  });

  it('only as much is held as the dearest of them needs', async () => {
    const gate = Promise.withResolvers<void>();
    house.fake.on('/b', () => [{ do: 'until', gate: gate.promise }, ...goodReply('json')]);
    const running = post(CHAT, { model: 'dear-then-cheap', ...body }, '0.05');
    await house.fake.until('it runs', () => hosts().includes('b'));
    const { held } = house.ledger.snapshot(house.organizationId, 'live');
    gate.resolve();
    expect((await running).status).toBe(200);
    expect(held).toBeGreaterThan(10_000_000n);
    expect(held).toBeLessThan(11_000_000n);
  });

  it('a refusal speaks of the cheapest', async () => {
    const { error } = await post(CHAT, { model: 'dear-then-cheap', ...body }, '0.001');
    expect(error['message']).toContain("at 'b/m', the cheapest place that could serve it");
  });
});

describe('the refusal', () => {
  it('says the cost, the ceiling, what drives it and the next step, and asks for no retry', async () => {
    const { status, headers, error } = await post(
      CHAT,
      { model: 'dear', messages, max_tokens: 1_000, n: 2 },
      '0.05',
    );
    expect(status).toBe(402);
    expect(error['message']).toMatch(
      /^The request could cost \$0\.20\d+ at 'a\/m', and x-omnix-max-cost allows \$0\.05\. That is for up to \d+ input tokens \(\$0\.00\d+\) and 2000 output tokens in 2 choices \(\$0\.2\)\. Nothing was sent or spent\. Set max_completion_tokens to at most 24\d, or raise the header\.$/,
    );
    expect(error).toMatchObject({ type: 'insufficient_quota', code: 'max_cost_exceeded' });
    expect(error['metadata']).toMatchObject({
      limit_source: 'request',
      error_type: 'billing',
      retryable: false,
    });
    expect(headers.get('x-should-retry')).toBe('false');
  });

  it('tells where the cost is that of the model’s maximum', async () => {
    const { error } = await post(CHAT, { model: 'dear', messages }, '0.05');
    expect(error['message']).toContain('50000 output tokens ($5, the maximum of the model, as the');
    // More than credit is held for without a limit.
    const higher = await post(CHAT, { model: 'dear', messages }, '4');
    expect(higher.error['message']).toMatch(/at most 399\d\d, or raise/);
  });

  it.each([
    ['without a limit', {}],
    ['with one', { max_completion_tokens: 9_999 }],
    ['in several choices', { n: 4 }],
    ['of little text', { messages: [{ role: 'user', content: 'a' }] }],
    ['of text that is as long in tokens', { messages: [{ role: 'user', content: '𒐫𒈙⸻꧅' }] }],
  ])('names the longest answer that fits, which then runs: %s', async (_kind, more) => {
    for (const model of ['dear', 'wordy', 'dear-then-cheap']) {
      const body = { model, messages, ...more };
      const { error } = await post(CHAT, body, '0.0273');
      const tokens = Number(/at most (\d+)/.exec(stringOf(error['message']))?.[1]);
      expect(tokens).toBeGreaterThan(20);
      const fits = { ...body, max_completion_tokens: tokens };
      expect((await post(CHAT, fits, '0.0273')).status, `${model} ${tokens}`).toBe(200);
      const longer = { ...body, max_completion_tokens: Math.ceil(tokens * 1.1) + 5_000 };
      expect((await post(CHAT, longer, '0.0273')).status).toBe(402);
    }
  });

  it('names another step where the input alone is too dear', async () => {
    const { error } = await post(CHAT, { model: 'wordy', messages }, '0.000001');
    expect(error['message']).toContain('Shorten the input, name a cheaper model, or raise');
    const input = 'many words '.repeat(50);
    const other = await post(EMBEDDINGS, { model: 'text-vectors', input }, '0.0000001');
    expect(other.error['message']).toMatch(
      /up to \d+ input tokens \(\$[\d.]+\)\. Nothing was sent/,
    );
    expect(other.error['message']).toContain('Shorten the input, name a cheaper model, or raise');
  });

  it('is an error of the official client, which does not come back', async () => {
    let asked = 0;
    const client = new OpenAI({
      apiKey: house.keys.live,
      baseURL: 'http://omnix.test/v1',
      maxRetries: 3,
      fetch: async (url, init) => {
        asked += 1;
        return house.app.request(url instanceof URL ? url.href : url, init);
      },
    });
    const asking = client.chat.completions.create(
      { model: 'dear', messages: [{ role: 'user', content: 'hi' }] },
      { headers: { [HEADER]: '0.01' } },
    );
    await expect(asking).rejects.toMatchObject({ status: 402, code: 'max_cost_exceeded' });
    expect(asked).toBe(1);
  });

  it('comes over a socket as well, for streams before they begin', async () => {
    const { url } = await house.listen();
    const client = new OpenAI({ apiKey: house.keys.live, baseURL: `${url}/v1`, maxRetries: 0 });
    const body = {
      model: 'dear',
      messages: [{ role: 'user' as const, content: 'hi' }],
      stream: true as const,
      max_tokens: 100,
    };
    const refused = client.chat.completions.create(body, { headers: { [HEADER]: '0.01' } });
    await expect(refused).rejects.toMatchObject({ status: 402, code: 'max_cost_exceeded' });
    const stream = await client.chat.completions.create(body, { headers: { [HEADER]: '0.02' } });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toContain('Hello');
  });
});

describe('the prompt', () => {
  // 14,000 bytes could be $1.40; the thousand words are $0.10, with a reserve $0.15.
  const long = [{ role: 'user', content: 'international '.repeat(1_000) }];

  it('is counted where its bytes would refuse', async () => {
    const body = { model: 'wordy', messages: long, max_tokens: 10 };
    expect((await post(CHAT, body, '0.16')).status).toBe(200);
    expect((await post(CHAT, body, '0.09')).status).toBe(402);
  });

  it('is counted too where its bytes would leave out the place that is preferred', async () => {
    const body = { model: 'wordy', models: ['free'], messages: long, max_tokens: 10 };
    await post(CHAT, body, '0.16');
    const { status } = await post(CHAT, body, '0.09');
    expect(status).toBe(200);
    await house.untilSettled();
    const settled = house.log.filter(({ event }) => event === 'request').slice(-2);
    expect(settled.map(({ fields }) => fields['model'])).toEqual(['wordy', 'free']);
  });

  it('is counted once more for the credit, and both refusals stay apart', async () => {
    const key = await house.createKey({ limitUsd: '0.01' });
    const body = { model: 'wordy', messages: long, max_tokens: 10 };
    const headers = { authorization: `Bearer ${key}`, [HEADER]: '0.16' };
    const response = await house.post(CHAT, body, headers);
    expect(response.status).toBe(402);
    expect(at(await response.json(), 'error', 'code')).toBe('key_limit_exceeded');
  });

  it('may be read on and on by tools of the host, which the ceiling knows', async () => {
    const body = { model: 'cheap', messages, max_tokens: 10 };
    const searching = { ...body, web_search_options: {} };
    expect((await post(CHAT, body, '0.01')).status).toBe(200);
    const { status, error } = await post(CHAT, searching, '0.01');
    expect(status).toBe(402);
    expect(error['message']).toContain('as tools of the host may read 64 contexts');
    // 64 times 100,000 tokens at $1 a million, and ten tokens of answer.
    const usage = { prompt_tokens: 9_000_000, completion_tokens: 10, total_tokens: 9_000_010 };
    house.fake.on('/b', () => goodReply('json', { usage }));
    const response = await house.post(CHAT, searching, { [HEADER]: '6.4001' });
    expect(at(await response.json(), 'usage', 'cost')).toBe(6.4001);
  });
});
