/** The surface as the official client and a careful reader of headers see it. */
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  errorBody,
  jsonReply,
  PIECES,
  sseReply,
  streamEvents,
} from '#testing/fake-upstream-replies.ts';
import { at, objectOf } from '#testing/recordings-json.ts';
import { answerWell, createTestGateway, type TestGateway } from '#testing/test-gateway.ts';

let house: TestGateway;
beforeAll(async () => {
  house = await createTestGateway();
});
afterEach(async () => {
  await house.untilSettled();
  house.fake.on('/a', answerWell);
});
afterAll(() => house.close());

const messages = [{ role: 'user' as const, content: 'Say hello.' }];

async function thrownBy(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (thrown) {
    return thrown;
  }
  return null;
}

describe('the official client (experience 1)', () => {
  it('completes a chat, and finds ids and headers (contract: Answers, x-generation-id; cost)', async () => {
    const { data, response } = await house.client.chat.completions
      .create({ model: 'at-a', messages })
      .withResponse();
    expect(data.choices[0]?.message.content).toBe(PIECES.join(''));
    expect(data.usage).toMatchObject({ total_tokens: 18, cost: 0.000_025 });
    expect(response.headers.get('x-request-id')).toMatch(/^req_[0-9a-z]{26}$/);
    expect(response.headers.get('x-generation-id')).toMatch(/^gen_[0-9a-z]{26}$/);
    expect(Number(response.headers.get('openai-processing-ms'))).toBeGreaterThan(0);
    expect(response.headers.get('content-type')).toBe('application/json');
  });

  it('streams, with the usage last (contract: Answers, usage)', async () => {
    const stream = await house.client.chat.completions.create({
      model: 'at-a',
      messages,
      stream: true,
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    const said = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
    expect(said).toBe(PIECES.join(''));
    expect(chunks.filter(({ usage }) => (usage ?? null) !== null)).toHaveLength(1);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 18 } });
    const finishes = chunks.filter(({ choices }) => (choices[0]?.finish_reason ?? null) !== null);
    expect(finishes).toHaveLength(1);
  });

  it('runs a tool with the sandbox', async () => {
    const client = house.clientWith(house.keys.test);
    const city = { type: 'string', enum: ['Bern'] };
    const parameters = { type: 'object', properties: { city }, required: ['city'] };
    const tools = [{ type: 'function' as const, function: { name: 'weather', parameters } }];
    const asked = await client.chat.completions.create({ model: 'sandbox/tools', messages, tools });
    const [choice] = asked.choices;
    expect(choice?.finish_reason).toBe('tool_calls');
    const call = choice?.message.tool_calls?.[0];
    if (call?.type !== 'function') throw new Error('no call');
    expect(call.function).toEqual({ name: 'weather', arguments: '{"city":"Bern"}' });
    const answered = await client.chat.completions.create({
      model: 'sandbox/tools',
      tools,
      messages: [
        ...messages,
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: call.id, content: 'sunny' },
      ],
    });
    expect(answered.choices[0]?.message.content).toBe('sunny');
  });

  it('accumulates streamed tool calls and text of the sandbox', async () => {
    const client = house.clientWith(house.keys.test);
    const tools = [{ type: 'function' as const, function: { name: 'f', parameters: {} } }];
    const called = await client.chat.completions
      .stream({ model: 'sandbox/tools', messages, tools })
      .finalChatCompletion();
    expect(called.choices[0]?.message.tool_calls?.[0]).toMatchObject({ function: { name: 'f' } });
    const text = 'Grüezi 🌍! '.repeat(50);
    const echo = client.chat.completions.stream({
      model: 'sandbox/echo',
      messages: [{ role: 'user', content: text }],
      n: 2,
    });
    const final = await echo.finalChatCompletion();
    expect(final.choices.map(({ message }) => message.content)).toEqual([text, text]);
  });

  it('gets a shorter echo with a limit, and a slow one in its time', async () => {
    const client = house.clientWith(house.keys.test);
    const create = (model: string) =>
      client.chat.completions.create({ model, messages, max_completion_tokens: 1 });
    const answer = await create('sandbox/echo');
    expect(answer.choices[0]).toMatchObject({
      finish_reason: 'length',
      message: { content: 'Say' },
    });
    expect(answer.usage?.completion_tokens).toBe(1);
    const started = performance.now();
    await create('sandbox/slow?ms=60');
    expect(performance.now() - started).toBeGreaterThanOrEqual(55);
  });

  it.each([
    [400, OpenAI.BadRequestError],
    [404, OpenAI.APIError],
    [422, OpenAI.UnprocessableEntityError],
    [429, OpenAI.RateLimitError],
    [500, OpenAI.InternalServerError],
    [503, OpenAI.InternalServerError],
    [401, OpenAI.InternalServerError],
  ])('raises its class for a %i of the upstream', async (status, type) => {
    const client = house.clientWith(house.keys.test);
    const model = `sandbox/error?status=${status}`;
    const thrown = await thrownBy(() => client.chat.completions.create({ model, messages }));
    expect(thrown).toBeInstanceOf(type);
    expect(thrown).not.toBeInstanceOf(OpenAI.AuthenticationError);
    expect(thrown).toMatchObject({ requestID: expect.stringMatching(/^req_/) });
  });

  it('raises its classes for errors of ours', async () => {
    const { client } = house;
    const ask = (model: string, more = {}) =>
      thrownBy(() => client.chat.completions.create({ model, messages, ...more }));
    expect(await ask('no-such-model')).toBeInstanceOf(OpenAI.NotFoundError);
    expect(await ask('at-a', { temperature: 9 })).toMatchObject({
      status: 400,
      param: 'temperature',
    });
    expect(await ask('at-a', { provider: { only: ['a'] } })).toMatchObject({
      status: 400,
      code: 'unsupported_parameter',
    });
    const stranger = house.clientWith('sk-omx-live-nonsense');
    const thrown = await thrownBy(() => stranger.models.list());
    expect(thrown).toBeInstanceOf(OpenAI.AuthenticationError);
  });

  it('throws when a stream breaks (promise 13)', async () => {
    house.fake.on('/a', () => sseReply(streamEvents().slice(0, 3), [{ do: 'reset' }]));
    const stream = await house.client.chat.completions.create({
      model: 'at-a',
      messages,
      stream: true,
    });
    let said = '';
    const thrown = await thrownBy(async () => {
      for await (const chunk of stream) said += chunk.choices[0]?.delta.content ?? '';
    });
    expect(said).toBe(PIECES.slice(0, 2).join(''));
    expect(thrown).toBeInstanceOf(OpenAI.APIError);
    expect(thrown).toMatchObject({ code: 'upstream_error' });
  });

  it('does not multiply a total outage by its retries (promise 16)', async () => {
    house.fake.forget();
    house.fake.on('/a', () => jsonReply(503, errorBody('down', null)));
    const client = house.client.withOptions({ maxRetries: 2 });
    await thrownBy(() => client.chat.completions.create({ model: 'at-a', messages }));
    expect(house.fake.at('/a')).toHaveLength(1);
  });
});

