/**
 * Embeddings through the whole gateway: the same steps, holds and receipts as a chat, and vectors
 * that are never mixed, lost or of another model.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { toVectorBase64 } from '#base/vector-base64.ts';
import { openAiEmbeddings } from '#providers/dialects/openai-embeddings/support.ts';
import { providers } from '#providers/registry.ts';
import type { ReceivedRequest, Reply } from '#testing/fake-upstream.ts';
import { errorBody, jsonReply } from '#testing/fake-upstream-replies.ts';
import {
  at,
  listOf,
  numberOf,
  objectOf,
  parse,
  type JsonObject,
} from '#testing/recordings-json.ts';
import { createTestGateway, TEST_PRICE, type TestGateway } from '#testing/test-gateway.ts';
import { embeddingsResponseSchema } from '#wire/embeddings/response.ts';

const PATH = '/v1/embeddings';
/** Exact in 32 bits, so that both encodings tell the same numbers. */
const vectorOf = (text: string): readonly number[] => [text.length, 0.5, -0.25];

let house: TestGateway;
beforeAll(async () => {
  const price = { input: '1', output: '0' };
  const endpoint = (provider: string, model = 'm'): JsonObject => {
    return { provider, model, price, context: 100, max_output: 10 };
  };
  // Ends its work when its caller leaves, and takes ten inputs at once.
  const stopping = { ...providers.openai, embeddings: openAiEmbeddings({ inputsMax: 10 }) };
  house = await createTestGateway({
    spoken: { stopping },
    providers: {
      ten: { type: 'alibaba', base_url: '/ten', api_key: 'sk-canary-upstream-ten' },
      stopping: { type: 'openai', base_url: '/stopping', api_key: 'sk-canary-upstream' },
      azure: { type: 'azure-openai', base_url: '/azure', api_key: 'sk-canary-upstream-azure' },
      fixed: { type: 'mistral', base_url: '/fixed', api_key: 'sk-canary-upstream-fixed' },
      chatty: { type: 'groq', base_url: '/chatty', api_key: 'sk-canary-upstream-chatty' },
    },
    models: {
      vectors: { endpoints: [endpoint('a')] },
      'vectors-a-b': { endpoints: [endpoint('a'), endpoint('b')] },
      'vectors-ten': { endpoints: [endpoint('ten')] },
      'vectors-ten-b': { endpoints: [endpoint('ten'), endpoint('b')] },
      'vectors-stopping': { endpoints: [endpoint('stopping')] },
      'vectors-azure': { endpoints: [endpoint('azure', 'my deployment')] },
      'vectors-fixed': { endpoints: [endpoint('fixed')] },
      'other-vectors': { endpoints: [endpoint('b')] },
      either: { alias: ['vectors', 'other-vectors'] },
      talk: { endpoints: [{ provider: 'chatty', model: 'm', price: TEST_PRICE }] },
    },
  });
});
afterEach(async () => {
  await house.untilSettled();
  for (const host of ['/a', '/b', '/ten', '/azure', '/fixed']) house.fake.on(host, embedWell);
  house.fake.forget();
});
afterAll(() => house.close());

interface Script {
  readonly usage?: unknown;
  readonly more?: JsonObject;
  readonly encoding?: 'float' | 'base64';
}

const bodyOf = (request: ReceivedRequest): JsonObject => objectOf(parse(request.body.toString()));

function inputsOf(request: ReceivedRequest): readonly unknown[] {
  const { input } = bodyOf(request);
  return Array.isArray(input) && typeof input[0] !== 'number' ? input : [input];
}

/** Ten tokens for each input; says `usage: undefined` to leave it out. */
function embed(request: ReceivedRequest, script: Script = {}): Reply {
  const inputs = inputsOf(request);
  const encoding = script.encoding ?? bodyOf(request)['encoding_format'] ?? 'float';
  const data = inputs.map((input, index) => {
    const vector = vectorOf(String(input));
    const embedding = encoding === 'base64' ? toVectorBase64(vector) : vector;
    return { object: 'embedding', index, embedding };
  });
  const tokens = inputs.length * 10;
  const usage = 'usage' in script ? script.usage : { prompt_tokens: tokens, total_tokens: tokens };
  return jsonReply(
    200,
    JSON.stringify({ object: 'list', data, model: 'm-2', usage, ...script.more }),
  );
}

