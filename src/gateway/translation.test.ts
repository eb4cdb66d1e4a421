/**
 * Endpoints of another dialect than the client's, over real sockets: the same five steps, the same
 * promises. The host is made up (`testing/test-dialect.ts`), so no real dialect hides a fault here.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StreamFraming } from '#providers/provider.ts';
import { goodReply, jsonReply, modeOf, TEXT, type Mode } from '#testing/fake-upstream-replies.ts';
import type { ReceivedRequest } from '#testing/fake-upstream.ts';
import { openRaw, requestBytes } from '#testing/raw-client.ts';
import { at, listOf, parse, stringOf, type JsonObject } from '#testing/recordings-json.ts';
import { readSse } from '#testing/recordings-reading.ts';
import {
  TALK_PIECES,
  TALK_USED,
  talkBytes,
  talkEvents,
  talkProvider,
  talkReply,
  talkStream,
} from '#testing/test-dialect.ts';
import {
  answerWell,
  createTestGateway,
  TEST_PRICE,
  type ChatBody,
  type TestGateway,
} from '#testing/test-gateway.ts';

const SAID = TALK_PIECES.join('');
/** 11 input at $1, 3 from the cache at $0.1, 7 output at $2 a million. */
const COST = 0.000_025_3;
const MODES: readonly Mode[] = ['json', 'stream'];
const HOSTS = ['t', 'bin', 'short', 'token', 'unusable'] as const;
type Host = (typeof HOSTS)[number];
const FRAMINGS: Readonly<Record<Host, StreamFraming>> = {
  t: 'sse',
  bin: 'aws-event-stream',
  short: 'sse',
  token: 'sse',
  unusable: 'sse',
};
const SEEDED = { seed: 7, messages: [{ role: 'user', content: 'Say hello.' }] };
const PICTURE = {
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is it?' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
      ],
    },
  ],
};

let house: TestGateway;
let port: number;
const tokenUrl = { now: '' };

beforeAll(async () => {
  const place = (host: string): JsonObject => ({
    type: 'openai-compatible',
    base_url: `/${host}`,
    api_key: `sk-canary-upstream-${host}`,
  });
  const endpoint = (provider: string): JsonObject => ({
    provider,
    model: `model-at-${provider}`,
    price: TEST_PRICE,
    context: 128_000,
    max_output: 16_384,
  });
  const chain = (...hosts: readonly string[]): JsonObject => ({ endpoints: hosts.map(endpoint) });
  house = await createTestGateway({
    providers: {
      ...Object.fromEntries(HOSTS.map((host) => [host, place(host)])),
      short: { ...place('short'), timeout_ms: 300, headers: { 'x-talk-beta': 'mine' } },
    },
    models: {
      ...Object.fromEntries(HOSTS.map((host) => [`at-${host}`, chain(host)])),
      't-then-a': chain('t', 'a'),
      'a-then-t': chain('a', 't'),
      't-then-bin': chain('t', 'bin'),
      'token-then-a': chain('token', 'a'),
      'unusable-then-t': chain('unusable', 't'),
    },
    spoken: {
      t: talkProvider(),
      bin: talkProvider({ framing: 'aws-event-stream' }),
      short: talkProvider({ onCancel: 'stops' }),
      token: talkProvider({ tokenUrl: () => tokenUrl.now }),
      unusable: talkProvider({ unusable: true }),
    },
  });
  tokenUrl.now = `${house.fake.origin}/tokens`;
  ({ port } = await house.listen());
  serveWell();
});
afterEach(async () => {
  await house.untilSettled();
  house.fake.forget();
  serveWell();
});
afterAll(() => house.close());

function modeAt({ path }: ReceivedRequest): Mode {
  return path.endsWith('/talk-live') ? 'stream' : 'json';
}

function serveWell(): void {
  for (const host of ['a', 'b']) house.fake.on(`/${host}`, answerWell);
  for (const host of HOSTS) {
    house.fake.on(`/${host}/`, (request) => talkReply(modeAt(request), FRAMINGS[host]));
  }
  house.fake.on('/tokens', () =>
    jsonReply(200, JSON.stringify({ token: 't1', until: Date.now() + 3_600_000 })),
  );
}

