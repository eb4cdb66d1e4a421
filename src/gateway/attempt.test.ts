/** Failover over real sockets: tried elsewhere is what another endpoint can do better, only. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#base/clock.ts';
import { buildCatalog } from '#catalog/catalog.ts';
import { isChatModel } from '#catalog/models.ts';
import { EARLY_FAULTS, UPSTREAM_ACCOUNT, type EarlyFault } from '#testing/fake-upstream-faults.ts';
import { errorBody, goodReply, jsonReply, type Mode } from '#testing/fake-upstream-replies.ts';
import { inTurn, refusedPort } from '#testing/fake-upstream.ts';
import { at, listOf, objectOf } from '#testing/recordings-json.ts';
import {
  answerWell,
  createTestGateway,
  TEST_PRICE,
  type TestGateway,
} from '#testing/test-gateway.ts';

const TEXT_OF_B = 'served by B';
const MODES: readonly Mode[] = ['json', 'stream'];
/** The matrix of all faults against the running program is a slow suite; these stand for it. */
const FAULTS = EARLY_FAULTS.filter(({ name }) =>
  [
    '429 with retry-after in seconds',
    '429 without retry-after',
    '500',
    '503',
    '529 overloaded',
    '401 on our key',
    '402 on our account',
    '302 to elsewhere',
    'reset before the headers',
    'reset after the headers',
    'HTML with status 200',
    'an empty body with status 200',
    'a JSON error with status 200',
    'malformed JSON',
    'an error as the first event',
    'comments, then the end',
    'gzip',
  ].includes(name),
);

let house: TestGateway;
beforeAll(async () => {
  const refused = `http://127.0.0.1:${await refusedPort()}`;
  const unreachable = { provider: 'refused', model: 'm', price: TEST_PRICE };
  const b = { provider: 'b', model: 'model-at-b', price: TEST_PRICE };
  house = await createTestGateway({
    providers: { refused: { type: 'openai-compatible', base_url: refused, api_key: 'k' } },
    models: { 'refused-then-b': { endpoints: [unreachable, b] } },
  });
});
afterEach(async () => {
  await house.untilSettled();
  house.fake.forget();
  for (const host of ['a', 'b', 'quick', 'stops']) house.fake.on(`/${host}`, answerWell);
});
afterAll(() => house.close());

function serveB(): void {
  house.fake.on('/b', (request) =>
    goodReply(request.body.includes('"stream":true') ? 'stream' : 'json', { pieces: [TEXT_OF_B] }),
  );
}

async function ask(model: string, mode: Mode) {
  const response = await house.chat({ model, ...(mode === 'stream' ? { stream: true } : {}) });
  const text = await response.text();
  return { response, text, id: response.headers.get('x-generation-id') };
}

async function attemptsOf(id: string | null) {
  const receipt = await house.receipt(id);
  return listOf(receipt['attempts']).map(objectOf);
}

const cases = FAULTS.flatMap((fault) =>
  fault.modes.map((mode): [string, Mode, EarlyFault] => [fault.name, mode, fault]),
);