const embedWell = (request: ReceivedRequest): Reply => embed(request);

beforeAll(() => {
  for (const host of ['/a', '/b', '/ten', '/azure', '/fixed']) house.fake.on(host, embedWell);
});

async function ask(body: JsonObject, headers: Readonly<Record<string, string>> = {}) {
  const response = await house.post(PATH, body, headers);
  const text = await response.text();
  return {
    response,
    text,
    body: objectOf(parse(text)),
    id: response.headers.get('x-generation-id'),
  };
}

const vectorsIn = (body: JsonObject): readonly unknown[] =>
  listOf(body['data']).map((element) => at(element, 'embedding'));

const upstreamBody = (host: string): JsonObject => {
  const [request] = house.fake.at(host);
  if (request === undefined) throw new Error(`nothing reached ${host}`);
  return bodyOf(request);
};

describe('the official client', () => {
  it('gets the vectors, which it asks for in base64 without being told', async () => {
    const answer = await house.client.embeddings.create({ model: 'vectors', input: ['a', 'bcd'] });
    expect(answer.data.map(({ embedding }) => [...embedding])).toEqual([
      vectorOf('a'),
      vectorOf('bcd'),
    ]);
    expect(answer.usage).toMatchObject({ prompt_tokens: 20, total_tokens: 20, cost: 0.00002 });
    expect(upstreamBody('/a')).toMatchObject({ model: 'm', encoding_format: 'base64' });
  });

  it('gets numbers from hosts that answer in the other form', async () => {
    house.fake.on('/a', (request) => embed(request, { encoding: 'float' }));
    const coded = await house.client.embeddings.create({ model: 'vectors', input: 'xyz' });
    expect([...(coded.data[0]?.embedding ?? [])]).toEqual(vectorOf('xyz'));
    house.fake.on('/a', (request) => embed(request, { encoding: 'base64' }));
    const plain = await ask({ model: 'vectors', input: 'xyz', encoding_format: 'float' });
    expect(vectorsIn(plain.body)).toEqual([vectorOf('xyz')]);
  });
});

describe('a host that speaks the same', () => {
  it('is asked with the bytes as they came, but for the names of ours', async () => {
    const more = { dimensions: 3, user: 'u', host_word: { deep: [1.1] } };
    const { body, text } = await ask({
      ...more,
      model: 'vectors',
      input: 'hello',
      provider: { require_parameters: true },
    });
    expect(upstreamBody('/a')).toEqual({ ...more, model: 'm', input: 'hello' });
    expect(house.fake.at('/a')[0]?.path).toBe('/a/embeddings');
    expect(embeddingsResponseSchema.parse(body)).toMatchObject({ provider: 'a', model: 'm-2' });
    expect(text).not.toContain('canary');
  });

  it.each([
    ['tokens of one text', [1, 2, 3], 1],
    ['tokens of several', [[1, 2], [3]], 2],
  ])('takes %s', async (_name, input, vectors) => {
    const { body } = await ask({ model: 'vectors', input });
    expect(listOf(body['data'])).toHaveLength(vectors);
    expect(upstreamBody('/a')['input']).toEqual(input);
  });

  it('is addressed by its deployment on Azure', async () => {
    const { response } = await ask({ model: 'vectors-azure', input: 'x' });
    expect(response.status).toBe(200);
    expect(house.fake.at('/azure')[0]?.path).toContain('/azure/embeddings');
  });

  it('is told in its own words, and what it cannot be told is said', async () => {
    const { body } = await ask({ model: 'vectors-fixed', input: 'x', dimensions: 3, user: 'u' });
    expect(upstreamBody('/fixed')).toEqual({ model: 'm', input: 'x', output_dimension: 3 });
    expect(body['warnings']).toMatchObject([{ code: 'dropped', param: 'user' }]);
  });

  it('is not asked where the caller wants nothing left out', async () => {
    const { response, body } = await ask({
      model: 'vectors-fixed',
      input: 'x',
      user: 'u',
      provider: { require_parameters: true },
    });
    expect(response.status).toBe(400);
    expect(at(body, 'error', 'param')).toBe('user');
    expect(house.fake.at('/fixed')).toHaveLength(0);
  });

  it('that takes no tokens is not sent any', async () => {
    const { response, body } = await ask({ model: 'vectors-fixed', input: [[1, 2]] });
    expect(response.status).toBe(400);
    expect(at(body, 'error')).toMatchObject({
      param: 'input',
      message: expect.stringContaining('text'),
    });
  });
});

