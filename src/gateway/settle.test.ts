/** What a request comes to when somebody leaves, breaks or dawdles; a hold never stays behind. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '#base/clock.ts';
import {
  PIECES,
  chunkEvent,
  deltaEvent,
  errorBody,
  goodReply,
  jsonReply,
  sseReply,
  streamEvents,
  writes,
} from '#testing/fake-upstream-replies.ts';
import { LATE_FAULTS, USAGE_LIES, repeatedUsage } from '#testing/fake-upstream-quirks.ts';
import { UPSTREAM_ACCOUNT } from '#testing/fake-upstream-faults.ts';
import { untilTrue, type Step } from '#testing/fake-upstream.ts';
import { openRaw, requestBytes } from '#testing/raw-client.ts';
import { at, objectOf, stringOf, type JsonObject } from '#testing/recordings-json.ts';
import { answerWell, createTestGateway, type TestGateway } from '#testing/test-gateway.ts';

let house: TestGateway;
let port = 0;
beforeAll(async () => {
  house = await createTestGateway();
  ({ port } = await house.listen());
});
afterEach(async () => {
  await house.untilSettled();
  house.fake.forget();
  for (const host of ['a', 'b', 'quick', 'stops']) house.fake.on(`/${host}`, answerWell);
});
afterAll(() => house.close());

const BODY: JsonObject = {
  messages: [{ role: 'user', content: 'Count to a hundred, please.' }],
  max_tokens: 1_000,
};

async function leaveAfter(model: string, stream: boolean, when: () => boolean) {
  const client = await openRaw(port);
  const body = JSON.stringify({ model, ...BODY, stream });
  const headers = [['authorization', `Bearer ${house.keys.live}`]] as const;
  await client.send(requestBytes({ path: '/v1/chat/completions', headers, body }));
  await untilTrue('the moment to leave', when);
  const received = client.received().toString();
  client.reset();
  return { received, client };
}

/** The last line of the log about an ended request; its receipt. */
async function lastReceipt(): Promise<JsonObject> {
  await house.untilSettled();
  const entry = house.log.findLast(({ event }) => event === 'request');
  return house.receipt(entry?.fields.request_id ?? null);
}

const gate = () => Promise.withResolvers<void>();

