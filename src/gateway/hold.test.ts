/** Credit before anything is sent: what is held, what is set upstream, and what a 402 says. */
import { afterEach, describe, expect, it } from 'vitest';
import { errorBody, jsonReply } from '#testing/fake-upstream-replies.ts';
import { at, objectOf, type JsonObject } from '#testing/recordings-json.ts';
import {
  createTestGateway,
  type ChatBody,
  type TestGateway,
  type TestGatewayOptions,
} from '#testing/test-gateway.ts';

const houses: TestGateway[] = [];
afterEach(async () => {
  for (const house of houses.splice(0)) await house.close();
});

async function open(options: TestGatewayOptions): Promise<TestGateway> {
  const house = await createTestGateway(options);
  houses.push(house);
  return house;
}

/** What reached the host, parsed. */
function sentTo(house: TestGateway, host: string): JsonObject {
  return objectOf(JSON.parse(house.fake.at(host)[0]?.body.toString() ?? 'null'));
}

async function errorOf(house: TestGateway, body: ChatBody, key?: string) {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const response = await house.chat(body, headers);
  const error = objectOf(at(await response.json(), 'error'));
  return { status: response.status, headers: response.headers, error };
}

const price = { input: '1', output: '100' };
const endpoint = (provider: string, more: JsonObject = {}): JsonObject => ({
  provider,
  model: 'm',
  price,
  context: 200_000,
  max_output: 100_000,
  ...more,
});

describe('without a limit in the request', () => {
  const models = { big: { endpoints: [endpoint('a')] } };

  it('the body goes unchanged while the account could pay the true maximum', async () => {
    // 100,000 tokens at $100 a million are $10.
    const house = await open({ models, creditUsd: '10.01' });
    const response = await house.chat({ model: 'big' });
    expect(sentTo(house, '/a')).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'Say hello.' }],
    });
    expect(await response.json()).not.toHaveProperty('warnings');
  });

  it('the assumed limit is set upstream, with a warning, where it could not', async () => {
    const house = await open({ models, creditUsd: '9.99' });
    const response = await house.chat({ model: 'big' });
    expect(sentTo(house, '/a')['max_tokens']).toBe(32_768);
    const body: unknown = await response.json();
    expect(at(body, 'warnings', 0)).toMatchObject({ code: 'clamped' });
    const receipt = await house.receipt(response.headers.get('x-generation-id'));
    expect(at(receipt, 'warnings', 0, 'code')).toBe('clamped');
  });

  it('the affordable limit is set upstream where the account is poor, and never overdraws it', async () => {
    const house = await open({ models, creditUsd: '0.1' });
    const usage = { prompt_tokens: 10, completion_tokens: 990, total_tokens: 1_000 };
    house.fake.on('/a', () =>
      jsonReply(
        200,
        JSON.stringify({
          choices: [{ finish_reason: 'length', message: { content: 'x' } }],
          usage,
        }),
      ),
    );
    const response = await house.chat({ model: 'big' });
    expect(response.status).toBe(200);
    const limit = Number(sentTo(house, '/a')['max_tokens']);
    expect(limit).toBeGreaterThan(900);
    expect(limit).toBeLessThan(1_000);
    expect(at(await response.json(), 'warnings', 0, 'message')).toContain(`${limit} tokens`);
  });

  it('the limit is set under the name that the host knows, in streams too', async () => {
    const house = await open({
      models: { big: { endpoints: [endpoint('stops')] } },
      creditUsd: '1',
    });
    const text = await (await house.chat({ model: 'big', stream: true })).text();
    expect(sentTo(house, '/stops')).toHaveProperty('max_completion_tokens');
    expect(sentTo(house, '/stops')).not.toHaveProperty('max_tokens');
    expect(text).toContain('"warnings":[{"code":"clamped"');
  });

  it('an answer too short to be worth having is refused instead', async () => {
    const house = await open({ models, creditUsd: '0.02' });
    const { status, error } = await errorOf(house, { model: 'big' });
    expect(status).toBe(402);
    expect(error['code']).toBe('insufficient_credits');
    expect(house.fake.received).toHaveLength(0);
  });

  it('a dearer fallback that the hold pays next to nothing of is left out', async () => {
    const dear = endpoint('b', { price: { input: '1000', output: '9000' } });
    const house = await open({
      models: { chain: { endpoints: [endpoint('a'), dear] } },
      creditUsd: '0.1',
    });
    house.fake.on('/a', () => jsonReply(500, errorBody('down', null)));
    const { status } = await errorOf(house, { model: 'chain' });
    expect(status).toBe(502);
    expect(house.fake.at('/b')).toHaveLength(0);
  });
});