describe('more inputs than a host takes at once', () => {
  const input = Array.from({ length: 25 }, (_, index) => 'x'.repeat(index + 1));

  it('are asked for in several calls and answered in order, with one bill', async () => {
    const { body, id } = await ask({ model: 'vectors-ten', input, dimensions: 3 });
    expect(vectorsIn(body)).toEqual(input.map(vectorOf));
    expect(listOf(body['data']).map((one) => at(one, 'index'))).toEqual(
      input.map((_, index) => index),
    );
    expect(body['usage']).toMatchObject({ prompt_tokens: 250, total_tokens: 250, cost: 0.00025 });
    const calls = house.fake.at('/ten');
    const sizes = calls.map((call) => inputsOf(call).length);
    expect(sizes.toSorted((a, b) => b - a)).toEqual([10, 10, 5]);
    for (const call of calls) expect(bodyOf(call)).toMatchObject({ model: 'm', dimensions: 3 });
    expect(await house.receipt(id)).toMatchObject({ total_cost: 0.00025, tokens_prompt: 250 });
  });

  it('come from the next host, all of them, if one call fails', async () => {
    house.fake.on('/ten', (request) =>
      inputsOf(request).length === 5
        ? jsonReply(500, errorBody('server_error', 'no'))
        : embed(request),
    );
    const { body, id } = await ask({ model: 'vectors-ten-b', input });
    expect(body['provider']).toBe('b');
    expect(vectorsIn(body)).toEqual(input.map(vectorOf));
    const receipt = await house.receipt(id);
    expect(listOf(receipt['attempts']).map((one) => at(one, 'endpoint'))).toEqual(['ten/m', 'b/m']);
    expect(receipt['total_cost']).toBe(0.00025);
  });

  it('cost nothing if no host gives them all', async () => {
    house.fake.on('/ten', (request) =>
      inputsOf(request).length === 5
        ? jsonReply(500, errorBody('server_error', 'no'))
        : embed(request),
    );
    const before = await house.credits();
    const { response } = await ask({ model: 'vectors-ten', input });
    expect(response.status).toBe(502);
    await house.untilSettled();
    expect(await house.credits()).toEqual(before);
  });

  it('leave the host alone when the client has gone', async () => {
    house.fake.on('/stopping', () => [{ do: 'hang' }]);
    const { url } = await house.listen();
    const gone = new AbortController();
    const asked = fetch(`${url}${PATH}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${house.keys.live}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'vectors-stopping', input }),
      signal: gone.signal,
    });
    await house.fake.until('three calls', () => house.fake.at('/stopping').length === 3);
    gone.abort();
    await expect(asked).rejects.toThrow(/abort/i);
    await house.fake.until('all three given up', () =>
      house.fake.at('/stopping').every(({ aborted }) => aborted !== null),
    );
  });
});

describe('an answer that is none', () => {
  it.each<[string, (request: ReceivedRequest) => Reply]>([
    ['too few vectors', (request) => embed(request, { more: { data: [] } })],
    ['no data', () => jsonReply(200, '{"object":"list"}')],
    ['HTML', () => jsonReply(200, '<html>')],
    ['an error under 200', () => jsonReply(200, errorBody('server_error', 'no'))],
    ['vectors of words', (request) => embed(request, { more: { data: [{ embedding: 'ä' }] } })],
    ['a status', () => jsonReply(503, errorBody('server_error', 'no'))],
  ])('%s: the next host gives one', async (_name, reply) => {
    house.fake.on('/a', reply);
    const { body } = await ask({ model: 'vectors-a-b', input: 'x' });
    expect(body['provider']).toBe('b');
    expect(vectorsIn(body)).toEqual([vectorOf('x')]);
  });

  it('is counted where the host does not count, and free where it says nothing was used', async () => {
    house.fake.on('/a', (request) => embed(request, { usage: undefined }));
    const counted = await ask({ model: 'vectors', input: 'two words' });
    expect(at(counted.body, 'usage', 'prompt_tokens')).toBe(2);
    house.fake.on('/a', (request) =>
      embed(request, { usage: { prompt_tokens: 0, total_tokens: 0 } }),
    );
    const free = await ask({ model: 'vectors', input: 'two words' });
    expect(at(free.body, 'usage', 'cost')).toBe(0);
  });

  it('is believed up to the context of each input, and no further', async () => {
    const lie = { prompt_tokens: 1_000_000, total_tokens: 1_000_000 };
    house.fake.on('/a', (request) => embed(request, { usage: lie }));
    const { body, id } = await ask({ model: 'vectors', input: ['x', 'y', 'z'] });
    expect(at(body, 'usage', 'prompt_tokens')).toBe(300);
    expect((await house.receipt(id))['usage_flags']).toEqual(['absurd_clamped']);
  });
});

describe('one model, always the same', () => {
  it('an alias never falls over to a model whose vectors are others', async () => {
    house.fake.on('/a', () => jsonReply(500, errorBody('server_error', 'no')));
    const { response } = await ask({ model: 'either', input: 'x' });
    expect(response.status).toBe(502);
    expect(house.fake.at('/b')).toHaveLength(0);
  });

  it('a list of models is refused, and says why', async () => {
    const { response, body } = await ask({
      model: 'vectors',
      models: ['other-vectors'],
      input: 'x',
    });
    expect(response.status).toBe(400);
    expect(at(body, 'error')).toMatchObject({ param: 'models', code: 'unsupported_parameter' });
  });

  it('a model that talks makes none, and the other way round', async () => {
    const talk = await ask({ model: 'talk', input: 'x' });
    expect(talk.response.status).toBe(404);
    expect(at(talk.body, 'error', 'message')).toContain('/v1/chat/completions');
    const response = await house.chat({ model: 'sandbox/embedding' });
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('POST /v1/embeddings');
  });
});

describe('bad requests are refused before anything is spent', () => {
  it.each([
    ['no input', {}, 'input'],
    ['an empty text', { input: '' }, 'input'],
    ['no texts', { input: [] }, 'input'],
    ['an empty text among others', { input: ['a', ''] }, 'input[1]'],
    ['text among tokens', { input: [1, 'a'] }, 'input[1]'],
    ['a token that is none', { input: [1, 2.5] }, 'input[1]'],
    ['too many', { input: Array.from({ length: 2_049 }, () => 'a') }, 'input'],
    ['a number', { input: 7 }, 'input'],
    ['dimensions of nothing', { input: 'a', dimensions: 0 }, 'dimensions'],
    ['another encoding', { input: 'a', encoding_format: 'hex' }, 'encoding_format'],
    ['an unknown part', { input: [{ content: [{ type: 'sound' }] }] }, 'input[0].content[0].type'],
  ])('%s', async (_name, body, param) => {
    const { response, body: refusal } = await ask({ model: 'vectors', ...body });
    expect(response.status).toBe(400);
    expect(at(refusal, 'error', 'param')).toBe(param);
    expect(house.fake.received).toHaveLength(0);
  });

  it('more than the credit pays for', async () => {
    const poor = await createTestGateway({
      creditUsd: '0.001',
      models: {
        dear: { endpoints: [{ provider: 'a', model: 'm', price: { input: '1000', output: '0' } }] },
      },
    });
    try {
      const response = await poor.post(PATH, { model: 'dear', input: 'some words here' });
      expect(response.status).toBe(402);
      expect(poor.fake.received).toHaveLength(0);
    } finally {
      await poor.close();
    }
  });
});

describe('the sandbox', () => {
  it('makes vectors of unit length in which shared words are near', async () => {
    const client = house.clientWith(house.keys.test);
    const input = ['the quick brown fox', 'a quick brown dog', 'money in the bank'];
    const { data, usage } = await client.embeddings.create({ model: 'sandbox/embedding', input });
    const [fox = [], dog = [], bank = []] = data.map(({ embedding }) => [...embedding]);
    const dot = (a: readonly number[], b: readonly number[]): number =>
      a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
    expect(fox).toHaveLength(256);
    expect(dot(fox, fox)).toBeCloseTo(1, 5);
    expect(dot(fox, dog)).toBeGreaterThan(dot(dog, bank));
    expect(numberOf(usage.prompt_tokens)).toBeGreaterThan(9);
  });
});