describe('a client that leaves (promise 10, complaints 1 and 2)', () => {
  it('before the answer stops an upstream that stops, and pays the input', async () => {
    house.fake.on('/stops', () => [{ do: 'hang' }]);
    await leaveAfter('at-stops', true, () => house.fake.at('/stops').length === 1);
    await house.fake.until('the abort', () => house.fake.at('/stops')[0]?.aborted !== null);
    const receipt = await lastReceipt();
    expect(receipt).toMatchObject({ cancelled: true, usage_source: 'counted', usage_flags: [] });
    expect(at(receipt, 'buckets', 'output')).toBe(0);
    expect(Number(at(receipt, 'buckets', 'input'))).toBeGreaterThan(5);
    expect(Number(receipt['total_cost'])).toBeGreaterThan(0);
  });

  it('in the middle stops an upstream that stops, and pays what was produced', async () => {
    house.fake.on('/stops', () => sseReply(streamEvents().slice(0, 4), [{ do: 'hang' }]));
    const text = PIECES.slice(0, 3).join('');
    const { client } = await leaveAfter('at-stops', true, () => client0()?.bytesWritten !== 0);
    await client.untilClosed(5_000);
    await house.fake.until('the abort', () => house.fake.at('/stops')[0]?.aborted !== null);
    const receipt = await lastReceipt();
    expect(receipt).toMatchObject({ cancelled: true, usage_source: 'counted' });
    const produced = await house.services.tokens.count(text);
    expect(Number(at(receipt, 'buckets', 'output'))).toBeLessThanOrEqual(produced);
    expect(Number(receipt['total_cost'])).toBeGreaterThan(0);
  });

  it('in the middle lets an upstream that bills on end, and pays what it says', async () => {
    const left = gate();
    const events = streamEvents();
    house.fake.on('/a', () =>
      sseReply(events.slice(0, 3), [
        { do: 'until', gate: left.promise },
        ...writes(events.slice(3)),
        { do: 'end' },
      ]),
    );
    const { client, received } = await leaveAfter('at-a', true, () => {
      return house.fake.at('/a')[0]?.bytesWritten === events.slice(0, 3).join('').length;
    });
    expect(received).not.toContain('[DONE]');
    await client.untilClosed(5_000);
    await untilTrue('the gateway to notice', () => house.lifecycle.running === 1);
    left.resolve();
    const receipt = await lastReceipt();
    expect(receipt).toMatchObject({
      cancelled: true,
      usage_source: 'upstream',
      buckets: { input: 11, output: 7 },
      total_cost: 0.000_025,
    });
    expect(house.fake.at('/a')[0]).toMatchObject({ finished: true, aborted: null });
  });

  it('before a whole answer of one that bills on pays what it says', async () => {
    const left = gate();
    house.fake.on('/a', () => [{ do: 'until', gate: left.promise }, ...goodReply('json')]);
    const { client } = await leaveAfter('at-a', false, () => house.fake.at('/a').length === 1);
    await client.untilClosed(5_000);
    left.resolve();
    expect(await lastReceipt()).toMatchObject({ cancelled: true, total_cost: 0.000_025 });
  });

  it('pays nothing where the upstream then fails: failures are free', async () => {
    const left = gate();
    const gone = jsonReply(500, errorBody('boom', null));
    house.fake.on('/a', () => [{ do: 'until', gate: left.promise }, ...gone]);
    const before = await house.credits();
    const { client } = await leaveAfter('at-a', true, () => house.fake.at('/a').length === 1);
    await client.untilClosed(5_000);
    left.resolve();
    await house.untilSettled();
    expect(await house.credits()).toEqual(before);
  });

  it('between two attempts pays nothing, and the second is never sent', async () => {
    const left = gate();
    const gone = jsonReply(500, errorBody('boom', null));
    house.fake.on('/a', () => [{ do: 'until', gate: left.promise }, ...gone]);
    const before = await house.credits();
    const { client } = await leaveAfter('a-then-b', true, () => house.fake.at('/a').length === 1);
    await client.untilClosed(5_000);
    left.resolve();
    await house.untilSettled();
    expect(house.fake.at('/b')).toHaveLength(0);
    expect(await house.credits()).toEqual(before);
  });

  it.each([
    ['first', 'at-b', 1],
    ['second', 'a-then-b', 2],
  ])(
    'while its %s attempt is being journalled is not served by it',
    async (_which, model, opening) => {
      house.fake.on('/a', () => jsonReply(500, errorBody('boom', null)));
      const before = await house.credits();
      const abort = new AbortController();
      const { ledger } = house;
      const open = ledger.open.bind(ledger);
      let opened = 0;
      ledger.open = (...attempt) => {
        opened += 1;
        if (opened === opening) abort.abort();
        return open(...attempt);
      };
      try {
        const answer = house.app.request('/v1/chat/completions', {
          method: 'POST',
          signal: abort.signal,
          headers: { authorization: `Bearer ${house.keys.live}` },
          body: JSON.stringify({ model, ...BODY }),
        });
        void Promise.resolve(answer).catch(() => undefined);
        await untilTrue('the client to leave', () => abort.signal.aborted);
        await house.untilSettled();
      } finally {
        ledger.open = open;
      }
      expect(house.fake.at('/b')).toHaveLength(0);
      expect(house.fake.at('/a')).toHaveLength(opening - 1);
      expect(await house.credits()).toEqual(before);
    },
  );
});

function client0() {
  return house.fake.at('/stops')[0];
}

describe('a stream that breaks (promise 13)', () => {
  it.each(LATE_FAULTS.map((fault) => [fault.name, fault] as const))(
    'ends in an error event, is free and is not tried elsewhere: %s',
    async (_name, fault) => {
      const model = fault.slow === true ? 'quick-then-b' : 'a-then-b';
      const host = fault.slow === true ? '/quick' : '/a';
      house.fake.on(host, fault.reply);
      const response = await house.chat({ model, stream: true });
      expect(response.status).toBe(200);
      const text = await response.text();
      const events = text.trimEnd().split('\n\n');
      const said = events
        .slice(0, -1)
        .map((event) => stringOf(at(JSON.parse(event.slice(6)), 'choices', 0, 'delta', 'content')));
      expect(said.join('')).toBe(fault.text);
      const error = objectOf(at(JSON.parse(events.at(-1)?.slice(6) ?? ''), 'error'));
      expect(['upstream_error', 'upstream_timeout']).toContain(error['code']);
      expect(text).not.toContain('[DONE]');
      expect(text).not.toContain(UPSTREAM_ACCOUNT);
      expect(house.fake.at('/b')).toHaveLength(0);
      const receipt = await house.receipt(response.headers.get('x-generation-id'));
      expect(receipt).toMatchObject({ total_cost: 0, outcome: 'broken', waived: 'failed' });
    },
  );
});

