/**
 * Errors that an upstream says in an answer that began with 200: they mean what the same words
 * would mean with their status, and leak no more.
 */
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '#base/clock.ts';
import { jsonReply, sseReply, writes, type Mode } from '#testing/fake-upstream-replies.ts';
import { talkBytes, talkEvents, talkProvider, talkStream } from '#testing/test-dialect.ts';
import {
  answerWell,
  createTestGateway,
  TEST_PRICE,
  type TestGateway,
} from '#testing/test-gateway.ts';

const later = { ms: 0 };
const clock: Clock = {
  nowMs: () => systemClock.nowMs() + later.ms,
  monotonicMs: () => systemClock.monotonicMs() + later.ms,
};
const CANARY = 'canary of a prompt';

let house: TestGateway;
beforeAll(async () => {
  house = await createTestGateway({
    clock,
    spoken: { t: talkProvider() },
    providers: { t: { type: 'openai', base_url: '/t', api_key: 'k' } },
    models: { 'at-t': { endpoints: [{ provider: 't', model: 'm', price: TEST_PRICE }] } },
  });
});
afterEach(async () => {
  await house.untilSettled();
  house.fake.forget();
  for (const host of ['a', 'b']) house.fake.on(`/${host}`, answerWell);
});
afterAll(() => house.close());

function complain(error: object, mode: Mode = 'json'): void {
  const text = JSON.stringify({ error });
  house.fake.on('/a', () =>
    mode === 'json' ? jsonReply(200, text) : sseReply([`data: ${text}\n\n`]),
  );
}

async function failureOf(model: string, mode: Mode = 'json'): Promise<unknown> {
  const messages = [{ role: 'user' as const, content: CANARY }];
  const stream = mode === 'stream';
  return house.client.chat.completions.create({ model, messages, stream }).then(
    () => 'served',
    (error: unknown) => error,
  );
}

const MODES: readonly Mode[] = ['json', 'stream'];

describe('an error inside an answer', () => {
  it.each(MODES)('is the error that its code says, %s', async (mode) => {
    complain({ code: 429, message: 'slow down' }, mode);
    expect(await failureOf('at-a', mode)).toBeInstanceOf(OpenAI.RateLimitError);
    complain({ code: 'rate_limit_exceeded', message: 'slow down' }, mode);
    expect(await failureOf('at-a', mode)).toBeInstanceOf(OpenAI.RateLimitError);
    complain({ code: 503, message: 'overloaded' }, mode);
    expect(await failureOf('at-a', mode)).toMatchObject({ status: 503 });
    complain({ message: 'something broke' }, mode);
    expect(await failureOf('at-a', mode)).toMatchObject({ status: 502, code: 'upstream_error' });
  });

  it.each(MODES)(
    "is told as it is where it is the caller's own, and tried nowhere else, %s",
    async (mode) => {
      const message = "This model's maximum context length is 8 tokens.";
      complain({ code: 400, message }, mode);
      const error = await failureOf('a-then-b', mode);
      expect(error).toBeInstanceOf(OpenAI.BadRequestError);
      expect(error).toMatchObject({ code: 'context_length_exceeded' });
      expect(house.fake.at('/b')).toHaveLength(0);
    },
  );

  it.each(MODES)('lets another serve where the host is at fault, %s', async (mode) => {
    complain({ code: 401, message: 'Incorrect API key provided' }, mode);
    expect(await failureOf('a-then-b', mode)).toBe('served');
    const entry = house.log.findLast(({ event }) => event === 'credential_refused');
    expect(entry).toMatchObject({ level: 'error', fields: { outcome: 'authentication' } });
  });

  it.each(MODES)(
    'puts nothing that it says into the log or before the caller, %s',
    async (mode) => {
      const secret = 'sk-upstream-SECRET1234567890';
      complain({ code: `${secret} ${'z'.repeat(500)}`, message: `no: ${CANARY}` }, mode);
      const error = await failureOf('at-a', mode);
      const receipt = JSON.stringify(house.log);
      for (const hidden of [secret, CANARY, 'zzz']) {
        expect(String(error)).not.toContain(hidden);
        expect(receipt).not.toContain(hidden);
      }
    },
  );
});

describe('a refusal by status', () => {
  it("leaves the provider's own name for it in the log, if it is a name", async () => {
    const codes = async (code: string): Promise<unknown> => {
      house.fake.on('/a', () =>
        jsonReply(403, JSON.stringify({ error: { code, message: CANARY } })),
      );
      await failureOf('at-a');
      const entry = house.log.findLast(({ event }) => event === 'credential_refused');
      return entry?.fields.upstream_code;
    };
    expect(await codes('project_access_denied')).toBe('project_access_denied');
    expect(await codes('sk-upstream-SECRET1234567890')).toBeUndefined();
    expect(JSON.stringify(house.log)).not.toContain(CANARY);
  });

  it.each(MODES)('is not waited for longer than its head is worth, %s', async (mode) => {
    house.fake.on('/a', () => [
      { do: 'head', status: 429, headers: [['retry-after', '7']] },
      { do: 'write', bytes: '{"error":' },
      { do: 'hang' },
    ]);
    const failing = failureOf('at-a', mode);
    await house.fake.until('the request', () => house.fake.at('/a')[0]?.bytesWritten === 9);
    later.ms += 6_000;
    expect(await failing).toBeInstanceOf(OpenAI.RateLimitError);
    expect(await failing).toMatchObject({ headers: expect.anything() });
  });
});

describe('an upstream that says that it is at it', () => {
  it('may think for longer than one that says nothing', async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const [again, done] = gates;
    house.fake.on('/t', () => [
      ...talkStream(talkBytes(talkEvents().slice(0, 1)), []),
      { do: 'until', gate: again?.promise ?? Promise.resolve() },
      ...writes(talkBytes(talkEvents().slice(0, 1))),
      { do: 'until', gate: done?.promise ?? Promise.resolve() },
      ...writes(talkBytes(talkEvents().slice(1))),
      { do: 'end' },
    ]);
    house.fake.on('/a', () => [{ do: 'hang' }]);
    const silent = failureOf('at-a', 'stream');
    const asked = failureOf('at-t', 'stream');
    const written = () => house.fake.at('/t')[0]?.bytesWritten ?? 0;
    await house.fake.until('its first word', () => written() > 0);
    await house.fake.until('the other', () => house.fake.at('/a').length === 1);
    const first = written();
    later.ms += 100_000;
    again?.resolve();
    await house.fake.until('its second word', () => written() > first);
    // What came was read before the answer to what was asked after it.
    house.fake.on('/b', answerWell);
    expect(await failureOf('at-b')).toBe('served');
    later.ms += 100_000;
    // The timer of all deadlines has looked.
    expect(await silent).toMatchObject({ status: 504 });
    done?.resolve();
    expect(await asked).toBe('served');
  });
});

describe('an upstream that goes on after the last event', () => {
  it('is given up all the same', async () => {
    house.fake.on('/a', (request) => {
      const reply = answerWell(request).filter((step) => step.do !== 'end');
      const ping = { do: 'write', bytes: ': ping\n\n' } as const;
      const wait = { do: 'wait', ms: 50 } as const;
      return [...reply, ...Array.from({ length: 200 }, () => [wait, ping]).flat()];
    });
    expect(await failureOf('at-a', 'stream')).toBe('served');
    await house.fake.until(
      'it to be given up',
      () => (house.fake.at('/a')[0]?.aborted ?? null) !== null,
      5_000,
    );
  });
});