describe('with a limit in the request', () => {
  const models = { big: { endpoints: [endpoint('a')] } };

  it('the highest cost is held, and the body goes unchanged', async () => {
    const house = await open({ models, creditUsd: '0.11' });
    const response = await house.chat({ model: 'big', max_tokens: 1_000 });
    expect(response.status).toBe(200);
    expect(sentTo(house, '/a')).toMatchObject({ max_tokens: 1_000 });
  });

  it('every choice counts', async () => {
    const house = await open({ models, creditUsd: '0.11' });
    const { status } = await errorOf(house, { model: 'big', max_tokens: 1_000, n: 2 });
    expect(status).toBe(402);
  });

  it('the larger of two limits counts', async () => {
    const house = await open({ models, creditUsd: '0.11' });
    const body = { model: 'big', max_tokens: 10, max_completion_tokens: 2_000 };
    expect((await errorOf(house, body)).status).toBe(402);
  });

  it('a 402 says what is needed and what is left, and asks for no retry', async () => {
    const house = await open({ models, creditUsd: '0.05' });
    const { status, error, headers } = await errorOf(house, { model: 'big', max_tokens: 1_000 });
    expect(status).toBe(402);
    expect(error['message']).toMatch(/could cost \$0\.100\d+; \$0\.05 is left/);
    expect(error['message']).toContain('/v1/credits/grants');
    expect(error).toMatchObject({ code: 'insufficient_credits', type: 'insufficient_quota' });
    expect(at(error, 'metadata', 'limit_source')).toBe('account');
    expect(headers.get('x-should-retry')).toBe('false');
  });

  it('a 402 tells what requests that run still hold (experience 14)', async () => {
    const house = await open({ models, creditUsd: '0.15' });
    const gate = Promise.withResolvers<void>();
    house.fake.on('/a', () => [{ do: 'until', gate: gate.promise }, ...jsonReply(500, '{}')]);
    const first = house.chat({ model: 'big', max_tokens: 1_000 });
    await house.fake.until('the first', () => house.fake.at('/a').length === 1);
    const { error } = await errorOf(house, { model: 'big', max_tokens: 1_000 });
    expect(error['message']).toMatch(/\$0\.1\d* more is held by requests that still run/);
    gate.resolve();
    await first;
  });

  it('an account without any credit is told so', async () => {
    const house = await open({ models, creditUsd: '0' });
    const { status, error } = await errorOf(house, { model: 'big', max_tokens: 10 });
    expect(status).toBe(402);
    expect(error['message']).toContain('$0 is left');
  });
});