describe('usage that lies (promise 26)', () => {
  it.each(
    USAGE_LIES.flatMap((lie) => [
      [lie.name, 'json', lie] as const,
      [lie.name, 'stream', lie] as const,
    ]),
  )('is clamped or counted: %s, %s', async (_name, mode, lie) => {
    house.fake.on('/a', () => goodReply(mode, { usage: lie.usage }));
    const response = await house.chat({ model: 'at-a', stream: mode === 'stream' });
    await response.text();
    const receipt = await house.receipt(response.headers.get('x-generation-id'));
    const cost = Number(receipt['total_cost']);
    expect(cost).toBeGreaterThanOrEqual(0);
    // 128,000 tokens of input and 16,384 of output are all that the model can do.
    expect(cost).toBeLessThanOrEqual(0.128 + 2 * 0.016_384);
    const honest = lie.name === 'a cost of its own';
    const flagged: unknown = expect.arrayContaining([expect.any(String)]);
    expect(receipt['usage_flags']).toEqual(honest ? [] : flagged);
  });

  it('is never free because it could not be read', async () => {
    const unreadable = { prompt_tokens: 'many', completion_tokens: 'more' };
    house.fake.on('/a', () => sseReply(streamEvents({ usage: unreadable })));
    const response = await house.chat({ model: 'at-a', stream: true });
    await response.text();
    const receipt = await house.receipt(response.headers.get('x-generation-id'));
    expect(receipt).toMatchObject({ usage_source: 'counted', usage_flags: ['malformed'] });
    const text = PIECES.join('');
    expect(at(receipt, 'buckets', 'output')).toBe(await house.services.tokens.count(text));
  });

  it.each([false, true])('counts once when repeated (everywhere: %s)', async (everywhere) => {
    house.fake.on('/a', () => repeatedUsage(everywhere));
    const response = await house.chat({ model: 'at-a', stream: true });
    await response.text();
    const receipt = await house.receipt(response.headers.get('x-generation-id'));
    expect(receipt['total_cost']).toBe(0.000_025);
  });

  it('of zero is zero (complaint 4)', async () => {
    const zero = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
    house.fake.on('/a', () => goodReply('json', { usage: zero }));
    const response = await house.chat({ model: 'at-a' });
    const receipt = await house.receipt(response.headers.get('x-generation-id'));
    expect(receipt).toMatchObject({ total_cost: 0, usage_source: 'upstream', usage_flags: [] });
  });

  it('of an empty answer without a reason is waived (promise 11)', async () => {
    const none = { prompt_tokens: 10, completion_tokens: 0, total_tokens: 10 };
    house.fake.on('/a', () => goodReply('json', { pieces: [], finish: null, usage: none }));
    const response = await house.chat({ model: 'at-a' });
    const receipt = await house.receipt(response.headers.get('x-generation-id'));
    expect(receipt).toMatchObject({ total_cost: 0, waived: 'empty' });
  });
});

describe('a journal that cannot be written', () => {
  it('serves nothing: a 503 before anything is sent', async () => {
    house.journalFiles.failure = 'ENOSPC';
    try {
      const response = await house.chat({ model: 'at-a' });
      expect(response.status).toBe(503);
      expect(at(await response.json(), 'error', 'code')).toBe('service_unavailable');
      expect(house.fake.at('/a')).toHaveLength(0);
    } finally {
      house.journalFiles.failure = null;
    }
    const later = await house.chat({ model: 'at-a' });
    expect(later.status).toBe(200);
  });
});

/** Streams more than all buffers on the way take; only the caller's reading makes room. */
const BIG = 'x'.repeat(256 * 1024);
const BIG_COUNT = 250;
const STANDS_STILL_MS = 500;

function streamMuch(host: string, fake: TestGateway['fake']): void {
  const events = Array.from({ length: BIG_COUNT }, () => deltaEvent({ content: BIG }));
  const usage = chunkEvent([], { usage: { prompt_tokens: 1, completion_tokens: 2 } });
  const end: Step[] = [...writes([deltaEvent({}, 'stop'), usage, 'data: [DONE]\n\n'])];
  fake.on(host, () => sseReply(events, [...end, { do: 'end' }]));
}

/** Asks, reads nothing, and waits until nothing moves for longer than the host's timeout. */
async function askAndStall(at0: { house: TestGateway; port: number }, model: string, host: string) {
  const client = await openRaw(at0.port);
  client.pause();
  const body = JSON.stringify({ model, ...BODY, stream: true });
  const headers = [['authorization', `Bearer ${at0.house.keys.live}`]] as const;
  await client.send(requestBytes({ path: '/v1/chat/completions', headers, body }));
  let [written, since] = [0, performance.now()];
  await untilTrue('the upstream to stand still', () => {
    const now = at0.house.fake.at(host)[0]?.bytesWritten ?? 0;
    if (now !== written) [written, since] = [now, performance.now()];
    return written > 0 && performance.now() - since > STANDS_STILL_MS;
  });
  expect(written).toBeLessThan(BIG.length * BIG_COUNT);
  expect(at0.house.fake.at(host)[0]).toMatchObject({ finished: false, aborted: null });
  return client;
}

