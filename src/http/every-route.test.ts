/** What the contract promises of every route, walked by the routes that are mounted. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { at, objectOf, type JsonObject } from '#testing/recordings-json.ts';
import { createTestGateway, type TestGateway } from '#testing/test-gateway.ts';

let house: TestGateway;
let keyId = '';
beforeAll(async () => {
  house = await createTestGateway();
  const made = await ask('POST', '/v1/keys', { body: { name: 'turned' } });
  keyId = String(at(await made.json(), 'data', 'hash'));
});
afterEach(() => house.untilSettled());
afterAll(() => house.close());

interface Ask {
  readonly body?: JsonObject;
  /** Which headers carry the key, if any; the management key without it. */
  readonly headers?: Readonly<Record<string, string>>;
}

function ask(method: string, path: string, { body, headers }: Ask = {}) {
  const { management } = house.keys;
  return house.app.request(path, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(headers ?? { authorization: `Bearer ${management}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

interface Route {
  readonly method: string;
  readonly path: string;
}

/** Each method and path once, with ids of nothing in the place of parameters. */
function mounted(): readonly Route[] {
  const names = house.app.routes
    .filter(({ method, path }) => method !== 'ALL' && method !== 'OPTIONS' && !path.endsWith('*'))
    .map(({ method, path }) => `${method} ${path.replaceAll(/:[a-z]+(\{.*\})?/g, 'key_nothing')}`);
  return [...new Set(names)].map((name) => {
    const [method = '', path = ''] = name.split(' ');
    return { method, path };
  });
}

/** A key in each header that may carry one. */
function ways(key: string): readonly Readonly<Record<string, string>>[] {
  return [
    { authorization: `Bearer ${key}` },
    { 'x-api-key': key },
    { 'api-key': key },
    { 'x-goog-api-key': key },
  ];
}

const ECHO = { model: 'sandbox/echo', messages: [{ role: 'user', content: 'hi' }] };

/** A body that each POST takes, and another one; `live`: with an inference key. */
function bodies(): Readonly<
  Record<string, { readonly live?: true; readonly body: JsonObject; readonly other: JsonObject }>
> {
  return {
    '/v1/chat/completions': { live: true, body: ECHO, other: { ...ECHO, max_tokens: 3 } },
    '/v1/embeddings': {
      live: true,
      body: { model: 'sandbox/embedding', input: 'a' },
      other: { model: 'sandbox/embedding', input: 'b' },
    },
    '/v1/estimate': { live: true, body: ECHO, other: { ...ECHO, max_tokens: 3 } },
    '/v1/keys': { body: { name: 'a' }, other: { name: 'b' } },
    [`/v1/keys/${keyId}/rotate`]: {
      body: { overlap_seconds: 0 },
      other: { overlap_seconds: 1 },
    },
    '/v1/credits/grants': {
      body: { amount_usd: '1', reason: 'a' },
      other: { amount_usd: '2', reason: 'a' },
    },
  };
}

describe('every route', () => {
  it('answers with an id and a time, whoever asks (contract: Answers, x-request-id; openai-processing-ms)', async () => {
    const { live, test, management } = house.keys;
    const callers = [{}, ...['sk-x', live, test, management].map((key) => ways(key)[0] ?? {})];
    const without: string[] = [];
    for (const { method, path } of mounted()) {
      for (const headers of callers) {
        const answer = await ask(method, path, { headers });
        await answer.text();
        const id = answer.headers.get('x-request-id') ?? '';
        const tookMs = answer.headers.get('openai-processing-ms') ?? '';
        if (/^req_[0-9a-z]{26}$/.test(id) && /^[1-9]\d*$/.test(tookMs)) continue;
        without.push(`${method} ${path} ${answer.status}: ${id} ${tookMs}`);
      }
    }
    expect(without).toEqual([]);
  });

  it('reads a key the same from every header (contract: Keys and callers, one extractor)', async () => {
    const { live, test, management } = house.keys;
    const differing: string[] = [];
    for (const { method, path } of mounted()) {
      for (const key of ['sk-x', live, test, management]) {
        const statuses = new Set<number>();
        for (const headers of ways(key)) {
          const answer = await ask(method, path, { headers });
          await answer.text();
          statuses.add(answer.status);
        }
        if (statuses.size > 1) differing.push(`${method} ${path} ${[...statuses].join()}`);
      }
    }
    expect(differing).toEqual([]);
  });
});

describe('every POST', () => {
  it('of ours is tried below', () => {
    const paths = mounted().flatMap(({ method, path }) => (method === 'POST' ? [path] : []));
    const tried = Object.keys(bodies()).map((path) => path.replace(keyId, 'key_nothing'));
    expect(paths.toSorted()).toEqual(tried.toSorted());
  });

  it('runs once under one Idempotency-Key (contract: Answers, Idempotency-Key)', async () => {
    const faults: string[] = [];
    for (const [path, { live, body, other }] of Object.entries(bodies())) {
      const key = live === true ? house.keys.test : house.keys.management;
      const headers = { authorization: `Bearer ${key}`, 'idempotency-key': `every ${path}` };
      const first = await ask('POST', path, { body, headers });
      const text = await first.text();
      const again = await ask('POST', path, { body, headers });
      const same = (await again.text()) === text && again.headers.has('idempotent-replayed');
      const changed = await ask('POST', path, { body: other, headers });
      await changed.text();
      if (first.status >= 300) faults.push(`${path}: ${first.status} ${text}`);
      if (!same) faults.push(`${path}: not replayed`);
      if (changed.status !== 409) faults.push(`${path}: another body is ${changed.status}`);
    }
    expect(faults).toEqual([]);
  });

  it('refuses a header whose step has not come, by name (contract: Answers, x-omnix-explain)', async () => {
    const answers: string[] = [];
    for (const [path, { live, body }] of Object.entries(bodies())) {
      const key = live === true ? house.keys.test : house.keys.management;
      const headers = { authorization: `Bearer ${key}`, 'x-omnix-explain': '1' };
      const answer = await ask('POST', path, { body, headers });
      const error = objectOf(at(await answer.json(), 'error'));
      answers.push(`${answer.status} ${String(error['param'])}`);
    }
    expect(new Set(answers)).toEqual(new Set(['400 x-omnix-explain']));
  });
});
