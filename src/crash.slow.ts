/**
 * Kill -9 under load, ten times: the serving process alone, or everything that it started as well.
 * What a caller got whole is posted once and at the price that the caller was told, nothing is
 * posted twice, no credit is stranded, and the next start is clean.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goodReply, modeOf } from '#testing/fake-upstream-replies.ts';
import { startFakeUpstream, type FakeUpstream, type Reply } from '#testing/fake-upstream.ts';
import { numberOf, stringOf, type JsonObject } from '#testing/recordings-json.ts';
import { readBooks } from '#testing/server-books.ts';
import { startLoad, type CompleteAnswer } from '#testing/server-load.ts';
import { startServer, type TestServer } from '#testing/server.ts';

const CALLERS = 12;
/**
 * Callers whose upstream waits until just before the kill, so that many answers end at that moment.
 */
const PARKED_CALLERS = 8;
const ANSWERS_BEFORE_KILL = 120;
const GRANTED_USD = 1_000;
const NANO_A_DOLLAR = 1e9;
const PRICE = { input: '2.5', output: '10' };
const VICTIMS = ['the server', 'the whole group'] as const;
const ROUNDS = Array.from({ length: 10 }, (_, round) => ({
  round: round + 1,
  victim: VICTIMS[round % 2] ?? VICTIMS[0],
}));

interface Gate {
  open: () => void;
  opened: Promise<void>;
}

describe('promises 2, 3: kill -9 under load', () => {
  let fake: FakeUpstream;
  let server: TestServer;
  let key: string;
  /** What callers got whole, with the request's id as the receipt tells it. */
  const complete: (CompleteAnswer & { readonly requestId: string })[] = [];
  const gate: Gate = { open: () => undefined, opened: Promise.resolve() };

  /** A slow host: its bytes come in several reads, and parked ones wait for the gate half-way. */
  function answer(asked: Buffer): Reply {
    const mode = modeOf(asked);
    const [head, ...rest] = goodReply(mode);
    if (head === undefined) throw new Error('an empty script');
    const parked = asked.includes('parked');
    const pause = parked
      ? ({ do: 'until', gate: gate.opened } as const)
      : ({ do: 'wait', ms: 3 } as const);
    return mode === 'stream'
      ? [head, ...rest.slice(0, 2), pause, ...rest.slice(2)]
      : [pause, head, ...rest];
  }

  function closeGate(): void {
    gate.opened = new Promise((resolve) => {
      gate.open = resolve;
    });
  }

  function body(caller: number, n: number): JsonObject {
    const content = caller < PARKED_CALLERS ? 'parked' : `question ${n}`;
    const stream = (caller + n) % 2 === 0;
    return { model: 'slow', max_tokens: 100, stream, messages: [{ role: 'user', content }] };
  }

  beforeAll(async () => {
    fake = await startFakeUpstream();
    fake.on('/', (request) => answer(request.body));
    const provider = { type: 'openai-compatible', base_url: fake.origin, api_key: 'sk-canary' };
    const endpoint = { provider: 'host', model: 'slow', price: PRICE };
    const config = { providers: { host: provider }, models: { slow: { endpoints: [endpoint] } } };
    server = await startServer({ config });
    await server.grant(String(GRANTED_USD));
    ({ key } = await server.createKey());
  });

  afterAll(async () => {
    await server?.dispose();
    await fake?.close();
  });

  it.each(ROUNDS)('round $round: $victim dies and comes back', async ({ round, victim }) => {
    closeGate();
    const load = startLoad({
      baseUrl: server.baseUrl,
      key,
      callers: CALLERS + PARKED_CALLERS,
      body,
    });
    await fake.until('answers', () => load.complete.length >= ANSWERS_BEFORE_KILL, 60_000);
    gate.open();
    // A different moment each round: with none, some or most of the parked answers on their way.
    const more = load.complete.length + (round - 1) * 2;
    await fake.until('a few more', () => load.complete.length >= more, 60_000);
    await (victim === 'the server' ? server.kill9() : server.killGroup9());
    await load.stop();
    expect(load.refusals).toEqual([]);
    expect(load.broken()).toBeGreaterThan(0);
    await server.restart();
    for (const answered of load.complete) {
      const receipt = await server.receipt(answered.generationId);
      expect(numberOf(receipt['total_cost'])).toBe(answered.cost);
      complete.push({ ...answered, requestId: stringOf(receipt['request_id']) });
    }
    await expect.poll(async () => (await server.credits()).held, { timeout: 5_000 }).toBe(0);
    const credits = await server.credits();
    expect(toNano(credits.total_credits)).toBe(toNano(GRANTED_USD));
    expect(toNano(credits.available)).toBe(
      toNano(credits.total_credits) - toNano(credits.total_usage),
    );
  });

  it('the server still answers, and stops cleanly', async () => {
    const asked = body(PARKED_CALLERS, 0);
    const answered = await server.call('/v1/chat/completions', { key, body: asked });
    expect(answered.status).toBe(200);
    await server.receipt(answered.headers.get('x-generation-id') ?? '');
    expect(await server.terminate()).toBe(0);
  });

  it('the books are sound: each answer once, entries sum to zero, no lease is out', async () => {
    const books = await readBooks(server.dataDir);
    expect(books.differences).toEqual([]);
    expect(books.openLeases).toBe(0);
    const costs = new Map<string, bigint[]>();
    for (const { requestId, costNano } of books.postings) {
      costs.set(requestId, [...(costs.get(requestId) ?? []), costNano]);
    }
    const wrong = complete.filter(({ requestId, cost }) => {
      const posted = costs.get(requestId) ?? [];
      return posted.length !== 1 || posted[0] !== BigInt(toNano(cost));
    });
    expect(wrong).toEqual([]);
    expect(complete.length).toBeGreaterThanOrEqual(ROUNDS.length * ANSWERS_BEFORE_KILL);
    const requests = books.postings.map(({ requestId, kind }) => `${requestId} ${kind}`);
    expect(new Set(requests).size).toBe(requests.length);
    // No more postings than the host served: nothing was made up.
    const billed = books.postings.filter(({ costNano }) => costNano > 0n);
    expect(billed.length).toBeLessThanOrEqual(fake.received.length);
  });

  it('starts once more on the same directory, with the same totals', async () => {
    const paid = complete.reduce((sum, { cost }) => sum + toNano(cost), 0);
    await server.restart();
    const credits = await server.credits();
    expect(credits.held).toBe(0);
    expect(toNano(credits.total_usage)).toBeGreaterThanOrEqual(paid);
  });
});

function toNano(dollars: number): number {
  return Math.round(dollars * NANO_A_DOLLAR);
}