async function ask(body: ChatBody, mode: Mode = 'json') {
  const response = await house.chat(mode === 'stream' ? { ...body, stream: true } : body);
  const text = await response.text();
  const id = response.headers.get('x-generation-id');
  const events = mode === 'stream' && response.status === 200 ? readSse(text).map(parse) : [];
  const whole = events.length === 0 ? parse(text) : null;
  return { status: response.status, text, id, whole, last: events.at(-1) ?? whole, events };
}

function saidIn({ events, whole }: Awaited<ReturnType<typeof ask>>): string {
  if (whole !== null) return stringOf(at(whole, 'choices', 0, 'message', 'content'));
  return events.map((one) => stringOf(at(one, 'choices', 0, 'delta', 'content'))).join('');
}

function sentTo(host: string): unknown {
  return parse(house.fake.at(`/${host}/`)[0]?.body.toString() ?? '');
}

const outcomes = (receipt: JsonObject): unknown[] =>
  listOf(receipt['attempts']).map((one) => at(one, 'outcome'));

describe.each(['t', 'bin'] as const)('a translated endpoint (%s)', (host) => {
  it.each(MODES)('answers in chat completions, with its cost and a receipt: %s', async (mode) => {
    const answer = await ask({ model: `at-${host}` }, mode);
    expect(answer.status).toBe(200);
    expect(saidIn(answer)).toBe(SAID);
    const usage = { prompt_tokens: 14, completion_tokens: 7, native_usage: TALK_USED, cost: COST };
    expect(answer.last).toMatchObject({ id: 't1', provider: host, usage });
    expect(answer.text.endsWith('data: [DONE]\n\n')).toBe(mode === 'stream');
    expect(await house.receipt(answer.id)).toMatchObject({
      total_cost: COST,
      buckets: { input: 11, cache_read: 3, output: 7 },
      usage_source: 'upstream',
      native_finish_reason: 'end',
      outcome: 'completed',
      streamed: mode === 'stream',
    });
  });

  it('is asked in its own words, at the address of the operation', async () => {
    await ask({ model: `at-${host}`, max_tokens: 50, temperature: 1 }, 'stream');
    const [request] = house.fake.at(`/${host}/`);
    expect(request?.path).toBe(`/${host}/talk-live`);
    expect(request?.headers.get('x-talk-key')).toBe(`sk-canary-upstream-${host}`);
    expect(request?.headers.get('x-talk-beta')).toBe('lines-2');
    const accept = host === 't' ? 'text/event-stream' : 'application/vnd.amazon.eventstream';
    expect(request?.headers.get('accept')).toBe(accept);
    expect(sentTo(host)).toEqual({
      model: `model-at-${host}`,
      lines: [{ who: 'user', text: 'Say hello.' }],
      most: 50,
    });
  });

  it('streams each piece as it comes', async () => {
    const gate = Promise.withResolvers<void>();
    const [begin = '', first = '', ...rest] = talkBytes(talkEvents(), FRAMINGS[host]);
    house.fake.on(`/${host}/`, () => [
      ...talkStream([begin, first], [{ do: 'until', gate: gate.promise }], FRAMINGS[host]),
      ...talkStream(rest).slice(1),
    ]);
    const response = await house.chat({ model: `at-${host}`, stream: true });
    const reader = response.body?.getReader();
    let came = '';
    for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) {
      came += Buffer.from(read.value).toString();
      // The upstream says no more until the client has read what it said.
      if (came.includes('"content":"Hello"')) gate.resolve();
    }
    expect(came).toContain('[DONE]');
  });

  it('that fails before its first content lets another serve', async () => {
    house.fake.on('/t/', () => talkStream(talkBytes([{ begin: 'x' }, { oops: 'overloaded' }])));
    const answer = await ask({ model: 't-then-bin' }, 'stream');
    expect(saidIn(answer)).toBe(SAID);
    expect(outcomes(await house.receipt(answer.id))).toEqual(['overloaded', 'completed']);
  });

  it.each([
    ['an error event', [{ oops: 'overloaded' }], 'overloaded'],
    ['an early end', [], 'truncated'],
  ])(
    'that breaks in the middle ends in an error, is free (promise 13): %s',
    async (_name, end, outcome) => {
      const framing = FRAMINGS[host];
      const bytes = talkBytes([...talkEvents().slice(0, 3), ...end], framing);
      house.fake.on(`/${host}/`, () => talkStream(bytes, undefined, framing));
      const answer = await ask({ model: `at-${host}` }, 'stream');
      expect(answer.text).toContain('"content":"Hello"');
      expect(answer.last).toMatchObject({ error: { code: 'upstream_error' } });
      expect(answer.text).toContain(`(${outcome})`);
      expect(answer.text).not.toContain('[DONE]');
      expect(await house.receipt(answer.id)).toMatchObject({ total_cost: 0, outcome: 'broken' });
    },
  );

  it('that does not close after its last word still ends the answer', async () => {
    const framing = FRAMINGS[host];
    const bytes = talkBytes(talkEvents(), framing);
    house.fake.on(`/${host}/`, () => talkStream(bytes, [{ do: 'hang' }], framing));
    const answer = await ask({ model: `at-${host}` }, 'stream');
    expect(answer.text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(await house.receipt(answer.id)).toMatchObject({ total_cost: COST });
  });

  it('that is reset after its last word has answered', async () => {
    const framing = FRAMINGS[host];
    const bytes = talkBytes(talkEvents(), framing);
    house.fake.on(`/${host}/`, () => talkStream(bytes, [{ do: 'reset' }], framing));
    const answer = await ask({ model: `at-${host}` }, 'stream');
    expect(answer.text.endsWith('data: [DONE]\n\n')).toBe(true);
  });
});

