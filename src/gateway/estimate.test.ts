/**
 * An estimate is what running the request would cost: never below the real cost at its highest,
 * exact where the usage is as it was taken to be, and without a call or a hold.
 */
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { formatUsd, nanoUsd, parseUsd, type NanoUsd } from '#base/money.ts';
import { goodReply, modeOf } from '#testing/fake-upstream-replies.ts';
import {
  at,
  listOf,
  numberOf,
  objectOf,
  stringOf,
  type JsonObject,
} from '#testing/recordings-json.ts';
import { answerWell, createTestGateway, type TestGateway } from '#testing/test-gateway.ts';
import { estimateResponseSchema, type Estimate } from '#wire/estimate.ts';

const CHAT = '/v1/chat/completions';
const EMBEDDINGS = '/v1/embeddings';

const rate = fc
  .integer({ min: 0, max: 2_000_000 })
  .map((n) => `${Math.floor(n / 1000)}.${n % 1000}`);
const small = fc.integer({ min: 0, max: 999 }).map((n) => `0.${String(n).padStart(3, '0')}1`);
/** Prices as hosts have them, and as none has them yet. */
const prices = fc.record(
  {
    input: rate,
    output: rate,
    cache_read: small,
    reasoning: rate,
    audio_input: rate,
    request: small,
    tiers: fc.uniqueArray(
      fc.record({
        above_input_tokens: fc.integer({ min: 1, max: 400 }),
        input: rate,
        output: rate,
      }),
      { maxLength: 2, selector: (tier) => tier.above_input_tokens },
    ),
  },
  { requiredKeys: ['input', 'output'] },
);
const places = fc.record({
  provider: fc.constantFrom('a', 'b'),
  price: prices,
  context: fc.constantFrom(50, 1_000, 128_000),
  max_output: fc.constantFrom(16, 400, 40_000),
});

const MODELS = 40;
/** Random models stand in the config file, so they are drawn before the gateway starts. */
const drawn = fc.sample(fc.array(places, { minLength: 1, maxLength: 3 }), {
  numRuns: MODELS,
  seed: 20_261_121,
});
const randomModels = Object.fromEntries(
  drawn.map((endpoints, n) => [
    `random-${n}`,
    { endpoints: endpoints.map((one, m) => ({ ...one, model: `m-${n}-${m}` })) },
  ]),
);

let house: TestGateway;
beforeAll(async () => {
  const price = { input: '3', output: '15', cache_read: '0.3' };
  house = await createTestGateway({
    creditUsd: '100000000',
    models: {
      ...randomModels,
      priced: {
        endpoints: [{ provider: 'a', model: 'm', price, context: 128_000, max_output: 9_000 }],
      },
      vectors: {
        endpoints: [{ provider: 'a', model: 'v', price: { input: '0.02', output: '0' } }],
      },
    },
  });
});
afterEach(async () => {
  await house.untilSettled();
  for (const host of ['/a', '/b']) house.fake.on(host, answerWell);
  house.fake.forget();
});
afterAll(() => house.close());

const messages = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Tell me about tokenizers, please.' },
];

async function estimate(body: JsonObject, path = '/v1/estimate'): Promise<Estimate> {
  const response = await house.post(path, body);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return estimateResponseSchema.parse(JSON.parse(text));
}