describe('every header that carries a key (promise 30, experience 7)', () => {
  const ways = (key: string): Record<string, string>[] => [
    { authorization: `Bearer ${key}` },
    { authorization: `bearer   ${key}` },
    { authorization: key },
    { 'x-api-key': key },
    { 'api-key': key },
    { 'x-goog-api-key': key },
  ];
  const post = (headers: Record<string, string>, model = 'at-a') =>
    house.app.request('/v1/chat/completions', {
      method: 'POST',
      headers,
      body: JSON.stringify({ model, messages, max_tokens: 5 }),
    });

  it('means the same key, the same rights and the same limits, on every route (contract: Keys and callers, one extractor)', async () => {
    const poor = await house.createKey({ limitUsd: '0.000001' });
    const { live, test, management } = house.keys;
    const seen = new Map<string, Set<string>>();
    for (const [name, key] of Object.entries({ live, test, management, poor, wrong: 'sk-x' })) {
      const statuses = new Set<string>();
      for (const headers of ways(key)) {
        const chat = await post(headers);
        await chat.text();
        const models = await house.app.request('/v1/models', { headers });
        const credits = await house.app.request('/v1/credits', { headers });
        const grant = await house.app.request('/v1/credits/grants', {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: '{}',
        });
        statuses.add([chat.status, models.status, credits.status, grant.status].join());
      }
      seen.set(name, statuses);
    }
    expect(Object.fromEntries([...seen].map(([name, set]) => [name, [...set]]))).toEqual({
      live: ['200,200,200,403'],
      test: ['403,200,200,403'],
      management: ['403,200,200,400'],
      poor: ['402,200,200,403'],
      wrong: ['401,401,401,401'],
    });
  });

  it('is asked, and no query is', async () => {
    const { live } = house.keys;
    for (const path of ['/v1/models', `/v1/models?key=${live}`, `/v1/models?api_key=${live}`]) {
      const response = await house.app.request(path);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('Bearer');
      expect(await response.text()).not.toContain(live);
    }
  });
});

