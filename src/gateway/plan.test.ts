/** Who may run what, in which order, and on whose money. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { at, objectOf, type JsonObject } from '#testing/recordings-json.ts';
import {
  answerWell,
  createTestGateway,
  TEST_PRICE,
  type TestGateway,
} from '#testing/test-gateway.ts';

const endpoint = (provider: string): JsonObject => ({ provider, model: 'm', price: TEST_PRICE });

let house: TestGateway;
beforeAll(async () => {
  house = await createTestGateway({
    providers: {
      high: { type: 'openai-compatible', base_url: '/high', api_key: 'k', priority: 10 },
      low: { type: 'openai-compatible', base_url: '/low', api_key: 'k', priority: -10 },
    },
    models: {
      ordered: { endpoints: [endpoint('low'), endpoint('a'), endpoint('high')] },
      fast: { alias: ['at-b', 'at-a'] },
      'mixed-alias': { alias: ['sandbox/echo', 'at-a'] },
    },
  });
  house.fake.on('/high', answerWell);
  house.fake.on('/low', answerWell);
});
afterEach(async () => {
  await house.untilSettled();
  house.fake.forget();
});
afterAll(() => house.close());

const hosts = (): string[] => house.fake.received.map(({ path }) => path.split('/')[1] ?? '');

async function errorOf(body: JsonObject & { model: string }, key = house.keys.live) {
  const response = await house.chat(body, { authorization: `Bearer ${key}` });
  return { status: response.status, error: objectOf(at(await response.json(), 'error')) };
}

describe('what is tried', () => {
  it('follows the priority (contract: Config file, priority)', async () => {
    house.fake.on('/high', () => [{ do: 'reset' }]);
    house.fake.on('/a', () => [{ do: 'reset' }]);
    await (await house.chat({ model: 'ordered' })).text();
    expect(hosts()).toEqual(['high', 'a', 'low']);
    house.fake.on('/high', answerWell);
    house.fake.on('/a', answerWell);
  });

  it('follows an alias, a pin, and the other names of a model', async () => {
    await house.chat({ model: 'fast' });
    await house.chat({ model: 'low/ordered' });
    await house.chat({ model: 'low/m' });
    expect(hosts()).toEqual(['b', 'low', 'low']);
  });

  it('may be named by models alone', async () => {
    const response = await house.app.request('/v1/chat/completions', {
      method: 'POST',
      headers: { authorization: `Bearer ${house.keys.live}` },
      body: JSON.stringify({ models: ['at-b'], messages: [{ role: 'user', content: 'x' }] }),
    });
    expect(response.status).toBe(200);
    expect(hosts()).toEqual(['b']);
  });
});

describe('a name that leads nowhere', () => {
  it('is a 404 that suggests the nearest', async () => {
    const { status, error } = await errorOf({ model: 'at-aa' });
    expect({ status, code: error['code'], param: error['param'] }).toEqual({
      status: 404,
      code: 'model_not_found',
      param: 'model',
    });
    expect(error['message']).toContain("'at-a'");
  });

  it('is a 404 among the fallbacks too: a typo is not ignored', async () => {
    const { status, error } = await errorOf({ model: 'at-a', models: ['at-b', 'no-such-thing'] });
    expect(status).toBe(404);
    expect(error['message']).toContain("'no-such-thing'");
    expect(house.fake.received).toHaveLength(0);
  });

  it('is a 404 that names who could serve it where no provider is configured for it', async () => {
    const { status, error } = await errorOf({ model: 'sonar-pro' });
    expect(status).toBe(404);
    expect(error['code']).toBe('model_not_found');
    expect(error['message']).toContain('perplexity');
    expect(error['message']).toContain('GET /v1/models');
  });

  it('is named by its place in the list of fallbacks', async () => {
    const { error } = await errorOf({ model: 'at-a', models: ['at-b', 'nope'] });
    expect(error).toMatchObject({ code: 'model_not_found', param: 'models[1]' });
  });

  it('suggests to a test key only what that may use', async () => {
    const { error } = await errorOf({ model: 'sandbox/ech' }, house.keys.test);
    expect(error['message']).toContain("'sandbox/echo'");
    const other = await errorOf({ model: 'at-aa' }, house.keys.test);
    expect(other.error['message']).not.toContain("'at-a'");
  });
});

describe('the two books', () => {
  it('a test key reaches the sandbox only, and spends test credit (contract: Keys and callers, test keys)', async () => {
    for (const model of ['at-a', 'fast', 'mixed-alias', 'a/at-a']) {
      const { status, error } = await errorOf({ model }, house.keys.test);
      expect({ model, status, code: error['code'] }).toEqual({
        model,
        status: 403,
        code: 'permission_denied',
      });
    }
    const before = await house.credits();
    const response = await house.chat(
      { model: 'sandbox/echo', max_tokens: 50 },
      { authorization: `Bearer ${house.keys.test}` },
    );
    const body: unknown = await response.json();
    expect(at(body, 'choices', 0, 'message', 'content')).toBe('Say hello.');
    expect(Number(at(body, 'usage', 'cost'))).toBeGreaterThan(0);
    expect(await house.credits()).toEqual(before);
    expect(house.fake.received).toHaveLength(0);
  });

  it('a live key in the sandbox spends test credit too', async () => {
    const before = await house.credits();
    expect((await house.chat({ model: 'sandbox/echo' })).status).toBe(200);
    expect(await house.credits()).toEqual(before);
  });

  it('never meet in one chain', async () => {
    for (const [model, fallback] of [
      ['sandbox/error', 'at-a'],
      ['at-a', 'sandbox/echo'],
    ] as const) {
      const { status, error } = await errorOf({ model, models: [fallback] });
      expect({ status, param: error['param'] }).toEqual({ status: 400, param: 'models' });
    }
    expect(house.fake.received).toHaveLength(0);
  });

  it('a management key runs nothing (contract: Keys and callers, management keys)', async () => {
    const { status, error } = await errorOf({ model: 'at-a' }, house.keys.management);
    expect({ status, code: error['code'] }).toEqual({ status: 403, code: 'permission_denied' });
  });
});