describe('failover (promise 12)', () => {
  it.each(MODES)('goes from a translated endpoint to one that passes: %s', async (mode) => {
    house.fake.on('/t/', () => jsonReply(503, 'out'));
    const answer = await ask({ model: 't-then-a' }, mode);
    expect(saidIn(answer)).toBe(TEXT);
    expect(outcomes(await house.receipt(answer.id))).toEqual(['overloaded', 'completed']);
  });

  it.each(MODES)('goes from one that passes to a translated one: %s', async (mode) => {
    house.fake.on('/a', () => jsonReply(503, 'out'));
    const answer = await ask({ model: 'a-then-t' }, mode);
    expect(saidIn(answer)).toBe(SAID);
    expect(await house.receipt(answer.id)).toMatchObject({ total_cost: COST, provider_name: 't' });
  });

  it.each([
    ['HTML', '<html>'],
    ['nothing', ''],
    ['an error', '{"oops":"overloaded"}'],
    ['JSON of another dialect', '{"choices":[]}'],
  ])('goes on where a 200 holds %s', async (_name, body) => {
    house.fake.on('/t/', () => jsonReply(200, body));
    for (const mode of MODES) expect(saidIn(await ask({ model: 't-then-a' }, mode))).toBe(TEXT);
  });
});

describe('what an endpoint cannot say', () => {
  it('is never sent there; another serves, and the receipt tells', async () => {
    const answer = await ask({ model: 't-then-a', ...PICTURE });
    expect(saidIn(answer)).toBe(TEXT);
    expect(house.fake.at('/t/')).toHaveLength(0);
    expect(outcomes(await house.receipt(answer.id))).toEqual(['cannot_say', 'completed']);
  });

  it('is the caller’s to mend where nobody can, and costs nothing', async () => {
    const before = await house.credits();
    const { status, whole } = await ask({ model: 't-then-bin', ...PICTURE });
    expect(status).toBe(400);
    expect(whole).toMatchObject({
      error: {
        type: 'invalid_request_error',
        code: 'invalid_request_error',
        param: 'messages[0].content[1]',
        message: 'This host takes text only.',
      },
    });
    expect(await house.credits()).toEqual(before);
  });

  it('does not hide that another endpoint failed', async () => {
    house.fake.on('/a', () => jsonReply(503, 'out'));
    const { status, whole } = await ask({ model: 'a-then-t', ...PICTURE });
    expect(status).toBe(503);
    expect(at(whole, 'error', 'code')).toBe('no_healthy_endpoint');
  });
});