describe('what is not there', () => {
  const ask = async (method: string, path: string) => {
    const headers = { authorization: `Bearer ${house.keys.live}` };
    const response = await house.app.request(path, { method, headers });
    const text = await response.text();
    return { response, error: text === '' ? {} : objectOf(at(JSON.parse(text), 'error')) };
  };

  it.each([
    ['GET', '/v1/chat/completions', 'POST'],
    ['HEAD', '/v1/chat/completions', 'POST'],
    ['DELETE', '/v1/chat/completions', 'POST'],
    ['POST', '/v1/models', 'GET'],
    ['DELETE', '/v1/models/at-a', 'GET'],
    ['PUT', '/v1/models/meta/llama', 'GET'],
    ['POST', '/v1/generation', 'GET'],
  ])('%s %s is a 405 that says what it takes', async (method, path, allowed) => {
    const { response, error } = await ask(method, path);
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allowed);
    expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    expect(error['code']).toBe(method === 'HEAD' ? undefined : 'method_not_allowed');
  });

  it.each(['/v1/nothing', '/v2/models', '/nothing', '/v1', '/v1//nothing/'])(
    'POST %s is a 404 that quotes the path as it was sent',
    async (path) => {
      const { response, error } = await ask('POST', `http://omnix.test${path}`);
      expect(response.status).toBe(404);
      expect(error).toMatchObject({ code: 'unknown_url', param: null });
      expect(error['message']).toContain(`'POST ${path}'`);
      expect(response.headers.has('warning')).toBe(false);
      expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    },
  );

  it.each([
    ['/v1/chat/completions', 'OPTIONS, POST'],
    ['/v1/models', 'GET, HEAD, OPTIONS'],
    ['/v1/models/org/deep', 'GET, HEAD, OPTIONS'],
    ['/v1/keys', 'GET, HEAD, OPTIONS, POST'],
    ['/v1/keys/key_1', 'DELETE, GET, HEAD, OPTIONS, PATCH'],
    ['/v1//keys/', 'GET, HEAD, OPTIONS, POST'],
    ['/health', 'GET, HEAD, OPTIONS'],
  ])('OPTIONS %s says what it takes, to anyone', async (path, allow) => {
    const response = await house.app.request(path, { method: 'OPTIONS' });
    expect(response.status).toBe(204);
    expect(response.headers.get('allow')).toBe(allow);
    expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    expect(await response.text()).toBe('');
  });

  it('OPTIONS of a path that is not there is a 404', async () => {
    expect((await house.app.request('/v1/nothing', { method: 'OPTIONS' })).status).toBe(404);
  });

  it.each(['/v1/models', '/v1/models/at-a', '/v1/credits', '/health', '/docs', '/openapi.json'])(
    'HEAD %s answers as GET does, without a body',
    async (path) => {
      const headers = { authorization: `Bearer ${house.keys.live}` };
      const got = await house.app.request(path, { headers });
      const head = await house.app.request(path, { method: 'HEAD', headers });
      expect(head.status).toBe(got.status);
      expect([...head.headers.keys()]).toEqual([...got.headers.keys()]);
      expect(await head.text()).toBe('');
    },
  );

  it('HEAD and GET / answer without a key', async () => {
    expect((await house.app.request('/', { method: 'HEAD' })).status).toBe(200);
    expect(await (await house.app.request('/')).json()).toMatchObject({ name: 'OmniX' });
    expect(await (await house.app.request('/health')).json()).toEqual({
      status: 'ok',
      version: '0-test',
    });
    expect((await house.app.request('/ready')).status).toBe(200);
  });
});