async function errorOf(path: string, body: unknown, key = house.keys.live) {
  const response = await house.app.request(path, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const error = objectOf(at(await response.json(), 'error'));
  const { request_id: id, ...metadata } = objectOf(error['metadata']);
  expect(id).toMatch(/^req_/);
  return { status: response.status, error: { ...error, metadata } };
}

function nano(usd: string): NanoUsd {
  const parsed = parseUsd(usd);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

describe('an estimate', () => {
  it('tells the costs of each place, with their arithmetic (contract: Answers, POST /v1/estimate)', async () => {
    const told = await estimate({ model: 'a-then-b', messages, max_tokens: 100 });
    expect(told).toMatchObject({
      object: 'estimate',
      endpoint: CHAT,
      currency: 'usd',
      output_tokens: { likely: 100, highest: 100 },
    });
    const { likely: input, highest: bound } = told.input_tokens;
    expect(input).toBeGreaterThan(10);
    expect(bound).toBeGreaterThan(input);
    // $1, $2 and from the cache $0.1 a million.
    expect(told.lowest).toBe(formatUsd(nanoUsd(BigInt(input * 100))));
    expect(told.likely).toBe(formatUsd(nanoUsd(BigInt(input * 1_000 + 200_000))));
    expect(told.highest).toBe(formatUsd(nanoUsd(BigInt(bound * 1_000 + 200_000))));
    expect(told.candidates.map(({ endpoint }) => endpoint)).toEqual([
      'a/model-at-a',
      'b/model-at-b',
    ]);
    const [first] = told.candidates;
    expect(first?.drivers).toEqual([
      { bucket: 'input', units: input, rate: '1', per: 1_000_000, amount: expect.any(String) },
      { bucket: 'output', units: 100, rate: '2', per: 1_000_000, amount: '0.0002' },
    ]);
    expect(first).toMatchObject({ model: 'a-then-b', provider: 'a', likely: told.likely });
    expect(first?.price).toMatchObject({ source: 'config' });
  });

  it('asks nobody, holds nothing and leaves no trace in the books (contract: Answers, POST /v1/estimate)', async () => {
    const before = await house.credits();
    for (const stream of [true, false]) await estimate({ model: 'priced', messages, stream });
    await estimate({ model: 'vectors', input: 'x' });
    expect(house.fake.received).toHaveLength(0);
    expect(house.ledger.snapshot(house.organizationId, 'live').held).toBe(0n);
    expect(await house.credits()).toEqual(before);
  });

  it('takes a usual answer where no limit is sent, and the model’s maximum at the highest', async () => {
    const told = await estimate({ model: 'priced', messages, n: 2 });
    expect(told.output_tokens).toEqual({ likely: 1_024, highest: 18_000 });
    expect(nano(told.held)).toBeGreaterThanOrEqual(nano(told.highest));
  });

  it('of embeddings has no output', async () => {
    const told = await estimate({ model: 'vectors', input: ['one', 'two three'] });
    expect(told).toMatchObject({ endpoint: EMBEDDINGS, output_tokens: { likely: 0, highest: 0 } });
    expect(told.likely).toBe(told.lowest);
    expect(told.candidates[0]?.drivers.map(({ bucket }) => bucket)).toEqual(['input']);
  });

  it('lists models of a chain in their order', async () => {
    const told = await estimate({ model: 'priced', models: ['at-b'], messages });
    expect(told.candidates.map(({ model }) => model)).toEqual(['priced', 'at-b']);
    expect(told.likely).toBe(told.candidates[0]?.likely);
    const all = told.candidates.map(({ highest }) => nano(highest));
    expect(nano(told.highest)).toBe(all[0] ?? 0n);
    expect(told.lowest).toBe(told.candidates[1]?.lowest);
  });

  it('leaves out what a ceiling leaves out, and is refused as the request would be', async () => {
    const body = { model: 'priced', models: ['at-b'], messages, max_tokens: 100 };
    const [dear, cheap] = (await estimate(body)).candidates;
    const ask = (ceiling = '') => house.post('/v1/estimate', body, { 'x-omnix-max-cost': ceiling });
    const kept: unknown = await (await ask(cheap?.highest)).json();
    expect(listOf(at(kept, 'candidates'))).toHaveLength(1);
    expect(at(kept, 'highest')).toBe(cheap?.highest);
    expect(listOf(at(await (await ask(dear?.highest)).json(), 'candidates'))).toHaveLength(2);
    expect((await ask('0.000001')).status).toBe(402);
    expect((await ask('1e3')).status).toBe(400);
  });

  it('warns of what a place would leave out', async () => {
    const told = await estimate({
      model: 'at-stops',
      messages,
      top_k: 5,
      usage: { include: true },
    });
    const sent = await house.chat({ model: 'at-stops', messages, top_k: 5 });
    const warnings: unknown = at(await sent.json(), 'warnings') ?? undefined;
    expect(told.candidates[0]?.warnings).toEqual(warnings);
  });

  it('does not hang on settings that no model is shown', async () => {
    const body = { model: 'priced', messages, max_tokens: 40 };
    const whole = await estimate(body);
    expect(
      await estimate({ ...body, stream: true, stream_options: { include_usage: true } }),
    ).toMatchObject({ highest: whole.highest, likely: whole.likely });
  });

  it('is for test keys too, of the sandbox', async () => {
    const response = await house.post(
      '/v1/estimate',
      { model: 'sandbox/echo', messages },
      { authorization: `Bearer ${house.keys.test}` },
    );
    expect(at(await response.json(), 'candidates', 0, 'provider')).toBe('sandbox');
  });
});

describe('which request it is', () => {
  it('is told by the shape, or by the endpoint that is named', async () => {
    const both = { model: 'vectors', input: 'x', messages };
    expect((await estimate(both)).endpoint).toBe(CHAT);
    expect((await estimate(both, `/v1/estimate?endpoint=${EMBEDDINGS}`)).endpoint).toBe(EMBEDDINGS);
    const named = await errorOf(`/v1/estimate?endpoint=${CHAT}`, { model: 'at-a', input: 'x' });
    expect(named.error).toMatchObject({ code: 'missing_required_parameter', param: 'messages' });
  });

  it('is asked for where neither tells, with a list of what is taken', async () => {
    const { status, error } = await errorOf('/v1/estimate', { model: 'at-a', prompt: 'x' });
    expect(status).toBe(400);
    expect(stringOf(at(error, 'message'))).toMatch(
      /'messages' \(POST \/v1\/chat\/completions\) or 'input' \(POST \/v1\/embeddings\)/,
    );
    const other = await errorOf('/v1/estimate?endpoint=/v1/images', { model: 'at-a', messages });
    expect(other).toMatchObject({ status: 400, error: { param: 'endpoint' } });
    const typo = await errorOf('/v1/estimate?endpiont=x', { model: 'at-a', messages });
    expect(typo).toMatchObject({ status: 400, error: { code: 'unknown_parameter' } });
  });
});

describe('a request that could not run', () => {
  it.each<[string, unknown]>([
    ['an unknown model', { model: 'at-aa', messages }],
    ['a model without a provider', { model: 'claude-haiku-4-5', messages }],
    ['a model of vectors', { model: 'sandbox/embedding', messages }],
    ['books that do not mix', { model: 'at-a', models: ['sandbox/echo'], messages }],
    ['a bad field', { model: 'at-a', messages, temperature: 9 }],
    ['a missing field', { messages }],
    ['a field of a later step', { model: 'at-a', messages, preset: 'x' }],
    ['a field that is there twice', '{"model":"a","model":"b","messages":[]}'],
  ])('gets the error of running it: %s', async (_kind, body) => {
    const told = await errorOf('/v1/estimate', body);
    expect(told).toEqual(await errorOf(CHAT, body));
    expect(told.status).toBeGreaterThanOrEqual(400);
  });

  it('gets it for every kind of key', async () => {
    const made = await house.post(
      '/v1/keys',
      { name: 'narrow', models: ['at-b'] },
      { authorization: `Bearer ${house.keys.management}` },
    );
    const narrow = stringOf(at(await made.json(), 'key'));
    const { management, test } = house.keys;
    for (const key of [narrow, management, test, 'sk-omx-live-nonsense']) {
      const told = await errorOf('/v1/estimate', { model: 'at-a', messages }, key);
      expect(told).toEqual(await errorOf(CHAT, { model: 'at-a', messages }, key));
      expect([401, 403]).toContain(told.status);
    }
  });

  it('for lack of credit is told its cost', async () => {
    const key = await house.createKey({ limitUsd: '0.000001' });
    const headers = { authorization: `Bearer ${key}` };
    const response = await house.post('/v1/estimate', { model: 'at-a', messages }, headers);
    expect(response.status).toBe(200);
    expect((await house.chat({ model: 'at-a', messages }, headers)).status).toBe(402);
  });

  it('takes POST, and bodies of the usual size', async () => {
    expect((await house.get('/v1/estimate')).status).toBe(405);
    for (const body of ['', '[]', 'null', '{"messages":']) {
      expect((await errorOf('/v1/estimate', body)).error).toMatchObject({ code: 'invalid_json' });
    }
  });
});

describe('the receipt agrees', () => {
  const lineOf = (receipt: JsonObject, bucket: string): unknown =>
    listOf(at(receipt, 'arithmetic', 'lines')).find((line) => at(line, 'bucket') === bucket);

  it('where the host counts what was likely: to the nano-dollar', async () => {
    const body = { model: 'priced', messages, max_tokens: 40 };
    const told = await estimate(body);
    const [input, output] = [told.input_tokens.likely, told.output_tokens.likely];
    const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
    house.fake.on('/a', (request) => goodReply(modeOf(request.body), { usage }));
    for (const stream of [false, true]) {
      const answer = await house.chat({ ...body, stream });
      await answer.text();
      const receipt = await house.receipt(answer.headers.get('x-generation-id'));
      expect(receipt['total_cost']).toBe(Number(told.likely));
      expect([lineOf(receipt, 'input'), lineOf(receipt, 'output')]).toEqual(
        told.candidates[0]?.drivers,
      );
      expect(at(receipt, 'price')).toMatchObject(told.candidates[0]?.price ?? {});
    }
  });

  it('on the input where the host counts nothing', async () => {
    house.fake.on('/a', () => goodReply('json', { usage: undefined }));
    const body = { model: 'priced', messages };
    const told = await estimate(body);
    const answer = await house.chat(body);
    const receipt = await house.receipt(answer.headers.get('x-generation-id'));
    expect(receipt['usage_source']).toBe('counted');
    expect(receipt['tokens_prompt']).toBe(told.input_tokens.likely);
    expect(lineOf(receipt, 'input')).toEqual(told.candidates[0]?.drivers[0]);
  });

  it('at the lowest where all of it came from the cache', async () => {
    const told = await estimate({ model: 'priced', messages });
    const input = told.input_tokens.likely;
    const usage = {
      prompt_tokens: input,
      completion_tokens: 0,
      total_tokens: input,
      prompt_tokens_details: { cached_tokens: input },
    };
    house.fake.on('/a', () => goodReply('json', { usage }));
    const answer = await house.chat({ model: 'priced', messages });
    expect(at(await answer.json(), 'usage', 'cost')).toBe(Number(told.lowest));
  });
});

const SOUND = { type: 'input_audio', input_audio: { data: 'A'.repeat(4_000), format: 'wav' } };
const texts = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }),
  fc.constantFrom('a', 'international '.repeat(60), '﷽'.repeat(40)),
);
const requests = fc.record(
  {
    model: fc.nat({ max: MODELS - 1 }).map((n) => `random-${n}`),
    messages: texts.chain((text) =>
      fc.constantFrom(
        [{ role: 'user', content: text }],
        [{ role: 'user', content: [{ type: 'text', text }, SOUND] }],
      ),
    ),
    stream: fc.boolean(),
    n: fc.integer({ min: 1, max: 4 }),
    max_tokens: fc.integer({ min: 1, max: 3_000 }),
    tools: fc.constant([{ type: 'web_search' }]),
  },
  { requiredKeys: ['model', 'messages', 'stream'] },
);
const part = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }));
const shares = fc.record({ input: part, cached: part, sound: part, output: part, reasoned: part });

