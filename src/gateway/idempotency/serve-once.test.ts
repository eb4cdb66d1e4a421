/**
 * The whole house behind an `Idempotency-Key`, over real sockets: what runs once, what is replayed,
 * what is refused, what leaves and comes back, and what it costs.
 */
import { sql } from 'drizzle-orm';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '#base/clock.ts';
import {
  TEXT,
  deltaEvent,
  errorBody,
  goodReply,
  jsonReply,
  modeOf,
  sseReply,
  streamEvents,
} from '#testing/fake-upstream-replies.ts';
import { openRaw, requestBytes } from '#testing/raw-client.ts';
import { at, stringOf, type JsonObject } from '#testing/recordings-json.ts';
import { answerWell, createTestGateway, type TestGateway } from '#testing/test-gateway.ts';

const HOUR_MS = 3_600_000;
const CHAT = '/v1/chat/completions';
const PROMPT = 'prompt-canary-51c: say hello';

/** The real one, and so much later. */
const later = { ms: 0 };
const clock: Clock = {
  nowMs: () => systemClock.nowMs() + later.ms,
  monotonicMs: () => systemClock.monotonicMs(),
};

let house: TestGateway;
let port = 0;
let url = '';
let keys = 0;
beforeAll(async () => {
  house = await createTestGateway({ clock });
  ({ port, url } = await house.listen());
});
afterEach(async () => {
  house.database.mode = 'works';
  await house.untilSettled();
  house.fake.forget();
  later.ms = 0;
  for (const host of ['a', 'b', 'stops']) house.fake.on(`/${host}`, answerWell);
});
afterAll(() => house.close());

interface Asked {
  readonly key?: string;
  readonly path?: string;
  readonly body?: JsonObject;
  readonly bearer?: string;
}

const newKey = (): string => {
  keys += 1;
  return `key-canary-${keys}`;
};

const bodyOf = (stream: boolean, model = 'at-a'): JsonObject => ({
  model,
  stream,
  max_tokens: 100,
  messages: [{ role: 'user', content: PROMPT }],
});