describe('a reader that is slow (promise 20)', () => {
  it('pauses the upstream, whose timeout does not run meanwhile, and gets everything', async () => {
    streamMuch('/quick', house.fake);
    const client = await askAndStall({ house, port }, 'at-quick', '/quick');
    client.resume();
    await client.receivedAtLeast(BIG.length * BIG_COUNT);
    const answer = await client.answer();
    expect(answer.complete).toBe(true);
    expect(answer.body.toString().match(/"content":"x/g)).toHaveLength(BIG_COUNT);
    expect(answer.body.toString()).toContain('[DONE]');
  });
});

describe('time', () => {
  const shift = { ms: 0 };
  const clock: Clock = {
    nowMs: () => systemClock.nowMs() + shift.ms,
    monotonicMs: () => systemClock.monotonicMs() + shift.ms,
  };
  let late: { house: TestGateway; port: number };
  beforeAll(async () => {
    const other = await createTestGateway({ clock });
    late = { house: other, port: (await other.listen()).port };
  });
  afterEach(async () => {
    await late.house.untilSettled();
    late.house.fake.forget();
  });
  afterAll(() => late.house.close());

  const lastCost = async (): Promise<JsonObject> => {
    await late.house.untilSettled();
    const entry = late.house.log.findLast(({ event }) => event === 'request');
    return late.house.receipt(entry?.fields.request_id ?? null);
  };

  it('that a reader takes nothing for two minutes ends it, and it is not free', async () => {
    streamMuch('/stops', late.house.fake);
    const client = await askAndStall(late, 'at-stops', '/stops');
    shift.ms += 121_000;
    const receipt = await lastCost();
    expect(receipt).toMatchObject({ cancelled: true, waived: null, usage_source: 'counted' });
    expect(Number(receipt['total_cost'])).toBeGreaterThan(0);
    client.reset();
  });

  it('that an upstream has to end after its client left is thirty seconds', async () => {
    late.house.fake.on('/a', () => sseReply(streamEvents().slice(0, 4), [{ do: 'hang' }]));
    const client = await openRaw(late.port);
    const headers = [['authorization', `Bearer ${late.house.keys.live}`]] as const;
    const body = JSON.stringify({ model: 'at-a', ...BODY, stream: true });
    await client.send(requestBytes({ path: '/v1/chat/completions', headers, body }));
    await untilTrue('text', () => client.received().includes('Hello'));
    client.reset();
    await client.untilClosed(5_000);
    const [sent] = late.house.fake.at('/a');
    expect(sent?.aborted).toBeNull();
    await untilTrue('the end', () => {
      shift.ms += 1_000;
      return sent?.aborted !== null;
    });
    expect(await lastCost()).toMatchObject({ cancelled: true, usage_source: 'counted' });
  });

  it("after [DONE] is not the client's: it has its end, and the connection is given up", async () => {
    late.house.fake.on('/a', () => sseReply(streamEvents(), [{ do: 'hang' }]));
    const response = await late.house.chat({ model: 'at-a', stream: true });
    expect(await response.text()).toContain('[DONE]');
    expect(await lastCost()).toMatchObject({ outcome: 'completed', total_cost: 0.000_025 });
    shift.ms += 1_100;
    await untilTrue('the abort', () => late.house.fake.at('/a')[0]?.aborted !== null);
  });
});

describe('a drain (promise 21)', () => {
  it('lets streams end, and refuses what comes anew', async () => {
    const ends = gate();
    const events = streamEvents();
    house.fake.on('/a', () =>
      sseReply(events.slice(0, 2), [
        { do: 'until', gate: ends.promise },
        ...writes(events.slice(2)),
        { do: 'end' },
      ]),
    );
    const response = await house.chat({ model: 'at-a', stream: true });
    house.lifecycle.become({ kind: 'draining' });
    try {
      const refused = await house.chat({ model: 'at-b' });
      expect(refused.status).toBe(503);
      expect(refused.headers.get('x-should-retry')).toBe('true');
      expect(refused.headers.get('connection')).toBe('close');
      expect((await house.get('/ready')).status).toBe(503);
      ends.resolve();
      expect(await response.text()).toContain('[DONE]');
      await house.lifecycle.idle();
    } finally {
      house.lifecycle.become({ kind: 'ready' });
    }
    const receipt = await house.receipt(response.headers.get('x-generation-id'));
    expect(receipt['outcome']).toBe('completed');
  });
});
