/**
 * The document is true: it has every route and no other, its examples fit its schemas and are taken
 * by the gateway, and what the gateway answers is what the document says.
 */
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ERROR_TABLE } from '#wire/errors.ts';
import { createOpenApiChecker, type OpenApiChecker } from '#testing/openapi-checker.ts';
import { at, objectOf, stringOf, type JsonObject } from '#testing/recordings-json.ts';
import { createTestGateway, type TestGateway } from '#testing/test-gateway.ts';
import { REFERENCE_SCRIPT_PATH } from '../docs/reference-page.ts';

let house: TestGateway;
let document: JsonObject;
let checker: OpenApiChecker;
beforeAll(async () => {
  house = await createTestGateway({ limits: { bodyBytesMax: 4_096 } });
  document = objectOf(await (await house.app.request('/openapi.json')).json());
  checker = createOpenApiChecker(document);
});
afterEach(() => house.untilSettled());
afterAll(() => house.close());

interface Ask {
  readonly method?: string;
  readonly key?: string | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A body that is text is sent as it is. */
function ask(path: string, { method, key, body, headers }: Ask = {}): Response | Promise<Response> {
  return house.app.request(path, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key ?? house.keys.test}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

/** Every object in the document. */
function* objectsIn(value: unknown): Generator<JsonObject> {
  if (Array.isArray(value)) for (const item of value) yield* objectsIn(item);
  else if (typeof value === 'object' && value !== null) {
    yield objectOf(value);
    for (const member of Object.values(value)) yield* objectsIn(member);
  }
}

function resolve(reference: string): unknown {
  return at(document, ...reference.replace(/^#\//, '').split('/'));
}

/** Schemas with examples beside them: those of bodies. */
function contents(): readonly JsonObject[] {
  return [...objectsIn(document['paths'])].filter((part) => 'schema' in part && 'examples' in part);
}

function examplesOf(content: JsonObject): readonly unknown[] {
  return Object.values(objectOf(content['examples'])).map((example) => {
    const reference = at(example, '$ref');
    return at(typeof reference === 'string' ? resolve(reference) : example, 'value');
  });
}

describe('the document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const result = await validator.validate(structuredClone(document));
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
    expect(validator.version).toBe('3.1');
  });

  it('refers only to what is in it', () => {
    const references = [...objectsIn(document)].flatMap((part) =>
      typeof part['$ref'] === 'string' ? [part['$ref']] : [],
    );
    expect(references.length).toBeGreaterThan(100);
    expect(references.filter((reference) => resolve(reference) === undefined)).toEqual([]);
  });

  it('names each operation once, with a tag, a summary and who may call it', () => {
    const ids = checker.operations.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, json } of checker.operations) {
      expect(id).toMatch(/^[a-z][A-Za-z]+$/);
      expect(json).toMatchObject({ summary: expect.any(String), security: expect.any(Array) });
      expect(json['tags']).toHaveLength(1);
    }
  });

  it('has the schemas of bodies by name', () => {
    const schemas = checker.operations.flatMap(({ json }) => {
      const answers = Object.entries(objectOf(json['responses']));
      const good = answers.filter(([status]) => status.startsWith('2')).map(([, answer]) => answer);
      return [json['requestBody'], ...good].map((body) =>
        at(body, 'content', 'application/json', 'schema'),
      );
    });
    const named = schemas.filter((schema) => typeof at(schema, '$ref') === 'string');
    const others = schemas.filter((schema) => schema !== undefined && !named.includes(schema));
    expect(named.length).toBeGreaterThan(20);
    expect(others, 'the document itself').toEqual([{ type: 'object' }]);
  });

  it('tells of every error code that a route can answer today', () => {
    const told = new Set(
      [...objectsIn(document['paths'])].flatMap((part) => Object.keys(objectOf(part['examples']))),
    );
    const untold = Object.keys(ERROR_TABLE).filter((code) => !told.has(code));
    // Of no operation, or of features whose step has not come.
    expect(untold).toEqual(['budget_exceeded', 'unknown_url', 'method_not_allowed']);
  });
});

