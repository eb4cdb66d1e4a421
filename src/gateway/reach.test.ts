/**
 * Keys with lists of models and providers, notes for receipts, and new secrets: made over the
 * management API and used as callers use them, the story of each over a real socket.
 */
import fc from 'fast-check';
import { OpenAI } from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  at,
  listOf,
  objectOf,
  parse,
  stringOf,
  type JsonObject,
} from '#testing/recordings-json.ts';
import {
  answerWell,
  createTestGateway,
  TEST_PRICE,
  type TestGateway,
} from '#testing/test-gateway.ts';
import { reachable, usableModels } from './reach.ts';

let house: TestGateway;
let url: string;
beforeAll(async () => {
  house = await createTestGateway({
    models: {
      fast: { alias: ['at-b', 'at-a'] },
      everywhere: {
        endpoints: ['b', 'a', 'stops'].map((provider) => ({ provider, price: TEST_PRICE })),
      },
    },
  });
  ({ url } = await house.listen());
});
afterEach(async () => {
  await house.untilSettled();
  for (const host of ['/a', '/b', '/stops']) house.fake.on(host, answerWell);
  house.fake.forget();
});
afterAll(() => house.close());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: unknown;
}

async function call(path: string, init: JsonObject & { key?: string } = {}): Promise<Answer> {
  const { key = house.keys.management, method, body, header = 'authorization' } = init;
  const name = stringOf(header);
  const response = await fetch(url + path, {
    method: method === undefined ? (body === undefined ? 'GET' : 'POST') : stringOf(method),
    headers: {
      [name]: name === 'authorization' ? `Bearer ${key}` : key,
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, json: await response.json() };
}

async function makeKey(fields: JsonObject): Promise<{ key: string; hash: string }> {
  const { status, json } = await call('/v1/keys', { body: { name: 'k', ...fields } });
  expect(status, JSON.stringify(json)).toBe(201);
  return { key: stringOf(at(json, 'key')), hash: stringOf(at(json, 'data', 'hash')) };
}

function ask(key: string, fields: JsonObject): Promise<Answer> {
  const messages = [{ role: 'user', content: 'Say hello.' }];
  return call('/v1/chat/completions', { key, body: { messages, ...fields } });
}

const errorOf = ({ json }: Answer): JsonObject => objectOf(at(json, 'error'));
const asked = (): string[] => house.fake.received.map(({ path }) => path.split('/')[1] ?? '');

async function refused(key: string, fields: JsonObject): Promise<string> {
  const answer = await ask(key, fields);
  expect(answer.status, JSON.stringify(answer.json)).toBe(403);
  expect(answer.headers.get('x-should-retry')).toBe('false');
  expect(errorOf(answer)).toMatchObject({
    code: 'permission_denied',
    metadata: { limit_source: 'key' },
  });
  expect(house.fake.received).toEqual([]);
  return stringOf(errorOf(answer)['message']);
}

async function modelsFor(key: string, query = ''): Promise<readonly JsonObject[]> {
  const { json } = await call(`/v1/models${query}`, { key });
  return listOf(at(json, 'data')).map(objectOf);
}

const idsFor = async (key: string): Promise<unknown[]> =>
  (await modelsFor(key)).map(({ id }) => id);

describe('a key with a list of models', () => {
  it('runs those, and is told of its list and the remedy for any other, promise 30 (contract: Keys and callers, models and providers)', async () => {
    const { key } = await makeKey({ models: ['at-a'] });
    expect((await ask(key, { model: 'at-a' })).status).toBe(200);
    expect((await ask(key, { model: 'a/at-a' })).status).toBe(200);
    house.fake.forget();
    const message = await refused(key, { model: 'at-b' });
    expect(message).toContain("only the models in its list, 'at-a', and not 'at-b'");
    expect(message).toContain('PATCH /v1/keys/{hash}');
    for (const header of ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key']) {
      const body = { model: 'at-b', messages: [{ role: 'user', content: 'x' }] };
      const answer = await call('/v1/chat/completions', { key, header, body });
      expect({ header, status: answer.status }).toEqual({ header, status: 403 });
    }
    await refused(key, { model: 'b/at-b' });
    await refused(key, { model: 'fast' });
    await refused(key, { model: 'at-a', models: ['at-b'] });
    await refused(key, { model: 'at-b', stream: true });
  });

  it('may name them as requests do: by lab, by alias, pinned to a provider', async () => {
    const lab = await makeKey({ models: ['openai/gpt-4o-mini'] });
    expect((await ask(lab.key, { model: 'gpt-4o-mini' })).status).toBe(200);
    house.fake.forget();
    await refused(lab.key, { model: 'gpt-4o-mini-2024-07-18' });

    const alias = await makeKey({ models: ['fast'] });
    for (const model of ['fast', 'at-a', 'at-b']) {
      expect((await ask(alias.key, { model })).status).toBe(200);
    }
    house.fake.forget();
    await refused(alias.key, { model: 'a-then-b' });

    const pinned = await makeKey({ models: ['a/everywhere'] });
    expect((await ask(pinned.key, { model: 'everywhere' })).status).toBe(200);
    expect(asked()).toEqual(['a']);
    house.fake.forget();
    expect(await refused(pinned.key, { model: 'b/everywhere' })).toContain("would run at 'b'");

    const twice = await makeKey({ models: ['a/everywhere', 'stops/everywhere'] });
    house.fake.on('/a', () => [{ do: 'reset' }]);
    expect((await ask(twice.key, { model: 'everywhere' })).status).toBe(200);
    expect(asked()).toEqual(['a', 'stops']);
  });

  it('is suggested, and sees in GET /v1/models, nothing else', async () => {
    const { key } = await makeKey({ models: ['at-b', 'fast', 'sonar-pro'] });
    const wrong = await ask(key, { model: 'at-quik' });
    expect(wrong.status).toBe(404);
    const message = stringOf(errorOf(wrong)['message']);
    expect(message).not.toContain("'at-quick'");
    expect(stringOf(errorOf(await ask(key, { model: 'at-bb' }))['message'])).toContain("'at-b'");

    expect(new Set(await idsFor(key))).toEqual(new Set(['at-a', 'at-b', 'fast']));
    const all = await modelsFor(key, '?available=all');
    expect(all.length).toBeGreaterThan(600);
    expect(all.filter(({ available }) => available === true)).toHaveLength(3);
    expect((await call('/v1/models/at-b', { key })).status).toBe(200);
    expect((await call('/v1/models/at-quick', { key })).status).toBe(404);
    const gone = await ask(key, { model: 'sonar-pro' });
    expect({ status: gone.status, code: errorOf(gone)['code'] }).toEqual({
      status: 404,
      code: 'model_not_found',
    });
  });

  it('gets another list at once, and all models with null', async () => {
    const { key, hash } = await makeKey({ models: ['at-a'] });
    const change = (models: unknown) =>
      call(`/v1/keys/${hash}`, { method: 'PATCH', body: { models } });
    expect((await ask(key, { model: 'at-a' })).status).toBe(200);
    house.fake.forget();
    expect((await change(['at-b'])).status).toBe(200);
    await refused(key, { model: 'at-a' });
    await change(null);
    expect((await ask(key, { model: 'at-a' })).status).toBe(200);
    expect(at((await call('/v1/key', { key })).json, 'data', 'models')).toBeNull();
  });

  it('of test mode stays in the sandbox, whatever its list says', async () => {
    const { key } = await makeKey({ mode: 'test', models: ['sandbox/echo', 'at-a'] });
    expect((await ask(key, { model: 'sandbox/echo?x=1' })).status).toBe(200);
    expect(await refused(key, { model: 'at-a' })).toContain('A test-mode key reaches only');
    expect(await refused(key, { model: 'sandbox/tools' })).toContain("'sandbox/echo', 'at-a'");
    expect(await idsFor(key)).toEqual(['sandbox/echo']);
  });
});

describe('a key with a list of providers', () => {
  it('has its requests run there only, also when they fail (contract: Keys and callers, models and providers)', async () => {
    const { key } = await makeKey({ providers: ['stops', 'a'] });
    for (const host of ['/a', '/stops']) house.fake.on(host, () => [{ do: 'reset' }]);
    expect((await ask(key, { model: 'everywhere' })).status).toBe(502);
    expect(new Set(asked())).toEqual(new Set(['a', 'stops']));
    house.fake.forget();
    expect((await ask(key, { model: 'a-then-b' })).status).toBe(502);
    expect(new Set(asked())).toEqual(new Set(['a']));
  });

  it('passes over fallbacks that run elsewhere, and is refused where none is left', async () => {
    const { key } = await makeKey({ providers: ['b'] });
    expect((await ask(key, { model: 'at-a', models: ['at-b'] })).status).toBe(200);
    expect((await ask(key, { model: 'fast' })).status).toBe(200);
    expect(asked()).toEqual(['b', 'b']);
    house.fake.forget();
    const message = await refused(key, { model: 'at-a' });
    expect(message).toContain("only the providers 'b', and 'at-a' would run at 'a'");
    await refused(key, { model: 'a/everywhere' });
  });

  it('is shown only what it can use there, at the price of there', async () => {
    const { key } = await makeKey({ providers: ['stops'], models: ['everywhere', 'at-a'] });
    expect(await idsFor(key)).toEqual(['everywhere']);
    const { json } = await call('/v1/models/everywhere/endpoints', { key });
    const hosts = listOf(at(json, 'data', 'endpoints')).map((one) => at(one, 'provider_name'));
    expect(hosts).toEqual(['stops']);
    expect((await call('/v1/models/at-a', { key })).status).toBe(404);
  });

  it('names providers as the operator named them', async () => {
    const wrong = await call('/v1/keys', { body: { name: 'k', providers: ['a', 'stopps'] } });
    expect(wrong.status).toBe(400);
    expect(errorOf(wrong)).toMatchObject({ code: 'invalid_value', param: 'providers[1]' });
    expect(errorOf(wrong)['message']).toContain("nearest names are 'stops'");
  });
});

describe('lists of any kind', () => {
  it('let through exactly the endpoints that both of them name', () => {
    const { directory } = house.services;
    const names = ['at-a', 'at-b', 'fast', 'everywhere', 'a/everywhere', 'openai/gpt-4o', 'sonar'];
    const hosts = ['a', 'b', 'stops', 'quick', 'sandbox'];
    const listOfSome = (of: readonly string[]) =>
      fc.option(fc.uniqueArray(fc.constantFrom(...of), { minLength: 1 }));
    const kinds = fc.constantFrom('live' as const, 'test' as const);
    fc.assert(
      fc.property(kinds, listOfSome(names), listOfSome(hosts), (kind, models, providers) => {
        const about = { keyId: 'key_1', name: 'k', organizationId: 'org_1', limit: null };
        const caller = { ...about, kind, models, providers, metadata: null, tags: null };
        const named = models?.flatMap((name) => directory.resolve(name));
        for (const model of directory.all().filter(({ chain }) => chain === null)) {
          const wanted = model.endpoints.filter(
            (endpoint) =>
              (kind === 'live' || endpoint.book === 'test') &&
              (named?.some(({ endpoints }) => endpoints.includes(endpoint)) ?? true) &&
              (providers?.includes(endpoint.providerName) ?? true),
          );
          const seen = reachable(directory, caller, model);
          expect(seen?.endpoints ?? []).toEqual(wanted);
        }
        const usable = usableModels(directory, caller).filter(({ chain }) => chain === null);
        expect(usable.every(({ endpoints }) => endpoints.length > 0)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});

describe('notes of a key', () => {
  const notes = { metadata: { team: 'search', 'a "b"': 'c\n' }, tags: ['prod', 'eu'] };
  const shown = { key_metadata: notes.metadata, key_tags: notes.tags };

  it('stand on each receipt as they were at the time of the request', async () => {
    const { key, hash } = await makeKey(notes);
    const metadata = { mine: 'goes upstream' };
    const first = await ask(key, { model: 'at-a', store: true, metadata });
    expect(parse(house.fake.received[0]?.body.toString() ?? '')).toMatchObject({ metadata });
    await call(`/v1/keys/${hash}`, { method: 'PATCH', body: { metadata: { team: 'ads' } } });
    const second = await ask(key, { model: 'at-a' });
    house.fake.on('/a', () => [{ do: 'reset' }]);
    const failed = await ask(key, { model: 'at-a' });
    const receiptOf = ({ headers }: Answer) => house.receipt(headers.get('x-generation-id'));
    expect(await receiptOf(first)).toMatchObject({ status: 'completed', ...shown });
    const later = { key_metadata: { team: 'ads' }, key_tags: notes.tags };
    expect(await receiptOf(second)).toMatchObject(later);
    expect(await receiptOf(failed)).toMatchObject({ status: 'failed', ...later });
  });

  it('are empty where a key has none', async () => {
    const answer = await ask(house.keys.live, { model: 'at-a', stream: false });
    const receipt = await house.receipt(answer.headers.get('x-generation-id'));
    expect(receipt).toMatchObject({ key_metadata: {}, key_tags: [] });
  });
});

describe('a rotation', () => {
  it('under traffic fails no request; afterwards the old secret is a 401 that says so (contract: Keys and callers, rotation)', async () => {
    const { key: old, hash } = await makeKey({ limit: 5 });
    const client = (apiKey: string) => new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 });
    const say = (apiKey: string) =>
      client(apiKey).chat.completions.create({
        model: 'at-a',
        messages: [{ role: 'user', content: 'x' }],
      });
    const rotate = (seconds: number) =>
      call(`/v1/keys/${hash}/rotate`, { body: { overlap_seconds: seconds } });
    const before = Array.from({ length: 10 }, () => say(old));
    const rotated = await rotate(60);
    const fresh = stringOf(at(rotated.json, 'key'));
    const after = Array.from({ length: 20 }, (_, index) => say(index % 2 === 0 ? old : fresh));
    const answers = await Promise.all([...before, ...after]);
    await house.untilSettled();
    const usage = answers.reduce((sum, answer) => sum + Number(at(answer.usage, 'cost')), 0);
    const shown = objectOf(at((await call('/v1/key', { key: fresh })).json, 'data'));
    expect(shown).toMatchObject({ hash, limit: 5 });
    expect(Number(shown['usage'])).toBeCloseTo(usage, 9);

    await rotate(0);
    for (const secret of [old, fresh]) {
      const error: unknown = await say(secret).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
      expect(String(error)).toContain('This API key was rotated');
    }
  });
});

describe('an expired key', () => {
  it('is a 401 on every route that names the time and the remedy (contract: Keys and callers, expires_at)', async () => {
    const { key, hash } = await makeKey({ expires_at: '2999-12-31T23:59:59Z' });
    expect((await call('/v1/key', { key })).status).toBe(200);
    const expiresAtMs = Date.UTC(2026, 0, 2);
    await house.identity.updateKey(house.organizationId, hash, { expiresAtMs });
    for (const path of ['/v1/key', '/v1/models', '/v1/credits']) {
      const answer = await call(path, { key });
      const message = stringOf(errorOf(answer)['message']);
      expect({ status: answer.status, code: errorOf(answer)['code'] }).toEqual({
        status: 401,
        code: 'invalid_api_key',
      });
      expect(message).toContain('expired at 2026-01-02T00:00:00.000Z');
      expect(message).toContain("'expires_at' with PATCH /v1/keys/{hash}");
    }
    expect((await ask(key, { model: 'at-a' })).status).toBe(401);
    expect(house.fake.received).toEqual([]);
  });
});