describe('when a client may come back', () => {
  const hints = ({ headers }: Response) =>
    ['x-should-retry', 'retry-after', 'retry-after-ms'].map((name) => headers.get(name));

  afterEach(() => {
    house.lifecycle.become({ kind: 'ready' });
    house.database.mode = 'works';
  });

  it('is said while the process stops, on the routes of models', async () => {
    house.lifecycle.become({ kind: 'draining' });
    const refused = await house.chat({ model: 'at-a' });
    expect(refused.status).toBe(503);
    expect(hints(refused)).toEqual(['true', '1', '1000']);
  });

  it('is said while the database is away: not of a write, which may have happened', async () => {
    const headers = {
      authorization: `Bearer ${house.keys.management}`,
      'content-type': 'application/json',
    };
    const ask = (method: string, body?: string) =>
      house.app.request('/v1/keys', { method, headers, ...(body === undefined ? {} : { body }) });
    expect((await ask('GET')).status).toBe(200);
    house.database.mode = 'gone';
    for (const method of ['GET', 'HEAD']) {
      const unread = await ask(method);
      expect(unread.status).toBe(503);
      expect(hints(unread)).toEqual(['true', '1', '1000']);
    }
    const unwritten = await ask('POST', '{"name":"x"}');
    expect(unwritten.status).toBe(503);
    expect(hints(unwritten)).toEqual(['false', null, null]);
    const entry = house.log.findLast(({ event }) => event === 'refused');
    expect(entry?.fields).toMatchObject({
      request_id: unwritten.headers.get('x-request-id'),
      method: 'POST',
      code: 'service_unavailable',
    });
  });

  it('is not said of what no repetition mends', async () => {
    for (const path of ['/v1/models/none', '/v1/nothing', '/v1/generation?id=x']) {
      expect(hints(await house.get(path)), path).toEqual(['false', null, null]);
    }
  });
});

describe('settings whose step has not come', () => {
  it.each(['x-omnix-explain'])('are refused by name: %s', async (header) => {
    const response = await house.chat({ model: 'at-a' }, { [header]: '1' });
    expect(response.status).toBe(400);
    expect(at(await response.json(), 'error', 'param')).toBe(header);
  });
});

describe('a body of very many fields', () => {
  it('is refused before a host is asked about each of them', async () => {
    const fields = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, n]));
    const most = await house.chat({ model: 'at-a', ...fields(990) });
    expect(most.status).toBe(200);
    const more = await house.chat({ model: 'at-a', ...fields(1_000) });
    expect(more.status).toBe(400);
    expect(await more.text()).toContain('at most 1000');
  });
});

describe('headers of ours that are none', () => {
  it.each(['x-omnix-maxcost', 'X-OmniX-Max-Costs', 'x-omnix-'])(
    'are refused: %s',
    async (header) => {
      house.fake.forget();
      for (const path of ['/v1/chat/completions', '/v1/embeddings', '/v1/estimate']) {
        const response = await house.post(path, { model: 'at-a', messages: [] }, { [header]: '1' });
        const error = objectOf(at(await response.json(), 'error'));
        expect([response.status, error['code']]).toEqual([400, 'unknown_parameter']);
        expect(error['param']).toBe(header.toLowerCase());
        expect(error['message']).toContain('x-omnix-max-cost');
      }
      expect(house.fake.received).toHaveLength(0);
    },
  );
});

/** Unknown to the types. */
const FOR_STREAMS = { duplex: 'half' };

describe('bodies without a socket (as Workers see them)', () => {
  const post = (body: BodyInit, headers: Record<string, string> = {}) =>
    house.app.request('/v1/chat/completions', {
      method: 'POST',
      headers: { authorization: `Bearer ${house.keys.live}`, ...headers },
      body,
      ...FOR_STREAMS,
    });

  it.each<[string, string, string]>([
    ['nothing', '', 'invalid_json'],
    ['no JSON', 'hello', 'invalid_json'],
    ['a list', '[]', 'invalid_json'],
    ['a repeated key', '{"model":"a","model":"b","messages":[]}', 'repeated_key'],
    ['deep nesting', `{"model":"at-a","messages":${'['.repeat(500)}`, 'nesting_too_deep'],
    ['no messages', '{"model":"at-a"}', 'missing_required_parameter'],
    ['__proto__', '{"__proto__":{"model":"at-a"}}', 'missing_required_parameter'],
  ])('%s is a 400 that says why (promise 36)', async (_case, body, code) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(at(await response.json(), 'error', 'code')).toBe(code);
  });

  it('gzip and forms are refused with 415', async () => {
    expect((await post('x', { 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await post('x', { 'content-type': 'multipart/form-data; boundary=x' })).status).toBe(
      415,
    );
    expect((await post('{"model":"at-a"}', { 'content-encoding': 'identity' })).status).toBe(400);
  });

  it('a body that breaks off is a 408 and not our fault (promise 36)', async () => {
    const broken = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"model":'));
      },
      pull(controller) {
        controller.error(new Error('gone'));
      },
    });
    const response = await post(broken);
    expect(response.status).toBe(408);
  });
});