describe('the routes', () => {
  const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
  const sign = ({ method, path }: { readonly method: string; readonly path: string }) =>
    `${method} ${path.replaceAll(/:(\w+)(?:\{[^}]*\})?/g, '{$1}')}`;

  it('that are mounted are all in the document', () => {
    const documented = new Set(checker.operations.map(sign));
    const mounted = house.app.routes.filter(({ method }) => METHODS.includes(method)).map(sign);
    expect(mounted.length).toBeGreaterThan(15);
    const missing = mounted.filter((route) => !documented.has(route));
    expect(missing.filter((route) => route !== `GET ${REFERENCE_SCRIPT_PATH}`)).toEqual([]);
  });

  it('that are in the document are all mounted', () => {
    for (const { method, path } of checker.operations) {
      const concrete = path.replaceAll(/\{\w+\}/g, 'x');
      const [handlers] = house.app.router.match(method, concrete);
      const taken = handlers.some(([[, route]]) => route.method === method);
      expect(taken, `${method} ${path}`).toBe(true);
    }
  });
});

describe('the examples', () => {
  it('are there for every body', () => {
    const bare = [...objectsIn(document['paths'])].filter(
      (part) => 'schema' in part && !('in' in part) && !('examples' in part),
    );
    expect(bare).toEqual([]);
  });

  it('fit their schemas', () => {
    const examples = contents().flatMap((content) =>
      examplesOf(content).map((value) => ({ schema: content['schema'], value })),
    );
    expect(examples.length).toBeGreaterThan(150);
    for (const { schema, value } of examples) {
      expect(checker.faultsOf(schema, value), JSON.stringify(value)).toEqual([]);
    }
  });

  it('of requests are answered, and as the document says', async () => {
    const { management } = house.keys;
    let asked = 0;
    for (const { id, method, path, json } of checker.operations) {
      const content = at(json, 'requestBody', 'content', 'application/json');
      if (content === undefined) continue;
      for (const body of examplesOf(objectOf(content))) {
        const made = await ask('/v1/keys', { key: management, body: { name: 'x', limit: 1 } });
        const hash = stringOf(at(await made.json(), 'data', 'hash'));
        const owned = JSON.stringify(json['security']).includes('ManagementKey');
        const call = { method, body, key: owned ? management : house.keys.test };
        const response = await ask(path.replace('{hash}', hash), call);
        expect(response.ok, `${id} ${response.status} ${JSON.stringify(body)}`).toBe(true);
        expect(await checker.check(id, response), id).toEqual([]);
        asked += 1;
      }
    }
    expect(asked).toBeGreaterThanOrEqual(10);
  });
});

type Case = readonly [operationId: string, status: number, path: string, ask?: Ask];

/** Every difference between answers and the document; nothing where there is none. */
async function differencesOf(cases: readonly Case[]): Promise<readonly string[]> {
  const all: string[] = [];
  for (const [id, status, path, call] of cases) {
    const response = await ask(path, call);
    const other = response.status === status ? [] : [`${response.status} in place of ${status}`];
    const name = `${id} ${path} ${JSON.stringify(call ?? {}).slice(0, 200)}`;
    const found = [...other, ...(await checker.check(id, response))];
    all.push(...found.map((fault) => `${name}: ${fault}`));
  }
  return all;
}