async function ask({ key, path = CHAT, body = bodyOf(false), bearer }: Asked) {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${bearer ?? house.keys.live}`,
      'content-type': 'application/json',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const header = (name: string): string | null => response.headers.get(name);
  return { status: response.status, header, text, code: codeOf(text) };
}

function codeOf(text: string): string {
  if (!text.startsWith('{')) return '';
  const json: unknown = JSON.parse(text);
  return stringOf(at(json, 'error', 'code'));
}

/** Sends the request, leaves at that moment, and waits until the house is done with it. */
async function leaveWhen(moment: () => boolean, { key = '', body = bodyOf(false) }: Asked) {
  const client = await openRaw(port);
  const headers = [
    ['authorization', `Bearer ${house.keys.live}`],
    ['idempotency-key', key],
  ] as const;
  await client.send(requestBytes({ path: CHAT, headers, body: JSON.stringify(body) }));
  await house.fake.until('the moment to leave', moment);
  client.reset();
}

/** Asks, and changes the record behind the back of the house: it was claimed and is open. */
async function askAndReopen(key: string, owner: string, ageMs = 0) {
  const first = await ask({ key });
  await house.untilSettled();
  const claimedAt = new Date(clock.nowMs() - ageMs);
  await house.database.run(sql`
    update idempotency_records set state = 'claimed', owner = ${owner}, answer = null,
      claimed_at = ${claimedAt}::timestamptz
    where request_id = ${first.header('x-request-id')}`);
  return first;
}

const calls = (host = 'a'): number => house.fake.at(`/${host}`).length;
const gate = () => Promise.withResolvers<void>();

describe('the same key and request', () => {
  it.each([false, true])(
    'run once and are answered byte for byte (stream: %s) (contract: Answers, Idempotency-Key)',
    async (stream) => {
      const key = newKey();
      const body = bodyOf(stream);
      const first = await ask({ key, body });
      await house.untilSettled();
      const before = await house.credits();
      const second = await ask({ key, body });
      const third = await ask({ key, body, path: '/v1/v1/chat/completions' });
      expect(first.status).toBe(200);
      expect(first.text).toContain('Hello');
      for (const again of [second, third]) {
        expect(again).toMatchObject({ status: 200, text: first.text });
        for (const name of ['content-type', 'x-generation-id', 'cache-control']) {
          expect(again.header(name)).toBe(first.header(name));
        }
        expect(again.header('idempotent-replayed')).toBe('true');
        expect(again.header('x-request-id')).not.toBe(first.header('x-request-id'));
      }
      expect(first.header('idempotent-replayed')).toBeNull();
      expect(calls()).toBe(1);
      expect(await house.credits()).toEqual(before);
      const replays = house.log.filter(({ event }) => event === 'replayed');
      const receipts = await Promise.all(
        replays.map(({ fields }) => house.get(`/v1/generation?id=${fields.request_id ?? ''}`)),
      );
      expect(receipts.map(({ status }) => status)).toEqual(receipts.map(() => 404));
    },
  );

  it('50 at once make one upstream call and get one answer (promise 5) (contract: Answers, concurrent twin)', async () => {
    const { promise, resolve } = gate();
    house.fake.on('/a', ({ body }) => [{ do: 'until', gate: promise }, ...goodReply(modeOf(body))]);
    const before = Number((await house.credits())['total_usage']);
    const key = newKey();
    const asked = Array.from({ length: 50 }, () => ask({ key, body: bodyOf(true) }));
    await house.fake.until('all fifty', () => house.lifecycle.running === 50);
    resolve();
    const answers = await Promise.all(asked);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(new Set(answers.map((answer) => answer.header('x-generation-id'))).size).toBe(1);
    expect(answers.filter((answer) => answer.header('idempotent-replayed') === null)).toHaveLength(
      1,
    );
    expect(calls()).toBe(1);
    await house.untilSettled();
    const receipt = await house.receipt(answers[0]?.header('x-generation-id') ?? '');
    const spent = Number((await house.credits())['total_usage']) - before;
    expect(spent).toBeCloseTo(Number(receipt['total_cost']), 12);
  });

  it('are nobody else’s: another caller’s equal key runs', async () => {
    const key = newKey();
    const bearer = await house.createKey();
    const first = await ask({ key });
    const other = await ask({ key, bearer });
    expect(other.header('idempotent-replayed')).toBeNull();
    expect(other.header('x-generation-id')).not.toBe(first.header('x-generation-id'));
    expect(calls()).toBe(2);
  });

  it('run anew after 24 hours, and not a moment before', async () => {
    const key = newKey();
    await ask({ key });
    later.ms = 24 * HOUR_MS - 60_000;
    expect((await ask({ key })).header('idempotent-replayed')).toBe('true');
    later.ms = 24 * HOUR_MS + 1;
    expect((await ask({ key, body: bodyOf(true) })).header('idempotent-replayed')).toBeNull();
    expect((await ask({ key, body: bodyOf(true) })).header('idempotent-replayed')).toBe('true');
    expect(calls()).toBe(2);
  });

  it('give the official client the same pieces again', async () => {
    const client = new OpenAI({ apiKey: house.keys.live, baseURL: `${url}/v1`, maxRetries: 0 });
    const key = newKey();
    const listen = async (): Promise<readonly (string | null | undefined)[]> => {
      const messages = [{ role: 'user', content: PROMPT }] as const;
      const stream = await client.chat.completions.create(
        { model: 'at-a', messages: [...messages], stream: true },
        { headers: { 'Idempotency-Key': key } },
      );
      const pieces = [];
      for await (const { choices } of stream) pieces.push(choices[0]?.delta.content);
      return pieces;
    };
    const first = await listen();
    expect(first.join('')).toBe(TEXT);
    expect(await listen()).toEqual(first);
    expect(calls()).toBe(1);
  });

  it('of embeddings, too', async () => {
    const key = newKey();
    const body = { model: 'sandbox/embedding', input: PROMPT };
    const asked = { key, path: '/v1/embeddings', body, bearer: house.keys.test };
    const first = await ask(asked);
    const again = await ask(asked);
    expect(first.status).toBe(200);
    expect(again.text).toBe(first.text);
    expect(again.header('idempotent-replayed')).toBe('true');
  });
});

describe('the same key is refused (409)', () => {
  it('the same key with another body or path, also while the first runs (contract: Answers, another body)', async () => {
    const { promise, resolve } = gate();
    house.fake.on('/a', () => [{ do: 'until', gate: promise }, ...goodReply('json')]);
    const key = newKey();
    const first = ask({ key });
    await house.fake.until('the first', () => calls() === 1);
    const during = await ask({ key, body: bodyOf(true) });
    resolve();
    await first;
    const after = await ask({ key, body: { ...bodyOf(false), max_tokens: 101 } });
    const elsewhere = await ask({
      key,
      path: '/v1/embeddings',
      body: { ...bodyOf(false), input: 'a' },
    });
    for (const { status, code } of [during, after, elsewhere]) {
      expect({ status, code }).toEqual({ status: 409, code: 'idempotency_key_reused' });
    }
    expect(calls()).toBe(1);
  });

  it.each([
    ['another process runs it', 'owner_other', 0, 'idempotency_in_progress', 'true'],
    [
      'another process had it too long',
      'owner_other',
      HOUR_MS,
      'idempotency_outcome_unknown',
      'false',
    ],
    ['this process died with it', 'owner_test', 0, 'idempotency_outcome_unknown', 'false'],
  ] as const)('%s', async (_name, owner, ageMs, code, retries) => {
    const key = newKey();
    const first = await askAndReopen(key, owner, ageMs);
    const again = await ask({ key });
    expect(again).toMatchObject({ status: 409, code });
    expect(again.header('x-should-retry')).toBe(retries);
    expect(again.header('retry-after')).toBe(retries === 'true' ? '1' : null);
    const isTold = again.text.includes(first.header('x-generation-id') ?? 'none');
    expect(isTold).toBe(retries === 'false');
    expect(calls()).toBe(1);
  });

  it('what the start found open died with the last process, for every process', async () => {
    const key = newKey();
    await askAndReopen(key, 'owner_test');
    expect(await house.services.idempotency.recover()).toBeGreaterThanOrEqual(1);
    await house.database.run(sql`update idempotency_records set owner = 'owner_other'`);
    expect((await ask({ key })).code).toBe('idempotency_outcome_unknown');
  });
});

describe('a key of another form (400)', () => {
  it.each(['', 'a'.repeat(256), 'schlüssel', 'a\tb'])('%j', async (key) => {
    const refused = await ask({ key });
    expect(refused).toMatchObject({ status: 400, code: 'invalid_value' });
    expect(at(JSON.parse(refused.text), 'error', 'param')).toBe('idempotency-key');
    expect(calls()).toBe(0);
  });

  it('255 characters are none', async () => {
    expect((await ask({ key: newKey().padEnd(255, '~') })).status).toBe(200);
  });
});

describe('what came to nothing runs again', () => {
  it('an answer of 502, and one of 400: never kept', async () => {
    const key = newKey();
    house.fake.on('/a', () => jsonReply(500, errorBody('down', null)));
    expect((await ask({ key })).status).toBe(502);
    house.fake.on('/a', () => jsonReply(400, errorBody('bad', null, 'invalid_request_error')));
    expect((await ask({ key })).status).toBe(400);
    house.fake.on('/a', answerWell);
    const good = await ask({ key });
    expect(good.status).toBe(200);
    expect(good.header('idempotent-replayed')).toBeNull();
    expect((await ask({ key })).text).toBe(good.text);
  });

  it('a stream that broke, which is free', async () => {
    const key = newKey();
    const body = bodyOf(true);
    const before = await house.credits();
    house.fake.on('/a', () => sseReply(streamEvents().slice(0, 3), [{ do: 'reset' }]));
    const broken = await ask({ key, body });
    expect(broken.text).not.toContain('[DONE]');
    expect(await house.credits()).toEqual(before);
    house.fake.on('/a', answerWell);
    const good = await ask({ key, body });
    expect(good.text).toContain('[DONE]');
    expect((await ask({ key, body })).text).toBe(good.text);
    expect(calls()).toBe(2);
  });

  it('twins of a failure run one after another, until one succeeds', async () => {
    const key = newKey();
    house.fake.on('/a', (request) =>
      calls() < 3 ? jsonReply(500, errorBody('down', null)) : goodReply(modeOf(request.body)),
    );
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask({ key })));
    expect(answers.filter(({ status }) => status === 502)).toHaveLength(2);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(4);
    expect(calls()).toBe(3);
  });

  it('what was refused before it ran: no credit, no such model', async () => {
    const key = newKey();
    expect((await ask({ key, body: bodyOf(false, 'no-such') })).status).toBe(404);
    expect((await ask({ key })).status).toBe(200);
  });
});

describe('a client that leaves', () => {
  it('an answer that is not streamed is made, billed once, and waits for the retry', async () => {
    const { promise, resolve } = gate();
    house.fake.on('/stops', () => [{ do: 'until', gate: promise }, ...goodReply('json')]);
    const key = newKey();
    const body = bodyOf(false, 'at-stops');
    const before = Number((await house.credits())['total_usage']);
    await leaveWhen(() => calls('stops') === 1, { key, body });
    // It comes back before the first has ended, and waits.
    const again = ask({ key, body });
    await house.fake.until('both', () => house.lifecycle.running === 2);
    resolve();
    const answer = await again;
    expect(answer.text).toContain('Hello');
    expect(answer.header('idempotent-replayed')).toBe('true');
    await house.untilSettled();
    const receipt = await house.receipt(answer.header('x-generation-id'));
    expect(receipt).toMatchObject({ status: 'completed', cancelled: false });
    const spent = Number((await house.credits())['total_usage']) - before;
    expect(spent).toBeCloseTo(Number(receipt['total_cost']), 12);
    expect(spent).toBeGreaterThan(0);
    expect(calls('stops')).toBe(1);
  });

  it('a stream is cancelled, and the retry is told so', async () => {
    house.fake.on('/stops', () => sseReply(streamEvents().slice(0, 4), [{ do: 'hang' }]));
    const key = newKey();
    const body = bodyOf(true, 'at-stops');
    const moment = (): boolean => (house.fake.at('/stops')[0]?.bytesWritten ?? 0) > 0;
    await leaveWhen(moment, { key, body });
    await house.fake.until('the abort', () => house.fake.at('/stops')[0]?.aborted !== null);
    await house.untilSettled();
    const again = await ask({ key, body });
    expect(again).toMatchObject({ status: 409, code: 'idempotency_outcome_unknown' });
    expect(again.text).toContain('you closed the connection');
    const generation = /gen_[0-9a-z]{26}/.exec(again.text)?.[0] ?? null;
    expect(await house.receipt(generation)).toMatchObject({ cancelled: true });
    expect(calls('stops')).toBe(1);
  });

  it('a twin that leaves stops waiting, and the first goes on', async () => {
    const { promise, resolve } = gate();
    house.fake.on('/a', () => [{ do: 'until', gate: promise }, ...goodReply('json')]);
    const key = newKey();
    const first = ask({ key });
    await house.fake.until('the first', () => calls() === 1);
    await leaveWhen(() => house.lifecycle.running === 2, { key });
    await house.fake.until('one is left', () => house.lifecycle.running === 1);
    resolve();
    expect((await first).status).toBe(200);
  });
});

describe('answers above 1 MiB', () => {
  it.each([false, true])('are delivered and not kept (stream: %s)', async (stream) => {
    const part = 'x'.repeat(300_000);
    house.fake.on('/a', () =>
      stream
        ? sseReply([...[1, 2, 3, 4].map(() => deltaEvent({ content: part })), ...streamEvents()])
        : goodReply('json', { pieces: [part, part, part, part] }),
    );
    const key = newKey();
    const body = bodyOf(stream);
    const first = await ask({ key, body });
    expect(first.text.length).toBeGreaterThan(1_200_000);
    const again = await ask({ key, body });
    expect(again).toMatchObject({ status: 409, code: 'idempotency_outcome_unknown' });
    expect(again.text).toContain('1 MiB');
    expect(again.text).toContain(`/v1/generation?id=${first.header('x-generation-id')}`);
    expect(calls()).toBe(1);
  });

  it('just below are kept', async () => {
    const part = 'x'.repeat(1_000_000);
    house.fake.on('/a', () => sseReply([deltaEvent({ content: part }), ...streamEvents()]));
    const key = newKey();
    const first = await ask({ key, body: bodyOf(true) });
    const again = await ask({ key, body: bodyOf(true) });
    expect(again.header('idempotent-replayed')).toBe('true');
    expect(again.text === first.text).toBe(true);
  });
});

describe('a database that fails', () => {
  it('at the claim: 503, nothing runs, and the key is not burnt', async () => {
    const key = newKey();
    await ask({});
    house.fake.forget();
    for (const mode of ['loses answers', 'gone'] as const) {
      house.database.mode = mode;
      const refused = await ask({ key });
      expect(refused).toMatchObject({ status: 503, code: 'service_unavailable' });
      expect(refused.header('x-should-retry')).toBe('true');
    }
    expect(calls()).toBe(0);
    house.database.mode = 'works';
    expect((await ask({ key })).status).toBe(200);
    expect((await ask({ key })).header('idempotent-replayed')).toBe('true');
    expect(calls()).toBe(1);
  });

  it('at the end: the answer is delivered, and its outcome is unknown later', async () => {
    const { promise, resolve } = gate();
    house.fake.on('/a', () => [{ do: 'until', gate: promise }, ...goodReply('json')]);
    const key = newKey();
    const first = ask({ key });
    await house.fake.until('the first', () => calls() === 1);
    house.database.mode = 'gone';
    resolve();
    expect((await first).status).toBe(200);
    await house.fake.until('its end', () => house.lifecycle.running === 0);
    house.database.mode = 'works';
    expect((await ask({ key })).code).toBe('idempotency_outcome_unknown');
    expect(calls()).toBe(1);
  });

  it('at the release: the failed request may still be repeated', async () => {
    const { promise, resolve } = gate();
    const failing = jsonReply(500, errorBody('down', null));
    house.fake.on('/a', () => [{ do: 'until', gate: promise }, ...failing]);
    const key = newKey();
    const first = ask({ key });
    await house.fake.until('the first', () => calls() === 1);
    house.database.mode = 'gone';
    resolve();
    expect((await first).status).toBe(502);
    await house.fake.until('its end', () => house.lifecycle.running === 0);
    house.database.mode = 'works';
    house.fake.on('/a', answerWell);
    expect((await ask({ key })).status).toBe(200);
  });
});

describe('leaks nothing (promise 28)', () => {
  it('into the database: no key, prompt, answer or plain digest of them', async () => {
    const key = newKey();
    const first = await ask({ key });
    await house.untilSettled();
    const rows = await house.database.run(sql`
      select encode(id, 'escape') as id, encode(answer, 'escape') as answer,
        encode(fingerprint, 'hex') as fingerprint, r::text as whole
      from idempotency_records r where request_id = ${first.header('x-request-id')}`);
    expect(rows).toHaveLength(1);
    const dump = JSON.stringify(rows);
    for (const secret of ['canary', 'Hello', first.header('x-generation-id') ?? 'none', 'usage']) {
      expect(dump).not.toContain(secret);
    }
    expect(JSON.stringify(house.log)).not.toContain('key-canary');
  });

  it('to who exchanges two answers in the database', async () => {
    const [mine, theirs] = [newKey(), newKey()];
    await ask({ key: mine });
    const other = await ask({ key: theirs, body: bodyOf(true) });
    await house.untilSettled();
    await house.database.run(sql`
      update idempotency_records set answer = (select answer from idempotency_records
        where request_id = ${other.header('x-request-id')}) where state = 'kept'`);
    const swapped = await ask({ key: mine });
    expect(swapped).toMatchObject({ status: 500, code: 'internal_error' });
  });
});