describe('settings that are not taken', () => {
  it.each(MODES)('are told in warnings: %s (contract: Answers, warnings)', async (mode) => {
    const answer = await ask({ model: 'at-t', ...SEEDED, plugin_setting: 1 }, mode);
    const warnings = [
      { code: 'dropped', param: 'seed' },
      { code: 'dropped', param: 'plugin_setting' },
    ];
    expect(answer.last).toMatchObject({ warnings });
    expect(await house.receipt(answer.id)).toMatchObject({ warnings });
  });

  it('of ours are never warned of', async () => {
    const more = { usage: { include: true }, provider: { require_parameters: false } };
    const { last } = await ask({ model: 'at-t', ...more });
    expect(last).not.toHaveProperty('warnings');
  });

  it('refuse the endpoint under provider.require_parameters; another serves (contract: Answers, require_parameters)', async () => {
    const provider = { require_parameters: true };
    expect(saidIn(await ask({ model: 't-then-a', ...SEEDED, provider }))).toBe(TEXT);
    expect(house.fake.at('/t/')).toHaveLength(0);
    expect(parse(house.fake.at('/a')[0]?.body.toString() ?? '')).not.toHaveProperty('provider');
    const alone = await ask({ model: 'at-t', ...SEEDED, provider });
    expect(alone.status).toBe(400);
    expect(alone.whole).toMatchObject({ error: { param: 'seed' } });
    expect(at(alone.whole, 'error', 'message')).toContain('provider.require_parameters');
  });

  it('are none where they are done another way', async () => {
    const provider = { require_parameters: true };
    const body = { response_format: { type: 'json_object' }, provider };
    const { last } = await ask({ model: 'at-t', ...body });
    expect(last).toMatchObject({ warnings: [{ code: 'emulated', param: 'response_format' }] });
  });
});

describe('headers of a codec', () => {
  it('stand beside what the operator set under the same name', async () => {
    await ask({ model: 'at-short' });
    expect(house.fake.at('/short/')[0]?.headers.get('x-talk-beta')).toBe('mine,lines-2');
  });
});

describe('an account that cannot pay the model’s maximum', () => {
  it.each(MODES)('has the answer bounded, and says so: %s', async (mode) => {
    const poor = await createTestGateway({
      creditUsd: '0.01',
      providers: { t: { type: 'openai-compatible', base_url: '/t', api_key: 'k' } },
      models: {
        'at-t': {
          endpoints: [{ provider: 't', price: TEST_PRICE, context: 128_000, max_output: 64_000 }],
        },
      },
      spoken: { t: talkProvider() },
    });
    try {
      poor.fake.on('/t/', (request) => talkReply(modeAt(request)));
      const response = await poor.chat({ model: 'at-t', stream: mode === 'stream' });
      const text = await response.text();
      const most = Number(at(parse(poor.fake.at('/t/')[0]?.body.toString() ?? ''), 'most'));
      expect(most).toBeGreaterThan(256);
      expect(most).toBeLessThan(5_000);
      expect(text).toContain(`The answer was limited to ${most} tokens`);
    } finally {
      await poor.close();
    }
  });
});