describe('a failure before the first byte is invisible (promise 12)', () => {
  it.each(cases)('%s, %s', async (_name, mode, fault) => {
    house.fake.on('/a', () => fault.reply(mode));
    serveB();
    const { response, text, id } = await ask('a-then-b', mode);
    expect(response.status).toBe(200);
    expect(text).toContain(TEXT_OF_B);
    expect(text).not.toContain(UPSTREAM_ACCOUNT);
    expect(house.fake.at('/a')).toHaveLength(1);
    const attempts = await attemptsOf(id);
    expect(attempts).toMatchObject([
      { endpoint: 'a/model-at-a', ms: expect.any(Number) },
      { endpoint: 'b/model-at-b', outcome: 'completed', status: 200 },
    ]);
    expect(attempts[0]?.['outcome']).not.toBe('completed');
  });

  it.each(MODES)('a connection refused, %s', async (mode) => {
    serveB();
    const { text, id } = await ask('refused-then-b', mode);
    expect(text).toContain(TEXT_OF_B);
    expect(await attemptsOf(id)).toMatchObject([
      { endpoint: 'refused/m', outcome: 'connect_refused', status: null },
      { outcome: 'completed' },
    ]);
  });

  it.each(MODES)('a host that is silent for its timeout_ms, %s', async (mode) => {
    house.fake.on('/quick', () => [{ do: 'hang' }]);
    serveB();
    const { text, id } = await ask('quick-then-b', mode);
    expect(text).toContain(TEXT_OF_B);
    const [first] = await attemptsOf(id);
    expect(first).toMatchObject({ outcome: 'timeout' });
    expect(Number(first?.['ms'])).toBeGreaterThanOrEqual(290);
    await house.fake.until('A is given up', () => house.fake.at('/quick')[0]?.aborted !== null);
  });

  it('pays only for the one that answered', async () => {
    house.fake.on('/a', () => jsonReply(500, errorBody('boom', null)));
    const before = await house.credits();
    const { id } = await ask('a-then-b', 'json');
    const after = await house.credits();
    expect((await house.receipt(id))['total_cost']).toBe(0.000_025);
    expect(Number(after['total_usage']) - Number(before['total_usage'])).toBeCloseTo(0.000_025, 9);
  });

  it('goes through the keys of one provider in their order', async () => {
    const keyed = await createTestGateway({
      providers: {
        two: { type: 'openai-compatible', base_url: '/two', api_keys: ['first', 'second'] },
      },
      models: { m: { endpoints: [{ provider: 'two', price: TEST_PRICE }] } },
    });
    try {
      keyed.fake.on('/two', inTurn([jsonReply(401, errorBody('bad', null)), goodReply('json')]));
      expect((await keyed.chat({ model: 'm' })).status).toBe(200);
      const sent = keyed.fake.at('/two').map(({ headers }) => headers.get('authorization'));
      expect(sent).toEqual(['Bearer first', 'Bearer second']);
    } finally {
      await keyed.close();
    }
  });
});

describe('when every target fails', () => {
  it.each(cases.filter(([, , fault]) => fault.mayServe !== true))(
    'the status is real, nothing is charged and nothing of ours is told: %s, %s (promises 11, 14)',
    async (_name, mode, fault) => {
      house.fake.on('/a', () => fault.reply(mode));
      const before = await house.credits();
      const { response, text } = await ask('at-a', mode);
      expect(fault.alone.statuses).toContain(response.status);
      expect(fault.alone.codes).toContain(at(JSON.parse(text), 'error', 'code'));
      expect(response.headers.get('x-should-retry')).toBe('false');
      expect(text).not.toMatch(/canary|127\.0\.0\.1/);
      const requestId = response.headers.get('x-request-id');
      const receipt = await house.receipt(requestId);
      expect(receipt).toMatchObject({ total_cost: 0, outcome: 'failed', waived: 'failed' });
      expect(listOf(receipt['attempts'])).toHaveLength(1);
      expect(await house.credits()).toEqual(before);
    },
  );

  it('an outage of our key is never a 401 or 403 of the caller', async () => {
    for (const status of [401, 402, 403]) {
      house.fake.on('/a', () => jsonReply(status, errorBody('no', null)));
      const { response } = await ask('at-a', 'json');
      expect(response.status).toBe(502);
    }
  });

  it('a limit of the provider is told with its pause', async () => {
    house.fake.on('/a', () => jsonReply(429, errorBody('slow', null), [['retry-after', '7']]));
    const { response, text } = await ask('at-a', 'json');
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(JSON.parse(text)).toMatchObject({
      error: { metadata: { limit_source: 'upstream', provider: 'a', retryable: true } },
    });
  });

  it('silence is a 504', async () => {
    house.fake.on('/quick', () => [{ do: 'hang' }]);
    const { response, text } = await ask('at-quick', 'json');
    expect(response.status).toBe(504);
    expect(at(JSON.parse(text), 'error', 'code')).toBe('upstream_timeout');
  });
});

