/** The client against the real gateway on a real socket: every part of the API, and its cost. */
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  PIECES,
  SSE_HEADERS,
  TEXT,
  deltaEvent,
  sseReply,
  streamEvents,
} from '#testing/fake-upstream-replies.ts';
import { objectOf } from '#testing/recordings-json.ts';
import { answerWell, createTestGateway, type TestGateway } from '#testing/test-gateway.ts';
import {
  APIConnectionError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  InternalServerError,
  NotFoundError,
  OmniX,
  PaymentRequiredError,
  PermissionDeniedError,
  type ChatCompletionChunk,
} from '../typescript/src/index.ts';

/** 11 tokens in at 1 dollar, 7 out at 2 dollars, per million. */
const COST = 0.000_025;
const messages = [{ role: 'user' as const, content: 'Say hello.' }];

let house: TestGateway;
let url: string;
let client: OmniX;
let owner: OmniX;
beforeAll(async () => {
  house = await createTestGateway();
  ({ url } = await house.listen());
  client = new OmniX({ apiKey: house.keys.live, baseURL: `${url}/v1` });
  owner = new OmniX({ apiKey: house.keys.management, baseURL: url });
});
afterEach(async () => {
  await house.untilSettled();
  house.fake.on('/a', answerWell);
  house.fake.forget();
});
afterAll(() => house.close());

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no failure',
    (error: unknown) => error,
  );
}

async function collect(stream: AsyncIterable<ChatCompletionChunk>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
  return text;
}

