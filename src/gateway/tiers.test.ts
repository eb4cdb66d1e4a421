/**
 * Service tiers through the whole gateway: held for as asked, billed as answered, told on the
 * receipt, and not sent where nobody knows the price.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { chunkEvent, DONE, jsonReply, SSE_HEADERS } from '#testing/fake-upstream-replies.ts';
import type { Reply } from '#testing/fake-upstream.ts';
import {
  at,
  listOf,
  numberOf,
  parse,
  stringOf,
  type JsonObject,
} from '#testing/recordings-json.ts';
import { createTestGateway, type TestGateway } from '#testing/test-gateway.ts';

const PATH = '/stops';
const CHAT = '/v1/chat/completions';
const messages = [{ role: 'user', content: 'hi' }];
const USAGE = { prompt_tokens: 100_000, completion_tokens: 10_000, total_tokens: 110_000 };

let house: TestGateway;
beforeAll(async () => {
  house = await createTestGateway({
    providers: { google: { type: 'gemini', base_url: '/google', api_key: 'sk-canary-upstream-g' } },
  });
});
afterEach(async () => {
  await house.untilSettled();
  house.fake.forget();
});
afterAll(() => house.close());

function wholeAnswer(tier: string | undefined): Reply {
  const message = { role: 'assistant', content: 'x', refusal: null };
  const choices = [{ index: 0, message, finish_reason: 'stop', logprobs: null }];
  return jsonReply(
    200,
    JSON.stringify({
      id: 'c',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices,
      usage: USAGE,
      ...(tier === undefined ? {} : { service_tier: tier }),
    }),
  );
}

function events(texts: readonly string[]): Reply {
  return [
    { do: 'head', status: 200, headers: SSE_HEADERS },
    ...texts.map((bytes) => ({ do: 'write', bytes }) as const),
    { do: 'end' },
  ];
}

interface Told {
  readonly sent: JsonObject;
  readonly answer: JsonObject;
  readonly receipt: JsonObject;
  readonly cost: number;
}

async function ask(body: JsonObject & { readonly model: string }): Promise<Told> {
  const response = await house.chat({ messages, ...body });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  const last = text.split('\n\n').findLast((event) => event.includes('"usage"')) ?? '';
  const answer = objectIn(text.startsWith('{') ? text : last.slice('data: '.length));
  const receipt = await house.receipt(response.headers.get('x-generation-id'));
  const sent = objectIn(house.fake.received.at(-1)?.body.toString() ?? '');
  return { sent, answer, receipt, cost: numberOf(at(answer, 'usage', 'cost')) ?? -1 };
}

function objectIn(text: string): JsonObject {
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(text);
  return Object.fromEntries(Object.entries(value));
}

function warned(answer: JsonObject): readonly string[] {
  return listOf(answer['warnings'] ?? []).map(
    (warning) => `${stringOf(at(warning, 'code'))} ${stringOf(at(warning, 'param'))}`,
  );
}

describe('a service tier with a price', () => {
  it.each<
    [asked: string | undefined, said: string | undefined, cost: number, billed: string | null]
  >([
    [undefined, undefined, 0.4, null],
    ['default', 'default', 0.4, null],
    ['auto', 'default', 0.4, null],
    ['priority', 'priority', 0.8, 'priority'],
    ['fast', 'fast', 0.8, 'priority'],
    ['priority', 'default', 0.4, null],
    ['priority', undefined, 0.8, 'priority'],
    ['flex', 'flex', 0.2, 'flex'],
    ['flex', 'default', 0.4, null],
    [undefined, 'priority', 0.8, 'priority'],
  ])('asked for %j and told %j costs what that tier costs', async (asked, said, cost, billed) => {
    house.fake.on(PATH, () => wholeAnswer(said));
    const tier = asked === undefined ? {} : { service_tier: asked };
    const told = await ask({ model: 'gpt-5.4', ...tier });
    expect(told.sent['service_tier']).toBe(asked);
    expect(told.cost).toBe(cost);
    expect(warned(told.answer)).toEqual([]);
    expect(told.receipt).toMatchObject({ service_tier: billed, total_cost: cost });
  });

  it('is on the receipt with its own price, so that the cost can be done again by hand', async () => {
    house.fake.on(PATH, () => wholeAnswer('priority'));
    const { receipt } = await ask({ model: 'gpt-5.4', service_tier: 'priority' });
    expect(receipt['price']).toMatchObject({ list: { input: '5', output: '30' } });
    expect(at(receipt, 'arithmetic', 'lines')).toMatchObject([
      { bucket: 'input', units: 100_000, rate: '5', amount: '0.5' },
      { bucket: 'output', units: 10_000, rate: '30', amount: '0.3' },
    ]);
    house.fake.on(PATH, () => wholeAnswer('default'));
    const standard = await ask({ model: 'gpt-5.4' });
    expect(standard.receipt['price']).toMatchObject({ list: { input: '2.5', output: '15' } });
    expect(standard.receipt['price']).not.toHaveProperty('services');
  });

  it.each([
    ['in its last chunk', {}, { service_tier: 'default' }, 0.4],
    ['in its first chunk only', { service_tier: 'default' }, {}, 0.4],
    ['nowhere', {}, {}, 0.8],
  ])('may be told by a stream %s', async (_where, first, last, cost) => {
    const delta = { index: 0, delta: { role: 'assistant', content: 'x' }, finish_reason: null };
    house.fake.on(PATH, () =>
      events([
        chunkEvent([delta], first),
        chunkEvent([{ index: 0, delta: {}, finish_reason: 'stop' }], first),
        chunkEvent([], { usage: USAGE, ...last }),
        DONE,
      ]),
    );
    const told = await ask({ model: 'gpt-5.4', service_tier: 'priority', stream: true });
    expect(told.cost).toBe(cost);
    expect(told.receipt['service_tier']).toBe(cost === 0.8 ? 'priority' : null);
  });

  it.each([true, false])('is read where the answer is translated (stream: %s)', async (stream) => {
    const answer = {
      candidates: [
        { content: { role: 'model', parts: [{ text: 'ok' }] }, finishReason: 'STOP', index: 0 },
      ],
      usageMetadata: {
        promptTokenCount: 100_000,
        candidatesTokenCount: 10_000,
        totalTokenCount: 110_000,
        serviceTier: 'standard',
      },
    };
    const text = JSON.stringify(answer);
    house.fake.on('/google', () => (stream ? events([`data: ${text}\n\n`]) : jsonReply(200, text)));
    const asked = { model: 'gemini-3.1-pro-preview', service_tier: 'priority', stream };
    const downgraded = await ask(asked);
    expect(downgraded.sent['serviceTier']).toBe('priority');
    expect(downgraded.cost).toBe(0.32);
    const given = text.replace('standard', 'priority');
    house.fake.on('/google', () =>
      stream ? events([`data: ${given}\n\n`]) : jsonReply(200, given),
    );
    const served = await ask(asked);
    expect(served.cost).toBe(0.576);
    expect(served.receipt['service_tier']).toBe('priority');
  });

  it('is within the estimate and the ceiling', async () => {
    const body = { model: 'gpt-5.5', messages, max_tokens: 1_000 };
    const highest = async (more: JsonObject): Promise<number> => {
      const response = await house.post(`/v1/estimate?endpoint=${CHAT}`, { ...body, ...more });
      return Number(stringOf(at(await response.json(), 'highest')));
    };
    // As many bytes as the other word has.
    const standard = await highest({ service_tier: 'standard' });
    const priority = await highest({ service_tier: 'priority' });
    expect(priority).toBeCloseTo(2.5 * standard, 8);
    expect(await highest({ service_tier: 'flex' })).toBe(await highest({ service_tier: 'auto' }));
    const ceiling = { 'x-omnix-max-cost': String(standard) };
    const refused = await house.chat({ ...body, service_tier: 'priority' }, ceiling);
    expect(refused.status).toBe(402);
    expect(house.fake.received).toHaveLength(0);
    house.fake.on(PATH, () => wholeAnswer('default'));
    const served = await house.chat(body, ceiling);
    expect(served.status).toBe(200);
    await served.text();
  });
});

describe('a service tier without a price', () => {
  it.each(['flex', 'ultrafast', 'scale'])('%s is not sent, and a warning says so', async (tier) => {
    house.fake.on(PATH, () => wholeAnswer('default'));
    const { sent, answer, receipt, cost } = await ask({
      model: 'gpt-chat-latest',
      service_tier: tier,
    });
    expect(sent).not.toHaveProperty('service_tier');
    expect(warned(answer)).toEqual(['dropped service_tier']);
    expect(cost).toBe(0.8);
    expect(receipt['service_tier']).toBeNull();
  });

  it('is not sent in another dialect either', async () => {
    house.fake.on('/google', () => jsonReply(200, '{"candidates":[{"finishReason":"STOP"}]}'));
    const { sent, answer } = await ask({ model: 'gemini-3.8-flash', service_tier: 'priority' });
    expect(sent).not.toHaveProperty('serviceTier');
    expect(warned(answer)).toEqual(['dropped service_tier']);
  });

  it('is no place to ask where nothing may be left out (provider.require_parameters)', async () => {
    const body = { model: 'gpt-chat-latest', messages, service_tier: 'flex' };
    const response = await house.chat({ ...body, provider: { require_parameters: true } });
    expect(response.status).toBe(400);
    expect(at(await response.json(), 'error', 'param')).toBe('service_tier');
    expect(house.fake.received).toHaveLength(0);
  });
});
