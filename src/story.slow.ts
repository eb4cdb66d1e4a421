/**
 * One story, told four times: by OpenAI's client and by ours, to the server on Node and to the
 * Worker in Cloudflare's runtime, over real sockets. What was answered, refused and billed is the
 * same, receipt by receipt, to the nano-dollar.
 */
import OpenAI, { APIError as OpenAiError } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDevWorker, type DevWorker } from '#testing/dev-worker.ts';
import { startFakeUpstream, type FakeUpstream } from '#testing/fake-upstream.ts';
import { errorBody, goodReply, jsonReply, modeOf } from '#testing/fake-upstream-replies.ts';
import { at, objectOf, parse, stringOf, type JsonObject } from '#testing/recordings-json.ts';
import { startServer, type TestServer } from '#testing/server.ts';
import { APIError, OmniX } from '../sdk/typescript/src/index.ts';

const MESSAGES = [{ role: 'user' as const, content: 'Say hello.' }];
const PRICE = { input: '0.15', output: '0.6', cache_read: '0.075' };

/** What somebody saw, without what is new each time. */
interface Seen {
  readonly said: unknown;
  readonly generationId: string | null;
}

/** What both clients can do, in the words of the story. */
interface Teller {
  readonly name: string;
  whole(model: string, more?: JsonObject): Promise<Seen>;
  stream(model: string): Promise<Seen>;
  embed(input: readonly string[]): Promise<Seen>;
  /** Status and code. */
  refused(model: string, headers: Readonly<Record<string, string>>): Promise<unknown>;
  /** The same request twice under one idempotency key: the generation of each answer. */
  twice(model: string): Promise<readonly (string | null)[]>;
}

const generationOf = (response: Response): string | null => response.headers.get('x-generation-id');

function tellOpenAi(baseURL: string, apiKey: string): Teller {
  const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
  const ask = (model: string, more: JsonObject = {}, headers = {}) =>
    client.chat.completions
      .create({ model, messages: MESSAGES, ...more, stream: false }, { headers })
      .withResponse();
  return {
    name: "OpenAI's client",
    async whole(model, more) {
      const { data, response } = await ask(model, more);
      const [choice] = data.choices;
      const said = [choice?.message.content, choice?.finish_reason, data.usage];
      return { said, generationId: generationOf(response) };
    },
    async stream(model) {
      const { data, response } = await client.chat.completions
        .create({ model, messages: MESSAGES, stream: true })
        .withResponse();
      let [text, usage]: [string, unknown] = ['', null];
      for await (const chunk of data) {
        text += chunk.choices[0]?.delta.content ?? '';
        usage = chunk.usage ?? usage;
      }
      return { said: [text, usage], generationId: generationOf(response) };
    },
    async embed(input) {
      const asked = { model: 'vectors', input: [...input] };
      const { data, response } = await client.embeddings.create(asked).withResponse();
      const vectors = data.data.map(({ embedding }) => [...embedding]);
      return { said: [vectors, data.usage], generationId: generationOf(response) };
    },
    refused: (model, headers) =>
      ask(model, {}, headers).then(
        () => 'was not refused',
        (error: unknown) => (error instanceof OpenAiError ? [error.status, error.code] : error),
      ),
    async twice(model) {
      const headers = { 'idempotency-key': crypto.randomUUID() };
      const first = await ask(model, {}, headers);
      const second = await ask(model, {}, headers);
      return [generationOf(first.response), generationOf(second.response)];
    },
  };
}

function tellOmniX(baseURL: string, apiKey: string): Teller {
  const client = new OmniX({ baseURL, apiKey, maxRetries: 0 });
  const ask = (model: string, more: JsonObject = {}, options = {}) =>
    client.chat.completions.create({ model, messages: MESSAGES, ...more, stream: false }, options);
  return {
    name: 'the SDK',
    async whole(model, more) {
      const { choices, usage, response } = await ask(model, more);
      const said = [choices[0]?.message.content, choices[0]?.finish_reason, usage];
      return { said, generationId: response.generationId };
    },
    async stream(model) {
      const asked = { model, messages: MESSAGES, stream: true } as const;
      const stream = await client.chat.completions.create(asked);
      let text = '';
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      return { said: [text, stream.usage], generationId: stream.response.generationId };
    },
    async embed(input) {
      const answer = await client.embeddings.create({ model: 'vectors', input: [...input] });
      const vectors = answer.data.map(({ embedding }) => [...embedding]);
      return { said: [vectors, answer.usage], generationId: answer.response.generationId };
    },
    refused: (model, headers) =>
      ask(model, {}, { headers }).then(
        () => 'was not refused',
        (error: unknown) => (error instanceof APIError ? [error.status, error.code] : error),
      ),
    async twice(model) {
      const options = { idempotencyKey: crypto.randomUUID() };
      const first = await ask(model, {}, options);
      const second = await ask(model, {}, options);
      return [first.response.generationId, second.response.generationId];
    },
  };
}

/** A gateway and its owner. */
interface Place {
  readonly name: string;
  readonly url: string;
  readonly managementKey: string;
}