describe('chat', () => {
  it('answers whole, with ids and cost beside the body', async () => {
    const answer = await client.chat.completions.create({ model: 'at-a', messages });
    expect(answer.choices[0]?.message.content).toBe(TEXT);
    expect(answer.usage.cost).toBe(COST);
    const { response } = answer;
    expect(response.requestId).toMatch(/^req_/);
    expect(response.generationId).toMatch(/^gen_/);
    expect(response).toMatchObject({ status: 200, cost: COST, retries: 0, replayed: false });
    expect(Object.keys(answer)).not.toContain('response');
    const receipt = await client.generations.retrieve(response.generationId ?? '');
    expect(receipt.data.total_cost).toBe(COST);
    expect(receipt.data.request_id).toBe(response.requestId);
  });

  it('streams to the end, without [DONE], and tells usage and cost', async () => {
    const body = { model: 'at-a', messages, stream: true } as const;
    const stream = await client.chat.completions.create(body);
    expect([stream.usage, stream.response.cost]).toEqual([null, null]);
    const chunks: ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    const oracle = new OpenAI({ apiKey: house.keys.live, baseURL: `${url}/v1` });
    const expected: unknown[] = [];
    for await (const chunk of await oracle.chat.completions.create({
      ...body,
      messages: [...messages],
    })) {
      expected.push(chunk);
    }
    const plain = (all: readonly unknown[]): unknown =>
      all.map((chunk) => ({ ...objectOf(chunk), id: '', created: 0 }));
    expect(plain(chunks)).toEqual(plain(expected));
    expect(stream.usage).toMatchObject({ total_tokens: 18, cost: COST });
    expect(stream.response.cost).toBe(COST);
    expect(() => stream[Symbol.asyncIterator]()).toThrow('only once');
  });

  it('leaving the loop ends the upstream (promise 10)', async () => {
    house.fake.on('/stops', () => sseReply(streamEvents().slice(0, 3), [{ do: 'hang' }]));
    const stream = await client.chat.completions.create({
      model: 'at-stops',
      messages,
      stream: true,
    });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content === PIECES[0]) break;
    expect(stream.usage).toBeNull();
    const gone = (): boolean => (house.fake.at('/stops')[0]?.aborted ?? null) !== null;
    await house.fake.until('the upstream to see it', gone);
  });

  it('an aborted stream throws, and ends the upstream', async () => {
    house.fake.on('/stops', () => sseReply(streamEvents().slice(0, 3), [{ do: 'hang' }]));
    const leaving = new AbortController();
    const stream = await client.chat.completions.create(
      { model: 'at-stops', messages, stream: true },
      { signal: leaving.signal },
    );
    const read = async (): Promise<void> => {
      for await (const chunk of stream) {
        if (chunk.choices[0]?.delta.content === PIECES[0]) leaving.abort();
      }
    };
    expect(await failureOf(read())).toBeInstanceOf(APIUserAbortError);
    const gone = (): boolean => (house.fake.at('/stops')[0]?.aborted ?? null) !== null;
    await house.fake.until('the upstream to see it', gone);
  });

  it('a stream that breaks throws a typed error after what had come', async () => {
    house.fake.on('/a', () => [
      { do: 'head', status: 200, headers: SSE_HEADERS },
      { do: 'write', bytes: deltaEvent({ role: 'assistant', content: 'Hel' }) },
      { do: 'reset' },
    ]);
    const stream = await client.chat.completions.create({ model: 'at-a', messages, stream: true });
    let text = '';
    const read = async (): Promise<void> => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    };
    const error = await failureOf(read());
    expect(text).toBe('Hel');
    expect(error).toBeInstanceOf(InternalServerError);
    expect(error).toMatchObject({
      status: null,
      code: 'upstream_error',
      requestId: stream.response.requestId,
      generationId: stream.response.generationId,
      metadata: { error_type: 'upstream', retryable: true },
    });
  });

  it('asks again after a failure under the same key, and pays once (promise 5)', async () => {
    const { total_usage: before } = (await client.credits.retrieve()).data;
    let lost = 0;
    const unlucky = new OmniX({
      apiKey: house.keys.live,
      baseURL: url,
      fetch: async (address, init) => {
        const response = await fetch(address, init);
        if (lost > 0) return response;
        lost += 1;
        await response.arrayBuffer();
        throw new TypeError('the answer was lost on its way');
      },
    });
    const answer = await unlucky.chat.completions.create({ model: 'at-a', messages });
    expect(answer.choices[0]?.message.content).toBe(TEXT);
    expect(answer.response).toMatchObject({ retries: 1, replayed: true });
    expect(house.fake.at('/a')).toHaveLength(1);
    const { total_usage: after } = (await client.credits.retrieve()).data;
    expect(after - before).toBeCloseTo(COST, 9);
  });

  it('a given idempotency key is the one that is used', async () => {
    const options = { idempotencyKey: 'order-1' };
    const ask = { model: 'at-a', messages };
    const first = await client.chat.completions.create(ask, options);
    const second = await client.chat.completions.create(ask, options);
    expect(second).toEqual(first);
    expect(second.response).toMatchObject({ idempotencyKey: 'order-1', replayed: true });
    const other = client.chat.completions.create({ ...ask, temperature: 1 }, options);
    const error = await failureOf(other);
    expect(error).toBeInstanceOf(ConflictError);
    expect(error).toMatchObject({ code: 'idempotency_key_reused' });
  });

  it('maxCost refuses before anything is spent', async () => {
    const ask = { model: 'at-a', messages, max_completion_tokens: 1_000 };
    const error = await failureOf(client.chat.completions.create(ask, { maxCost: 0.000_001 }));
    expect(error).toBeInstanceOf(PaymentRequiredError);
    expect(error).toMatchObject({ code: 'max_cost_exceeded' });
    expect(house.fake.at('/a')).toEqual([]);
    const answer = await client.chat.completions.create(ask, { maxCost: '0.01' });
    expect(answer.response.cost).toBe(COST);
  });
});

