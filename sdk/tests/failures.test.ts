/** What the client does when the other side fails: what it repeats, and what it throws. */
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  DONE,
  SSE_HEADERS,
  TEXT,
  completionBody,
  deltaEvent,
  errorBody,
  jsonReply,
  sseReply,
  streamEvents,
} from '#testing/fake-upstream-replies.ts';
import {
  inTurn,
  startFakeUpstream,
  type FakeUpstream,
  type Pairs,
  type Reply,
} from '#testing/fake-upstream.ts';
import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  InternalServerError,
  OmniX,
  OmniXError,
  RateLimitError,
  type CallOptions,
} from '../typescript/src/index.ts';
import { pauseBeforeRetry } from '../typescript/src/retry.ts';

const messages = [{ role: 'user' as const, content: 'Say hello.' }];
const SOON: Pairs = [['retry-after-ms', '1']];
const GOOD = jsonReply(200, completionBody());

/** Stands in the gateway's place. */
let fake: FakeUpstream;
let client: OmniX;
beforeAll(async () => {
  fake = await startFakeUpstream();
  client = new OmniX({ apiKey: 'sk-omx-live-canary', baseURL: fake.origin });
});
afterEach(() => fake.forget());
afterAll(() => fake.close());

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no failure',
    (error: unknown) => error,
  );
}

async function ask(replies: readonly Reply[], options?: CallOptions): Promise<unknown> {
  fake.on('/', inTurn(replies));
  return client.chat.completions.create({ model: 'm', messages }, options);
}

const refusal = (status: number, headers: Pairs = []): Reply =>
  jsonReply(status, errorBody('no', 'some_code'), headers);

const asked = (): number => fake.received.length;

describe('a repetition', () => {
  it('follows 408, 429 and 5xx, keeps the idempotency key and the body, and ends', async () => {
    for (const status of [408, 429, 500, 502, 503, 504, 529]) {
      fake.forget();
      await ask([refusal(status, SOON), refusal(status, SOON), GOOD]);
      expect(asked(), String(status)).toBe(3);
      const sent = fake.received.map(({ headers, body }) => [
        headers.get('idempotency-key'),
        body.toString(),
      ]);
      expect(new Set(sent.map(String)).size).toBe(1);
      expect(sent[0]?.[0]).toMatch(/^sdk_[0-9a-f]{32}$/);
    }
    fake.forget();
    expect(await failureOf(ask([refusal(429, SOON)]))).toBeInstanceOf(RateLimitError);
    expect(asked()).toBe(3);
  });

  it('does not follow what the request itself is at fault for', async () => {
    for (const status of [302, 400, 401, 402, 403, 404, 409, 413, 422]) {
      fake.forget();
      expect(await failureOf(ask([refusal(status, SOON)]))).toMatchObject({ status });
      expect(asked(), String(status)).toBe(1);
    }
  });

  it('obeys x-should-retry before anything else', async () => {
    await ask([refusal(409, [...SOON, ['x-should-retry', 'true']]), GOOD]);
    expect(asked()).toBe(2);
    fake.forget();
    const told = refusal(503, [...SOON, ['x-should-retry', 'false']]);
    expect(await failureOf(ask([told, GOOD]))).toBeInstanceOf(InternalServerError);
    expect(asked()).toBe(1);
  });

  it('is told how often by the call, and has another key for another call', async () => {
    expect(await failureOf(ask([refusal(500, SOON)], { maxRetries: 0 }))).toBeInstanceOf(APIError);
    expect(asked()).toBe(1);
    await ask([GOOD]);
    const keys = fake.received.map(({ headers }) => headers.get('idempotency-key'));
    expect(new Set(keys).size).toBe(2);
  });

  it('follows a connection that broke, before the answer or within it', async () => {
    const within: Reply = [
      {
        do: 'head',
        status: 200,
        headers: [
          ['content-type', 'application/json'],
          ['content-length', '9999'],
        ],
      },
      { do: 'write', bytes: '{"id":' },
      { do: 'reset' },
    ];
    await ask([[{ do: 'reset' }], within, GOOD]);
    expect(asked()).toBe(3);
  });

  it('never follows a stream that has begun', async () => {
    fake.on('/', inTurn([sseReply(streamEvents().slice(0, 3), [{ do: 'reset' }])]));
    const stream = await client.chat.completions.create({ model: 'm', messages, stream: true });
    const read = async (): Promise<void> => {
      for await (const chunk of stream) expect(chunk.object).toBe('chat.completion.chunk');
    };
    expect(await failureOf(read())).toBeInstanceOf(APIConnectionError);
    expect(asked()).toBe(1);
  });

  it('follows where a stream could not begin', async () => {
    fake.on('/', inTurn([refusal(503, SOON), sseReply(streamEvents())]));
    const stream = await client.chat.completions.create({ model: 'm', messages, stream: true });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toBe(TEXT);
    expect(stream.response.retries).toBe(1);
  });

  it('waits as long as it is told, and doubles where it is told nothing', () => {
    const after = (headers: Record<string, string>): number | null => {
      const answer = { status: 429, headers: new Headers(headers), text: '{}' };
      return pauseBeforeRetry(new APIError(answer), 0);
    };
    expect(after({ 'retry-after-ms': '1500', 'retry-after': '9' })).toBe(1_500);
    expect(after({ 'retry-after': '9' })).toBe(9_000);
    expect(after({ 'retry-after': new Date(0).toUTCString() })).toBe(0);
    expect(after({ 'retry-after': '61' })).toBeNull();
    const property = fc.property(fc.nat(40), fc.string(), (retries, odd) => {
      const headers = new Headers({ 'retry-after': encodeURIComponent(`x${odd}`) });
      const error = new APIError({ status: 500, headers, text: odd });
      const whole = Math.min(8_000, 500 * 2 ** retries);
      for (const failure of [error, new APIConnectionError('x')]) {
        const pause = pauseBeforeRetry(failure, retries);
        expect(pause).toBeGreaterThanOrEqual(whole * 0.75);
        expect(pause).toBeLessThanOrEqual(whole);
      }
    });
    fc.assert(property, {
      examples: [
        [0, '@'],
        [1, '2'],
      ],
    });
    expect(pauseBeforeRetry(new APIUserAbortError('x'), 0)).toBeNull();
  });
});