describe('a client that leaves', () => {
  /** Once it has read some text; `then` runs when it is gone. */
  async function leave(model: string, then: () => void = () => undefined): Promise<JsonObject> {
    const client = await openRaw(port);
    const headers = [['authorization', `Bearer ${house.keys.live}`]] as const;
    const messages = [{ role: 'user', content: 'Say hello.' }];
    const body = JSON.stringify({ model, messages, stream: true });
    await client.send(requestBytes({ path: '/v1/chat/completions', headers, body }));
    await house.fake.until('the text', () => client.received().includes('wörld'));
    client.reset();
    await client.untilClosed(5_000);
    then();
    await house.untilSettled();
    const entry = house.log.findLast(({ event }) => event === 'request');
    return house.receipt(entry?.fields.request_id ?? null);
  }

  it('pays the input that the upstream stated and what was generated until then', async () => {
    const bytes = talkBytes(talkEvents().slice(0, 4));
    house.fake.on('/short/', () => talkStream(bytes, [{ do: 'hang' }]));
    const output = await house.services.tokens.count(TALK_PIECES.slice(0, 3).join(''));
    expect(await leave('at-short')).toMatchObject({
      cancelled: true,
      waived: null,
      usage_source: 'counted',
      buckets: { input: 11, cache_read: 3, output },
      total_cost: (11 + 0.3 + 2 * output) / 1e6,
    });
    expect(house.fake.at('/short/')[0]?.aborted).not.toBeNull();
  });

  it('pays what the upstream says where that bills on', async () => {
    const gate = Promise.withResolvers<void>();
    const events = talkBytes(talkEvents());
    house.fake.on('/t/', () => [
      ...talkStream(events.slice(0, 4), [{ do: 'until', gate: gate.promise }]),
      ...talkStream(events.slice(4)).slice(1),
    ]);
    expect(await leave('at-t', () => gate.resolve())).toMatchObject({
      cancelled: true,
      usage_source: 'upstream',
      buckets: { input: 11, cache_read: 3, output: 7 },
      total_cost: COST,
    });
    expect(house.fake.at('/t/')[0]).toMatchObject({ finished: true, aborted: null });
  });
});

describe('a host that wants a token for the secret', () => {
  it('is given one, fetched once and kept', async () => {
    for (const mode of MODES) expect(saidIn(await ask({ model: 'at-token' }, mode))).toBe(SAID);
    const [asked] = house.fake.at('/tokens');
    expect(asked?.body.toString()).toBe('sk-canary-upstream-token');
    expect(house.fake.at('/tokens')).toHaveLength(1);
    for (const request of house.fake.at('/token/')) {
      expect(request.headers.get('authorization')).toBe('Token t1');
    }
  });

  it('that does not take it is given another the next time', async () => {
    house.fake.on('/token/', () => jsonReply(401, 'revoked'));
    expect(saidIn(await ask({ model: 'token-then-a' }))).toBe(TEXT);
    serveWell();
    house.fake.forget();
    expect(saidIn(await ask({ model: 'at-token' }))).toBe(SAID);
    expect(house.fake.at('/tokens')).toHaveLength(1);
  });

  it('is left out where it cannot be had: the operator is told, the caller served', async () => {
    house.fake.on('/token/', () => jsonReply(401, 'revoked'));
    await ask({ model: 'token-then-a' });
    house.fake.forget();
    house.fake.on('/tokens', () => jsonReply(401, 'no sk-canary-upstream-token'));
    const answer = await ask({ model: 'token-then-a' });
    expect(saidIn(answer)).toBe(TEXT);
    expect(house.fake.at('/token/')).toHaveLength(0);
    const told = house.log.findLast(({ event }) => event === 'credential_refused');
    expect(told).toMatchObject({ level: 'error', fields: { endpoint: 'token/model-at-token' } });
    const alone = await ask({ model: 'at-token' });
    expect(alone.status).toBe(502);
    expect(JSON.stringify([alone.text, house.log])).not.toContain('sk-canary-upstream');
  });
});

describe('a secret that cannot be used', () => {
  it('is told to the operator, and another endpoint serves', async () => {
    const answer = await ask({ model: 'unusable-then-t' });
    expect(saidIn(answer)).toBe(SAID);
    expect(outcomes(await house.receipt(answer.id))).toEqual(['authentication', 'completed']);
    const told = house.log.findLast(({ event }) => event === 'credential_refused');
    expect(told?.fields.cause).toContain('The secret is no secret.');
  });
});

describe('an answer that passes', () => {
  it('is what it was beside translated endpoints', async () => {
    house.fake.on('/a', (request) => goodReply(modeOf(request.body)));
    expect(saidIn(await ask({ model: 'at-a' }, 'stream'))).toBe(TEXT);
  });
});