type Shares = typeof shares extends fc.Arbitrary<infer Value> ? Value : never;

type Body = typeof requests extends fc.Arbitrary<infer Value> ? Value : never;

/** Usage within the request's limits and those of the place that serves it, the first. */
function usageOf(told: Estimate, drawnShares: Shares, body: Body): JsonObject {
  const { input, cached, sound, output, reasoned } = drawnShares;
  const place = drawn[Number(body.model.replace('random-', ''))]?.[0];
  if (place === undefined) throw new Error(`no place for ${body.model}`);
  const rounds = body.tools === undefined ? 1 : 64;
  const inputMax = Math.min(told.input_tokens.highest, place.context * rounds);
  const outputMax = (body.max_tokens ?? place.max_output) * (body.n ?? 1);
  const hasSound = JSON.stringify(body.messages).includes(SOUND.type);
  const prompt = Math.floor(inputMax * input);
  const fromCache = Math.floor(prompt * cached);
  const heard = hasSound ? Math.floor((prompt - fromCache) * sound) : 0;
  const completion = Math.floor(outputMax * output);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: fromCache, audio_tokens: heard },
    completion_tokens_details: { reasoning_tokens: Math.floor(completion * reasoned) },
  };
}

describe('the highest cost (promise of the estimate)', () => {
  it('is never below what any use within the limits costs, and is where a ceiling lets through', async () => {
    await fc.assert(
      fc.asyncProperty(requests, shares, async (body, drawnShares) => {
        const told = await estimate(body);
        for (const one of [told, ...told.candidates]) {
          expect(nano(one.lowest)).toBeLessThanOrEqual(nano(one.likely));
          expect(nano(one.likely)).toBeLessThanOrEqual(nano(told.highest));
        }
        const usage = usageOf(told, drawnShares, body);
        for (const host of ['/a', '/b']) {
          house.fake.on(host, (request) => goodReply(modeOf(request.body), { usage }));
        }
        const run = (usd: string) => house.post(CHAT, body, { 'x-omnix-max-cost': usd });
        const answer = await run(told.highest);
        const text = await answer.text();
        expect(answer.status, text).toBe(200);
        const receipt = await house.receipt(answer.headers.get('x-generation-id'));
        expect(numberOf(receipt['total_cost'])).toBeLessThanOrEqual(
          Number(told.candidates[0]?.highest),
        );
        const all = told.candidates.map(({ highest }) => nano(highest));
        const least = all.reduce((a, b) => (b < a ? b : a));
        if (least === 0n) return;
        const refused = await run(formatUsd(nanoUsd(least - 1n)));
        expect(refused.status).toBe(402);
        const fits = await run(formatUsd(least));
        const fitsText = await fits.text();
        expect(fits.status, fitsText).toBe(200);
      }),
      { numRuns: 120 },
    );
  }, 60_000);

  it('holds against a host that tells of more than the model can do', async () => {
    const usage = { prompt_tokens: 7, completion_tokens: 9_900_000, total_tokens: 9_900_007 };
    house.fake.on('/a', () => goodReply('json', { usage }));
    const body = { model: 'priced', messages, n: 2 };
    const told = await estimate(body);
    const cost = at(await (await house.chat(body)).json(), 'usage', 'cost');
    expect(numberOf(cost)).toBeLessThanOrEqual(Number(told.highest));
    expect(numberOf(cost)).toBeGreaterThan(Number(told.highest) * 0.99);
  });
});