async function call(place: Place, path: string, body?: JsonObject, key = place.managementKey) {
  const response = await fetch(`${place.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  expect(response.ok, text).toBe(true);
  return objectOf(parse(text));
}

const RECEIPT_MEMBERS = [
  'model',
  'provider_name',
  'outcome',
  'finish_reason',
  'streamed',
  'tokens_prompt',
  'tokens_completion',
  'buckets',
  'arithmetic',
  'total_cost',
  'warnings',
];

/** What a receipt says that does not hang on the hour. */
async function receiptOf(place: Place, key: string, id: string | null): Promise<JsonObject> {
  const { data } = await call(place, `/v1/generation?id=${id ?? ''}`, undefined, key);
  const receipt = objectOf(data);
  const attempts = Array.isArray(receipt['attempts']) ? receipt['attempts'] : [];
  return {
    ...Object.fromEntries(RECEIPT_MEMBERS.map((member) => [member, receipt[member]])),
    attempts: attempts.map((one: unknown) => [at(one, 'endpoint'), at(one, 'outcome')]),
  };
}

/** The whole story; what it returns must be the same wherever and by whomever it is told. */
async function tell(place: Place, tellerOf: (baseUrl: string, key: string) => Teller) {
  const { key } = await call(place, '/v1/keys', { name: 'a reader', limit: 1 });
  const secret = stringOf(key);
  const teller = tellerOf(`${place.url}/v1`, secret);
  const told = [
    await teller.whole('m'),
    await teller.whole('m', { max_completion_tokens: 100, temperature: 0 }),
    await teller.stream('m'),
    await teller.stream('broken-then-m'),
    await teller.embed(['one', 'three']),
  ];
  const refusals = [
    await teller.refused('no-such-model', {}),
    await teller.refused('m', { 'x-omnix-max-cost': '0.000001' }),
    await teller.refused('m', { 'x-omnix-max-cost': 'much' }),
    await teller.refused('always-broken', {}),
  ];
  const [first = null, second = ''] = await teller.twice('m');
  const estimate = await call(place, '/v1/estimate', { model: 'm', messages: MESSAGES }, secret);
  const generations = [...told.map(({ generationId }) => generationId), first];
  const receipts = [];
  for (const id of generations) receipts.push(await receiptOf(place, secret, id));
  const { data } = await call(place, '/v1/key', undefined, secret);
  return {
    said: told.map(({ said }) => said),
    refusals,
    replayed: first !== null && first === second,
    estimate: [estimate['lowest'], estimate['likely'], estimate['highest']],
    receipts,
    usage: objectOf(data)['usage'],
  };
}

describe('the story', () => {
  let fake: FakeUpstream;
  let server: TestServer;
  let worker: DevWorker;
  let places: readonly Place[];

  beforeAll(async () => {
    fake = await startFakeUpstream();
    fake.on('/a', (request) =>
      request.path.endsWith('/embeddings')
        ? jsonReply(200, EMBEDDINGS)
        : goodReply(modeOf(request.body)),
    );
    fake.on('/broken', () => jsonReply(503, errorBody('busy', null)));
    const host = { type: 'openai-compatible', api_key: 'sk-canary-upstream' };
    const endpoint = (provider: string) => {
      return { provider, model: 'upstream-model', price: PRICE, context: 8_000, max_output: 1_000 };
    };
    const config = {
      providers: {
        a: { ...host, base_url: `${fake.origin}/a` },
        broken: { ...host, base_url: `${fake.origin}/broken` },
      },
      models: {
        m: { endpoints: [endpoint('a')] },
        vectors: { endpoints: [endpoint('a')] },
        'broken-then-m': { endpoints: [endpoint('broken'), endpoint('a')] },
        'always-broken': { endpoints: [endpoint('broken')] },
      },
    };
    server = await startServer({ config });
    worker = await startDevWorker(config);
    const printed = /sk-omx-mgmt-\w+/.exec(worker.output())?.[0] ?? '';
    places = [
      { name: 'Node', url: server.url, managementKey: server.managementKey },
      { name: 'workerd', url: worker.url, managementKey: printed },
    ];
    for (const place of places) {
      await call(place, '/v1/credits/grants', { amount_usd: '10', reason: 'for the story' });
    }
  });
  afterAll(async () => {
    await worker?.dispose();
    await server?.dispose();
    await fake?.close();
  });

  it('is the same on Node and on workerd, by either client, to the nano-dollar', async () => {
    const stories = [];
    for (const place of places) {
      for (const tellerOf of [tellOpenAi, tellOmniX]) {
        fake.forget();
        const story = await tell(place, tellerOf);
        // Two that were tried at once elsewhere; the twin was not sent a second time.
        stories.push({ ...story, sent: fake.received.length });
      }
    }
    const [first, ...others] = stories;
    expect(first).toMatchObject({ replayed: true, refusals: REFUSALS, sent: 8 });
    for (const other of others) expect(other).toEqual(first);
  });
});

const REFUSALS = [
  [404, 'model_not_found'],
  [402, 'max_cost_exceeded'],
  [400, 'invalid_value'],
  [503, expect.any(String)],
];

const EMBEDDINGS = JSON.stringify({
  object: 'list',
  data: [
    { object: 'embedding', index: 0, embedding: [0.5, -0.25] },
    { object: 'embedding', index: 1, embedding: [1, 2] },
  ],
  model: 'upstream-model',
  usage: { prompt_tokens: 4, total_tokens: 4 },
});