describe('a fault of the caller', () => {
  const said = JSON.stringify({
    error: {
      message: "Unknown tool 'x'.",
      type: 'invalid_request_error',
      param: 'tools[0]',
      code: null,
    },
  });

  it.each(MODES)('is not tried elsewhere and keeps its words and param, %s', async (mode) => {
    house.fake.on('/a', () => jsonReply(400, said));
    const { response, text } = await ask('a-then-b', mode);
    expect(response.status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({
      error: {
        message: expect.stringContaining("Unknown tool 'x'."),
        param: 'tools[0]',
        type: 'invalid_request_error',
        metadata: { provider: 'a', limit_source: 'upstream', retryable: false },
      },
    });
    expect(house.fake.at('/b')).toHaveLength(0);
    const receipt = await house.receipt(response.headers.get('x-request-id'));
    expect(receipt).toMatchObject({ total_cost: 0, outcome: 'failed' });
  });

  it('of too long a prompt has its own code', async () => {
    const long = errorBody(
      'This model has a maximum context length of 10 tokens.',
      'context_length_exceeded',
    );
    house.fake.on('/a', () => jsonReply(400, long));
    const { text } = await ask('at-a', 'json');
    expect(at(JSON.parse(text), 'error', 'code')).toBe('context_length_exceeded');
  });
});

describe('what goes upstream', () => {
  it("is the caller's body with our model and key, and nothing of the caller (promises 32, 38) (contract: Answers, taken out)", async () => {
    await house.chat(
      {
        model: 'at-a',
        models: ['at-b'],
        provider: { require_parameters: true },
        usage: { include: true },
        seed: 7,
        x_unknown: [1],
      },
      {
        'x-forwarded-for': '1.2.3.4',
        cookie: 'a=b',
        'x-custom': 'c',
        'openai-organization': 'org',
      },
    );
    const [sent] = house.fake.at('/a');
    expect(JSON.parse(sent?.body.toString() ?? '')).toEqual({
      messages: [{ role: 'user', content: 'Say hello.' }],
      model: 'model-at-a',
      seed: 7,
      x_unknown: [1],
    });
    expect([...(sent?.headers.keys() ?? [])].toSorted()).toEqual([
      'accept',
      'accept-encoding',
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
      'user-agent',
    ]);
    expect(sent?.headers.get('authorization')).toBe('Bearer sk-canary-upstream-a');
    expect(sent?.path).toBe('/a/chat/completions');
  });

  it('asks for usage in streams, whether or not the caller does', async () => {
    await (await house.chat({ model: 'at-a', stream: true })).text();
    const body: unknown = JSON.parse(house.fake.at('/a')[0]?.body.toString() ?? '');
    expect(at(body, 'stream_options')).toEqual({ include_usage: true });
  });
});

describe('fallbacks of the caller', () => {
  it("are tried in order after the model's own endpoints (contract: Answers, fallbacks)", async () => {
    house.fake.on('/a', () => jsonReply(503, errorBody('down', null)));
    house.fake.on('/stops', () => jsonReply(503, errorBody('down', null)));
    const response = await house.chat({ model: 'at-a', models: ['at-stops', 'at-b'] });
    expect(at(await response.json(), 'provider')).toBe('b');
    const receipt = await house.receipt(response.headers.get('x-generation-id'));
    expect(receipt['model']).toBe('at-b');
    expect(listOf(receipt['attempts']).map((one) => at(one, 'endpoint'))).toEqual([
      'a/model-at-a',
      'stops/model-at-stops',
      'b/model-at-b',
    ]);
  });
});

describe('a model that its host shuts down within sixty days', () => {
  const ending = { id: '', shutdown: '' };
  let late: TestGateway;
  beforeAll(async () => {
    const catalog = buildCatalog();
    if (!catalog.ok) throw new Error('the catalog is broken');
    const [first] = catalog.value.all().flatMap(({ facts, offers }) =>
      offers.flatMap(({ providerId, shutdown }) => {
        const isOurs = providerId === 'openai' && isChatModel(facts) && shutdown !== null;
        return isOurs ? [{ id: facts.id, shutdown }] : [];
      }),
    );
    if (first === undefined) throw new Error('no model of the catalog has an end');
    Object.assign(ending, first);
    const dayBeforeMs = Date.parse(first.shutdown) - 86_400_000;
    const clock = { ...systemClock, nowMs: () => dayBeforeMs };
    late = await createTestGateway({ clock });
  });
  afterAll(() => late.close());

  it('is served, and every answer says when it ends', async () => {
    late.fake.on('/stops', answerWell);
    const response = await late.chat({ model: ending.id });
    const [warning, ...others] = listOf(at(await response.json(), 'warnings')).map(objectOf);
    expect(warning).toMatchObject({ code: 'deprecated', param: 'model' });
    expect(warning?.['message']).toContain(`'${ending.id}' shuts down on ${ending.shutdown}`);
    expect(others).toEqual([]);
    await late.untilSettled();
  });
});