describe('real answers are what the document says', () => {
  const CHAT = '/v1/chat/completions';
  const messages = [{ role: 'user', content: 'Say hello.' }];

  it('of chat completions', async () => {
    const poor = await house.createKey({ limitUsd: '0.000001' });
    const { live, management } = house.keys;
    const chat = (more: object, call: Ask = {}): [string, Ask] => [
      CHAT,
      { body: { model: 'sandbox/echo', messages, ...more }, ...call },
    ];
    const refused = (body: string, headers = {}): [string, Ask] => [CHAT, { body, headers }];
    const id = 'createChatCompletion';
    const differences = await differencesOf([
      [id, 200, ...chat({ n: 2, logprobs: true })],
      [id, 200, ...chat({ stream: true, n: 2 })],
      [id, 200, ...chat({ model: 'at-a' }, { key: live })],
      [id, 200, ...chat({ model: 'at-a', stream: true }, { key: live })],
      [
        id,
        200,
        ...chat({
          model: 'sandbox/tools',
          stream: true,
          tools: [{ type: 'function', function: { name: 'f' } }],
        }),
      ],
      [id, 400, ...refused('')],
      [id, 400, ...refused('[]')],
      [id, 400, ...refused('{"model":"a","model":"b"}')],
      [id, 400, ...refused(`{"a":${'['.repeat(300)}`)],
      [id, 400, ...refused('{"model":"sandbox/echo"}')],
      [id, 400, ...chat({ messages: 'x' })],
      [id, 400, ...chat({ temperature: 9 })],
      [id, 400, ...chat({ preset: 'x' })],
      [id, 401, ...chat({}, { key: 'sk-omx-live-nonsense' })],
      [id, 401, ...chat({}, { key: null })],
      [id, 402, ...chat({ model: 'at-a' }, { key: poor })],
      [id, 403, ...chat({}, { key: management })],
      [id, 403, ...chat({ model: 'at-a' })],
      [id, 404, ...chat({ model: 'sandbox/eco' })],
      [id, 413, ...chat({ messages: [{ role: 'user', content: 'x'.repeat(5_000) }] })],
      [id, 415, ...refused('x', { 'content-encoding': 'gzip' })],
    ]);
    expect(differences).toEqual([]);
  });

  it('of requests with an Idempotency-Key', async () => {
    const body = { model: 'sandbox/echo', messages };
    const headers = { 'idempotency-key': 'documented' };
    const id = 'createChatCompletion';
    const differences = await differencesOf([
      [id, 200, CHAT, { body, headers }],
      [id, 200, CHAT, { body, headers }],
      [id, 409, CHAT, { body: { ...body, n: 2 }, headers }],
      [id, 400, CHAT, { body, headers: { 'idempotency-key': 'x'.repeat(256) } }],
    ]);
    expect(differences).toEqual([]);
    const name = at(document, 'paths', CHAT, 'post', 'parameters', 0, 'name');
    expect(name).toBe('Idempotency-Key');
    expect(at(document, 'paths', '/v1/estimate', 'post', 'responses', '409')).toBeDefined();
  });

  it.each([400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 502, 503, 529])(
    'of chat completions that the provider answers with %i',
    async (status) => {
      const model = `sandbox/error?status=${status}`;
      const response = await ask(CHAT, { body: { model, messages } });
      expect(response.ok).toBe(false);
      expect(await checker.check('createChatCompletion', response)).toEqual([]);
    },
  );

  it('of models', async () => {
    const { live, management } = house.keys;
    const names = Object.keys(objectOf(at(document, 'paths', '/v1/models', 'get')));
    expect(names).toContain('parameters');
    const differences = await differencesOf([
      ['listModels', 200, '/v1/models'],
      ['listModels', 200, '/v1/models?available=all', { key: management }],
      [
        'listModels',
        200,
        '/v1/models?provider=a&capability=tools&supported_parameters=tools&input_modalities=text' +
          '&output_modalities=text&max_price=1.5&context=1000&q=llama',
        { key: live },
      ],
      ['listModels', 400, '/v1/models?available=some'],
      ['listModels', 400, '/v1/models?sort=price'],
      ['listModels', 401, '/v1/models', { key: null }],
      ['getModel', 200, '/v1/models/at-a', { key: live }],
      ['getModel', 200, '/v1/models/sandbox/echo'],
      ['getModel', 404, '/v1/models/none'],
      ['listModelEndpoints', 200, '/v1/models/sandbox%2Fecho/endpoints'],
      ['listModelEndpoints', 404, '/v1/models/none/endpoints'],
    ]);
    expect(differences).toEqual([]);
  });

  it('of estimates', async () => {
    const path = '/v1/estimate';
    const body = { model: 'sandbox/echo', messages };
    const { live, management } = house.keys;
    const differences = await differencesOf([
      ['createEstimate', 200, path, { body }],
      ['createEstimate', 200, path, { body: { model: 'a-then-b', messages }, key: live }],
      ['createEstimate', 200, `${path}?endpoint=${CHAT}`, { body }],
      ['createEstimate', 400, path, { body: { model: 'sandbox/echo' } }],
      ['createEstimate', 400, `${path}?endpoint=x`, { body }],
      ['createEstimate', 400, path, { body, headers: { 'x-omnix-max-cost': 'x' } }],
      ['createEstimate', 401, path, { body, key: null }],
      ['createEstimate', 402, path, { body, headers: { 'x-omnix-max-cost': '0' } }],
      ['createEstimate', 403, path, { body, key: management }],
      ['createEstimate', 404, path, { body: { model: 'sandbox/eco', messages } }],
      ['createChatCompletion', 402, CHAT, { body, headers: { 'x-omnix-max-cost': '0' } }],
    ]);
    expect(differences).toEqual([]);
  });

  it('of receipts', async () => {
    const served = await ask(CHAT, { body: { model: 'sandbox/echo', messages } });
    const failed = await ask(CHAT, { body: { model: 'sandbox/error?status=500', messages } });
    await served.text();
    await failed.text();
    await house.untilSettled();
    const of = (response: Response) => response.headers.get('x-generation-id') ?? '';
    await expect.poll(async () => (await ask(`/v1/generation?id=${of(failed)}`)).status).toBe(200);
    const differences = await differencesOf([
      ['getGeneration', 200, `/v1/generation?id=${of(served)}`],
      ['getGeneration', 200, `/v1/generation?id=${of(failed)}`],
      ['getGeneration', 404, '/v1/generation?id=gen_1'],
      ['getGeneration', 400, '/v1/generation'],
      ['getGeneration', 400, '/v1/generation?id=x&more=1'],
      ['getGeneration', 401, '/v1/generation?id=x', { key: null }],
    ]);
    expect(differences).toEqual([]);
  });

  it('of keys', async () => {
    const key = house.keys.management;
    const made = await ask('/v1/keys', { key, body: { name: 'x', limit: '0.5', tags: ['t'] } });
    const path = `/v1/keys/${stringOf(at(await made.json(), 'data', 'hash'))}`;
    const own = await ask('/v1/key', { key });
    const ownPath = `/v1/keys/${stringOf(at(await own.json(), 'data', 'hash'))}`;
    const differences = await differencesOf([
      ['createKey', 400, '/v1/keys', { key, body: {} }],
      ['createKey', 400, '/v1/keys', { key, body: { name: 'x', typo: 1 } }],
      ['createKey', 400, '/v1/keys', { key, body: { name: 'x', limit: -1 } }],
      ['createKey', 403, '/v1/keys', { body: { name: 'x' } }],
      ['createKey', 415, '/v1/keys', { key, body: 'x', headers: { 'content-type': 'text/plain' } }],
      ['createKey', 413, '/v1/keys', { key, body: 'x'.repeat(70_000) }],
      ['listKeys', 200, '/v1/keys?limit=2&offset=1', { key }],
      ['listKeys', 400, '/v1/keys?limit=0', { key }],
      ['listKeys', 403, '/v1/keys'],
      ['getKey', 200, path, { key }],
      ['getKey', 404, '/v1/keys/x', { key }],
      ['updateKey', 200, path, { key, method: 'PATCH', body: { disabled: true } }],
      ['updateKey', 400, path, { key, method: 'PATCH', body: {} }],
      ['rotateKey', 201, `${path}/rotate`, { key, body: { overlap_seconds: 60 } }],
      ['rotateKey', 400, `${path}/rotate`, { key, body: { overlap_seconds: -1 } }],
      ['deleteKey', 400, ownPath, { key, method: 'DELETE' }],
      ['deleteKey', 200, path, { key, method: 'DELETE' }],
      ['deleteKey', 404, path, { key, method: 'DELETE' }],
      ['getOwnKey', 200, '/v1/key'],
      ['getOwnKey', 200, '/v1/key', { key }],
      ['getOwnKey', 401, '/v1/key', { key: null }],
    ]);
    expect(differences).toEqual([]);
  });

  it('of credit', async () => {
    const key = house.keys.management;
    const differences = await differencesOf([
      ['getCredits', 200, '/v1/credits'],
      ['getCredits', 401, '/v1/credits', { key: 'x' }],
      [
        'createCreditGrant',
        201,
        '/v1/credits/grants',
        { key, body: { amount_usd: 1, reason: 'x' } },
      ],
      [
        'createCreditGrant',
        400,
        '/v1/credits/grants',
        { key, body: { amount_usd: 0, reason: 'x' } },
      ],
      ['createCreditGrant', 403, '/v1/credits/grants', { body: { amount_usd: 1, reason: 'x' } }],
    ]);
    expect(differences).toEqual([]);
  });

  it('without a key', async () => {
    const key = null;
    const etag = (await ask('/openapi.json', { key })).headers.get('etag') ?? '';
    const differences = await differencesOf([
      ['getService', 200, '/', { key }],
      ['getHealth', 200, '/health', { key }],
      ['getReadiness', 200, '/ready', { key }],
      ['getOpenApiDocument', 200, '/openapi.json', { key }],
      ['getOpenApiDocument', 304, '/openapi.json', { key, headers: { 'if-none-match': etag } }],
      ['showReference', 200, '/docs', { key }],
      ['showErrors', 200, '/docs/errors', { key }],
    ]);
    expect(differences).toEqual([]);
  });

  it('while the process drains, and while the database is away', async () => {
    const { management } = house.keys;
    house.lifecycle.become({ kind: 'draining' });
    const draining = await differencesOf([
      ['createChatCompletion', 503, CHAT, { body: { model: 'sandbox/echo', messages } }],
      ['getReadiness', 503, '/ready', { key: null }],
    ]);
    expect(draining).toEqual([]);
    house.lifecycle.become({ kind: 'ready' });
    house.database.mode = 'gone';
    house.lifecycle.lacks('the database cannot be reached');
    const differences = await differencesOf([
      ['getReadiness', 503, '/ready', { key: null }],
      ['getHealth', 200, '/health', { key: null }],
      // A key that is known, and credit that is leased.
      ['createChatCompletion', 200, CHAT, { body: { model: 'sandbox/echo', messages } }],
      ['listKeys', 503, '/v1/keys', { key: management }],
      ['getCredits', 503, '/v1/credits', { key: management }],
      ['createKey', 503, '/v1/keys', { key: management, body: { name: 'x' } }],
    ]);
    expect(differences).toEqual([]);
    house.database.mode = 'works';
    house.lifecycle.lacks(null);
  });
});

describe('GET /openapi.json', () => {
  it('is the same bytes every time, and known by its tag', async () => {
    const first = await ask('/openapi.json', { key: null });
    const second = await ask('/openapi.json', { key: null });
    expect(await first.text()).toBe(await second.text());
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[0-9a-f]{64}"$/);
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const response = await ask('/openapi.json', { headers: { 'if-none-match': known } });
      expect(response.status, known).toBe(304);
      expect(await response.text()).toBe('');
    }
    expect((await ask('/openapi.json', { headers: { 'if-none-match': '"x"' } })).status).toBe(200);
  });
});