describe('the other parts of the API', () => {
  it('estimates', async () => {
    const estimate = await client.estimate({ model: 'at-a', messages, max_completion_tokens: 7 });
    expect(Number(estimate.highest)).toBeGreaterThanOrEqual(Number(estimate.likely));
    const named = await client.estimate(
      { model: 'sandbox/embedding', input: 'x' },
      { endpoint: '/v1/embeddings' },
    );
    expect(named.endpoint).toBe('/v1/embeddings');
  });

  it('embeds: numbers, unless base64 is asked for', async () => {
    const test = new OmniX({ apiKey: house.keys.test, baseURL: url });
    const ask = { model: 'sandbox/embedding', input: ['Say hello.', 'Say goodbye.'] };
    const decoded = await test.embeddings.create(ask);
    const plain = await test.embeddings.create({ ...ask, encoding_format: 'float' });
    const text = await test.embeddings.create({ ...ask, encoding_format: 'base64' });
    expect(decoded.data.map(({ embedding }) => embedding.map(Math.fround))).toEqual(
      plain.data.map(({ embedding }) => embedding.map(Math.fround)),
    );
    expect(decoded.data[0]?.embedding.length).toBeGreaterThan(8);
    expect(typeof text.data[0]?.embedding).toBe('string');
    expect(decoded.response.cost).toBe(decoded.usage.cost);
  });

  it('lists models and finds one, slashes and all', async () => {
    const page = await client.models.list({ q: 'sandbox', available: 'all' });
    expect(page.data.length).toBeGreaterThan(2);
    const ids: string[] = [];
    for await (const { id } of client.models.list({ q: 'sandbox', available: 'all' })) ids.push(id);
    expect(ids).toEqual(page.data.map(({ id }) => id));
    const model = await client.models.retrieve('sandbox/echo');
    expect(model.id).toBe('sandbox/echo');
    const { data } = await client.models.endpoints('sandbox/echo');
    expect(data.endpoints[0]?.provider_name).toBe('sandbox');
  });

  it('makes, lists, changes, rotates and deletes keys', async () => {
    const { data, key } = await owner.keys.create({ name: 'one of many', limit: '5.00' });
    for (const name of ['two', 'three']) await owner.keys.create({ name });
    const page = await owner.keys.list({ limit: 2 });
    expect([page.data.length, page.has_more]).toEqual([2, true]);
    const all: string[] = [];
    for await (const { hash } of owner.keys.list({ limit: 2 })) all.push(hash);
    const whole = await owner.keys.list();
    expect(all).toEqual(whole.data.map(({ hash }) => hash));
    expect(all.length).toBeGreaterThan(3);

    const holder = new OmniX({ apiKey: key, baseURL: url });
    expect((await holder.keys.current()).data).toMatchObject({ hash: data.hash, limit: 5 });
    expect((await owner.keys.update(data.hash, { limit: '6' })).data.limit).toBe(6);
    const rotated = await owner.keys.rotate(data.hash, { overlap_seconds: 60 });
    expect(rotated.key).not.toBe(key);
    expect((await owner.keys.retrieve(data.hash)).data.old_secrets).toHaveLength(1);
    expect((await owner.keys.delete(data.hash)).deleted).toBe(true);
    expect(await failureOf(holder.keys.current())).toBeInstanceOf(AuthenticationError);
  });

  it('grants credit once, however often it is sent', async () => {
    const { available } = (await client.credits.retrieve()).data;
    const body = { amount_usd: '1.00', reason: 'a test' };
    for (const _ of [1, 2]) await owner.credits.grant(body, { idempotencyKey: 'grant-1' });
    await expect
      .poll(async () => (await client.credits.retrieve()).data.available)
      .toBeCloseTo(available + 1, 6);
  });
});

describe('errors', () => {
  it('have the class of their status, the code, the field and the ids', async () => {
    const cases = [
      [() => client.chat.completions.create({ model: 'at-a', messages: [] }), BadRequestError, 400],
      [() => client.chat.completions.create({ model: 'at-aa', messages }), NotFoundError, 404],
      [
        () => owner.chat.completions.create({ model: 'at-a', messages }),
        PermissionDeniedError,
        403,
      ],
      [() => client.keys.list(), PermissionDeniedError, 403],
      [() => client.generations.retrieve('gen_none'), NotFoundError, 404],
    ] as const;
    for (const [ask, kind, status] of cases) {
      const error = await failureOf(ask());
      expect(error).toBeInstanceOf(kind);
      expect(error).toBeInstanceOf(APIError);
      if (!(error instanceof APIError)) continue;
      expect(error.status).toBe(status);
      expect(error.code).toMatch(/^[a-z_]+$/);
      expect(error.requestId).toMatch(/^req_/);
      expect(error.metadata?.request_id).toBe(error.requestId);
      expect(error.message).toContain(String(status));
    }
    const error = await failureOf(client.chat.completions.create({ model: 'at-a', messages: [] }));
    expect(error).toMatchObject({ param: 'messages' });
  });

  it('names are one segment of the path, whatever is in them', async () => {
    expect(await failureOf(owner.keys.retrieve('key_x/../../credits'))).toBeInstanceOf(
      NotFoundError,
    );
    expect(await failureOf(client.models.retrieve('..'))).toMatchObject({
      message: 'model: ".." is not a name',
    });
  });

  it('a gateway that is not there is a connection error', async () => {
    const nobody = new OmniX({ apiKey: 'x', baseURL: 'http://127.0.0.1:9', maxRetries: 0 });
    expect(await failureOf(nobody.models.list())).toBeInstanceOf(APIConnectionError);
  });

  it('reads on as text what the stream says', async () => {
    const stream = await client.chat.completions.create({ model: 'at-a', messages, stream: true });
    expect(await collect(stream)).toBe(TEXT);
  });
});