describe('the prompt', () => {
  const models = { long: { endpoints: [endpoint('a', { price: { input: '100', output: '1' } })] } };
  const words = (count: number): JsonObject => ({
    model: 'long',
    max_tokens: 10,
    messages: [{ role: 'user', content: 'international '.repeat(count) }],
  });

  it('is counted where its bytes would refuse', async () => {
    // 14,000 bytes could be $1.40; the thousand words are $0.10, with a reserve $0.13.
    const house = await open({ models, creditUsd: '0.16' });
    expect((await house.chat({ model: 'long', ...words(1_000) })).status).toBe(200);
    expect((await errorOf(house, { model: 'long', ...words(2_000) })).status).toBe(402);
  });

  it('counts its tools by name and description', async () => {
    const house = await open({ models, creditUsd: '0.4' });
    const properties = Object.fromEntries(
      Array.from({ length: 800 }, (_, n) => [`property_number_${n}`, { type: 'string' }]),
    );
    const parameters = { type: 'object', properties };
    const tools = [{ type: 'function', function: { name: 'f', parameters } }];
    const { status } = await errorOf(house, { model: 'long', max_tokens: 10, tools });
    expect(status).toBe(402);
  });

  it.each([
    ['an image', { type: 'image_url', image_url: { url: 'https://x.test/a.png' } }],
    ['a file', { type: 'file', file: { file_id: 'file-1' } }],
  ])('with %s holds its maximum, which counting does not lower', async (_kind, part) => {
    const house = await open({ models, creditUsd: '4' });
    const messages = [{ role: 'user', content: [{ type: 'text', text: 'see' }, part] }];
    const { status } = await errorOf(house, { model: 'long', max_tokens: 10, messages });
    expect(status).toBe(402);
    await house.grant('20');
    expect((await house.chat({ model: 'long', max_tokens: 10, messages })).status).toBe(200);
  });
});

describe('a key with a limit', () => {
  it('is held to it, and the 402 names it', async () => {
    const house = await open({ models: { big: { endpoints: [endpoint('a')] } } });
    const key = await house.createKey({ limitUsd: '0.15' });
    const headers = { authorization: `Bearer ${key}` };
    const body: ChatBody = { model: 'big', max_tokens: 1_000 };
    expect((await house.chat(body, headers)).status).toBe(200);
    const { status, error } = await errorOf(house, { ...body, max_tokens: 2_000 }, key);
    expect(status).toBe(402);
    expect(error).toMatchObject({ code: 'key_limit_exceeded' });
    expect(error['message']).toContain('limit of $0.15 of this API key');
    expect(at(error, 'metadata', 'limit_source')).toBe('key');
    expect((await house.chat({ ...body, max_tokens: 2_000 })).status).toBe(200);
  });

  it('gets the affordable limit too', async () => {
    const house = await open({ models: { big: { endpoints: [endpoint('a')] } } });
    const key = await house.createKey({ limitUsd: '0.1' });
    const response = await house.chat({ model: 'big' }, { authorization: `Bearer ${key}` });
    expect(response.status).toBe(200);
    expect(Number(sentTo(house, '/a')['max_tokens'])).toBeLessThan(1_000);
  });
});

describe('when the books cannot be asked', () => {
  it('nothing runs: a 503 and never a 401 or 402 (promise 23)', async () => {
    const house = await open({});
    expect((await house.get('/v1/models')).status).toBe(200);
    house.database.mode = 'gone';
    const { status, error } = await errorOf(house, { model: 'at-a', max_tokens: 10 });
    house.database.mode = 'works';
    expect({ status, code: error['code'] }).toEqual({ status: 503, code: 'service_unavailable' });
    expect(house.fake.received).toHaveLength(0);
    expect((await house.chat({ model: 'at-a', max_tokens: 10 })).status).toBe(200);
  });
});

describe('many requests at once (promise 1)', () => {
  it('never spend more than there is', async () => {
    // Each may cost and does cost $0.1: ten fit into a dollar.
    const house = await open({
      models: { big: { endpoints: [endpoint('a', { price: { input: '0', output: '100' } })] } },
      creditUsd: '1',
    });
    const usage = { prompt_tokens: 1, completion_tokens: 1_000, total_tokens: 1_001 };
    const message = { role: 'assistant', content: 'x' };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    house.fake.on('/a', () => jsonReply(200, JSON.stringify({ choices, usage })));
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => house.chat({ model: 'big', max_tokens: 1_000 })),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
    expect(statuses.filter((status) => status === 402)).toHaveLength(50);
    await house.untilSettled();
    expect(await house.credits()).toMatchObject({ total_usage: 1, available: 0, held: 0 });
  });
});