describe('giving up', () => {
  it('a timeout is an error of its own, for whole answers and for silent streams', async () => {
    const options = { timeout: 50, maxRetries: 0 };
    const late = await failureOf(ask([[{ do: 'hang' }]], options));
    expect(late).toBeInstanceOf(APIConnectionTimeoutError);
    fake.on('/', inTurn([sseReply(streamEvents().slice(0, 3), [{ do: 'hang' }])]));
    const stream = await client.chat.completions.create(
      { model: 'm', messages, stream: true },
      options,
    );
    let chunks = 0;
    const read = async (): Promise<void> => {
      for await (const chunk of stream) chunks += chunk.choices.length;
    };
    expect(await failureOf(read())).toBeInstanceOf(APIConnectionTimeoutError);
    expect(chunks).toBe(3);
  });

  it('the caller ends a request, and the wait before the next', async () => {
    const leave = async (reply: Reply): Promise<unknown> => {
      const leaving = new AbortController();
      const work = failureOf(ask([reply], { signal: leaving.signal }));
      await fake.until('the request', () => asked() === 1);
      leaving.abort();
      return work;
    };
    expect(await leave([{ do: 'hang' }])).toBeInstanceOf(APIUserAbortError);
    fake.forget();
    const wait = await leave(refusal(429, [['retry-after', '50']]));
    expect(wait).toBeInstanceOf(APIUserAbortError);
    expect(asked()).toBe(1);
    fake.forget();
    const early = await failureOf(ask([GOOD], { signal: AbortSignal.abort() }));
    expect(early).toBeInstanceOf(APIUserAbortError);
    expect(asked()).toBe(0);
  });

  it('leaves no listener on a signal that serves many calls', async () => {
    const leaving = new AbortController();
    const counts = { added: 0, removed: 0 };
    const { signal } = leaving;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...given: Parameters<typeof add>) => {
      counts.added += 1;
      add(...given);
    };
    signal.removeEventListener = (...given: Parameters<typeof remove>) => {
      counts.removed += 1;
      remove(...given);
    };
    for (const reply of [GOOD, refusal(400)]) await failureOf(ask([reply], { signal }));
    expect(counts).toEqual({ added: 2, removed: 2 });
  });
});

describe('what is no answer of a gateway', () => {
  it('is an error that says so', async () => {
    const html: Reply = [
      { do: 'head', status: 502, headers: [['content-type', 'text/html']] },
      { do: 'write', bytes: '<html>Bad Gateway</html>' },
      { do: 'end' },
    ];
    expect(await failureOf(ask([html], { maxRetries: 0 }))).toMatchObject({
      name: 'InternalServerError',
      status: 502,
      code: null,
      message: '502 The answer is no error of OmniX: is baseURL right?',
    });
    for (const body of ['<html>', '[]', 'null', '']) {
      const error = await failureOf(ask([jsonReply(200, body)]));
      expect(error).toBeInstanceOf(OmniXError);
      expect(error).toMatchObject({ message: 'The answer is no JSON object: is baseURL right?' });
    }
    for (const body of ['null', '5', '{"error":5}', '{"error":{"message":5,"metadata":5}}']) {
      expect(await failureOf(ask([jsonReply(400, body)]))).toMatchObject({ status: 400 });
    }
  });

  it('nor is a stream without an end, or with nonsense in it', async () => {
    const cases: readonly (readonly [readonly string[], string])[] = [
      [[deltaEvent({ content: 'a' })], 'The stream broke off before its end.'],
      [[], 'The stream broke off before its end.'],
      [['data: {"id":\n\n', DONE], 'The stream holds an event that is no JSON object.'],
      [['data: null\n\n', DONE], 'The stream holds an event that is no JSON object.'],
    ];
    for (const [events, message] of cases) {
      fake.on('/', inTurn([sseReply(events)]));
      const stream = await client.chat.completions.create({ model: 'm', messages, stream: true });
      const read = async (): Promise<void> => {
        for await (const chunk of stream) expect(chunk.choices).toHaveLength(1);
      };
      expect(await failureOf(read())).toMatchObject({ message });
    }
    fake.on('/', inTurn([GOOD]));
    const whole = client.chat.completions.create({ model: 'm', messages, stream: true });
    expect(await failureOf(whole)).toMatchObject({ message: expect.stringContaining('stream') });
  });

  it('ends a stream at [DONE], although the connection stays open', async () => {
    fake.on('/', () => [
      { do: 'head', status: 200, headers: SSE_HEADERS },
      ...streamEvents().map((bytes) => ({ do: 'write', bytes }) as const),
      { do: 'hang' },
    ]);
    const stream = await client.chat.completions.create({ model: 'm', messages, stream: true });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toBe(TEXT);
  });

  it('a connection serves the next request after a stream', async () => {
    fake.on('/', () => sseReply(streamEvents()));
    for (const _ of [1, 2, 3]) {
      const stream = await client.chat.completions.create({ model: 'm', messages, stream: true });
      for await (const chunk of stream) expect(chunk.object).toBe('chat.completion.chunk');
      expect(fake.openConnections()).toBeLessThanOrEqual(3);
    }
  });
});
