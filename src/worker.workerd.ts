/**
 * The whole story inside workerd, over a real Postgres and an upstream on a socket: key, chat,
 * stream, hold, refusal, disconnect, settlement, receipt, and the death of the ledger's object.
 */
import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { sql } from 'drizzle-orm';
import OpenAI from 'openai';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import { z } from 'zod';
import { newId } from '#base/ids.ts';
import { nanoUsd } from '#base/money.ts';
import type { RemoteLedger } from '#ledger/worker-ledger.ts';
import type { Database } from '#store/database.ts';
import { updateKey } from '#store/key-store.ts';
import { verifyLedger } from '#store/ledger-verify.ts';
import { openWorkerPostgres } from '#store/postgres.worker.ts';
import { PIECES, USAGE } from '#testing/fake-upstream-replies.ts';
import { at, objectOf, type JsonObject } from '#testing/recordings-json.ts';
import type { SeenRequest } from '#testing/worker-upstream.ts';
import worker from './worker.ts';

const { keys, organizationId, upstream } = inject('workerWorld');
/** What a good answer of the upstream costs: 11 tokens in at $1, 7 out at $2 a million. */
const COST = 0.000025;
const LATER_MS = 600_000;
const REVOKED_WITHIN_MS = 5_000;

afterEach(() => {
  vi.useRealTimers();
});

function request(path: string, key: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${key}`);
  headers.set('content-type', 'application/json');
  return exports.default.fetch(new Request(`http://omnix.test${path}`, { ...init, headers }));
}

interface ChatHeaders {
  readonly signal?: AbortSignal;
  readonly 'idempotency-key'?: string;
}

function chat(
  content: string,
  more: JsonObject = {},
  key = keys.live,
  { signal, ...headers }: ChatHeaders = {},
): Promise<Response> {
  const messages = [{ role: 'user', content }];
  const body = JSON.stringify({ model: 'at-a', messages, ...more });
  return request('/v1/chat/completions', key, {
    method: 'POST',
    body,
    headers: { ...headers },
    signal: signal ?? null,
  });
}

async function dataOf(path: string, key = keys.live): Promise<JsonObject> {
  const response = await request(path, key);
  expect(response.status).toBe(200);
  return objectOf(at(await response.json(), 'data'));
}

const receiptOf = (response: Response): Promise<JsonObject> =>
  dataOf(`/v1/generation?id=${response.headers.get('x-generation-id') ?? ''}`);

async function errorCode(response: Response): Promise<unknown> {
  return at(await response.json(), 'error', 'code');
}

const seenSchema = z.array(
  z.object({ path: z.string(), aborted: z.boolean(), finished: z.boolean() }),
);

/** What reached the upstream with this word in the prompt. */
async function seen(word: string): Promise<readonly SeenRequest[]> {
  const response = await fetch(`${upstream}/_seen?${encodeURIComponent(word)}`);
  return seenSchema.parse(await response.json());
}

const client = (key: string): OpenAI =>
  new OpenAI({
    apiKey: key,
    baseURL: 'http://omnix.test/v1',
    maxRetries: 0,
    fetch: (url, init) =>
      exports.default.fetch(new Request(url instanceof URL ? url.href : url, init)),
  });

const object = (id = organizationId): RemoteLedger => env.LEDGER.getByName(id);

/** How many rows of the object's own database are there. */
function rowsOf(table: 'holds' | 'outcomes', id = organizationId): Promise<number> {
  return runInDurableObject(object(id), (_instance, { storage }) => {
    return [...storage.sql.exec(`SELECT 1 FROM ${table}`)].length;
  });
}

/** The Worker's own way to the database. */
function postgres(): Database {
  return openWorkerPostgres({ hyperdrive: env.HYPERDRIVE, waitUntil: () => undefined });
}

/** When it wants to be woken; null: it sleeps. */
function alarmOf(id: string): Promise<number | null> {
  return runInDurableObject(object(id), (_instance, { storage }) => storage.getAlarm());
}

describe('keys', () => {
  it('no key and a wrong one are refused, and nobody is asked upstream', async () => {
    expect(await errorCode(await chat('hi-401', {}, ''))).toBe('invalid_api_key');
    const wrong = keys.live.slice(0, -1) + (keys.live.endsWith('a') ? 'b' : 'a');
    expect(await errorCode(await chat('hi-401', {}, wrong))).toBe('invalid_api_key');
    expect(await seen('hi-401')).toEqual([]);
  });

  it('one that is made serves, and stops serving when it is deleted (promise 24)', async () => {
    const body = JSON.stringify({ name: 'made here' });
    const made = await request('/v1/keys', keys.management, { method: 'POST', body });
    const { key, data } = objectOf(await made.json());
    expect((await chat('hi', {}, String(key))).status).toBe(200);
    const path = `/v1/keys/${String(at(data, 'hash'))}`;
    expect((await request(path, keys.management, { method: 'DELETE' })).status).toBe(200);
    expect((await chat('hi', {}, String(key))).status).toBe(401);
  });

  it('one that is disabled elsewhere stops serving here within 5 s', async () => {
    const made = await request('/v1/keys', keys.management, {
      method: 'POST',
      body: JSON.stringify({ name: 'disabled elsewhere' }),
    });
    const { key, data } = objectOf(await made.json());
    expect((await chat('hi', {}, String(key))).status).toBe(200);
    const id = String(at(data, 'hash'));
    await updateKey(postgres(), { organizationId, id }, { disabled: true });
    const until = Date.now() + REVOKED_WITHIN_MS;
    await expect.poll(async () => (await chat('hi', {}, String(key))).status).toBe(401);
    expect(Date.now()).toBeLessThan(until);
  });
});

describe('a Worker that is not configured', () => {
  it('answers 503, says why to its log alone, and asks nobody', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const asked = new Request('http://omnix.test/v1/models');
    const response = await worker.fetch(asked, Object.assign({ ...env }, { OMNIX_SECRET: 'x' }));
    expect([response.status, await errorCode(response)]).toEqual([503, 'service_unavailable']);
    expect(told.mock.calls.join()).toContain('OMNIX_SECRET: expected at least 16 characters');
    told.mockRestore();
  });
});

describe('the official client', () => {
  it('chats, and the receipt has the cost', async () => {
    const { data, response } = await client(keys.live)
      .chat.completions.create({ model: 'at-a', messages: [{ role: 'user', content: 'hi' }] })
      .withResponse();
    expect(data.choices[0]?.message.content).toBe(PIECES.join(''));
    expect(data.usage).toMatchObject({ ...USAGE, cost: COST });
    expect(await receiptOf(response)).toMatchObject({ total_cost: COST, streamed: false });
  });

  it('streams', async () => {
    const stream = client(keys.live).chat.completions.stream({
      model: 'at-a',
      messages: [{ role: 'user', content: 'hi' }],
    });
    expect(await stream.finalContent()).toBe(PIECES.join(''));
    expect(await stream.totalUsage()).toMatchObject(USAGE);
  });

  it('uses the sandbox with a test key, counted by the real tokenizer', async () => {
    const answer = await client(keys.test).chat.completions.create({
      model: 'sandbox/echo',
      messages: [{ role: 'user', content: 'Hello OmniX' }],
    });
    expect(answer.choices[0]?.message.content).toBe('Hello OmniX');
    expect(answer.usage?.completion_tokens).toBe(3);
  });

  it('hears of an upstream that fails, and pays nothing (promise 11)', async () => {
    const response = await chat('FAIL');
    expect(response.status).toBe(503);
    expect(await receiptOf(response)).toMatchObject({ total_cost: 0 });
  });
});

describe('a repeated request (promise 5)', () => {
  it('of many at once one reaches the upstream, whole or streamed, and one is paid', async () => {
    for (const stream of [false, true]) {
      const word = `once-${String(stream)}`;
      const before = await dataOf('/v1/credits');
      const ask = () => chat(word, { stream }, keys.live, { 'idempotency-key': word });
      const answers = await Promise.all(Array.from({ length: 20 }, ask));
      const texts = await Promise.all(answers.map((answer) => answer.text()));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(new Set(texts).size).toBe(1);
      expect(await seen(word)).toHaveLength(1);
      expect(await (await ask()).text()).toBe(texts[0]);
      const after = await dataOf('/v1/credits');
      expect(Number(after['total_usage']) - Number(before['total_usage'])).toBeCloseTo(COST, 9);
    }
  });
});

describe('credit', () => {
  it('promise 1: many at once on little credit are never served beyond it', async () => {
    const before = await dataOf('/v1/credits', keys.poor);
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => chat('hi', { max_tokens: 300 }, keys.poor)),
    );
    const statuses = answers.map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200, 402]));
    const served = statuses.filter((status) => status === 200).length;
    const after = await dataOf('/v1/credits', keys.poor);
    expect(Number(after['total_usage'])).toBeCloseTo(served * COST, 9);
    expect(Number(after['available'])).toBeCloseTo(Number(before['available']) - served * COST, 9);
    expect(after['held']).toBe(0);
  });

  it('what cannot be paid is a 402 that says why, and nobody is asked upstream', async () => {
    const refused = await chat('too-dear', { max_tokens: 10_000 }, keys.poor);
    expect([refused.status, await errorCode(refused)]).toEqual([402, 'insufficient_credits']);
    expect(await seen('too-dear')).toEqual([]);
  });

  it("a key's own limit holds, and a new one holds at once", async () => {
    const asked = { max_tokens: 600 };
    const refused = await chat('hi', asked, keys.limited);
    expect([refused.status, await errorCode(refused)]).toEqual([402, 'key_limit_exceeded']);
    const hash = at(await dataOf('/v1/key', keys.limited), 'hash');
    const path = `/v1/keys/${String(hash)}`;
    const body = JSON.stringify({ limit: 1 });
    expect((await request(path, keys.management, { method: 'PATCH', body })).status).toBe(200);
    expect((await chat('hi', asked, keys.limited)).status).toBe(200);
  });
});

describe('settlement', () => {
  it('reaches Postgres through the queue, and then the object forgets it (contract: Starting, Postgres on Workers)', async () => {
    const response = await chat('hi', {}, keys.limited);
    expect(response.status).toBe(200);
    await expect.poll(() => rowsOf('outcomes')).toBe(0);
    expect(await rowsOf('holds')).toBe(0);
    const { usage } = await dataOf('/v1/key', keys.limited);
    expect(Number(usage)).toBeGreaterThanOrEqual(COST);
  });

  it('the receipt and the credit know a request at once, posted or not', async () => {
    const before = await dataOf('/v1/credits');
    expect(await receiptOf(await chat('hi'))).toMatchObject({ total_cost: COST });
    const after = await dataOf('/v1/credits');
    expect(Number(after['total_usage']) - Number(before['total_usage'])).toBeCloseTo(COST, 9);
  });
});

describe('a client that leaves (promise 10)', () => {
  it('ends the upstream, and pays for what was produced', async () => {
    const word = 'HANG-and-leave';
    const response = await chat(word, { model: 'at-stops', stream: true });
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await expect.poll(async () => (await seen(word))[0]?.aborted).toBe(true);
    await expect.poll(() => rowsOf('holds')).toBe(0);
    const receipt = await receiptOf(response);
    expect(receipt).toMatchObject({ cancelled: true, usage_source: 'counted' });
    expect(Number(receipt['total_cost'])).toBeGreaterThan(0);
  });

  it('ends the upstream also before the first byte, and pays for the input', async () => {
    const word = 'SLOW-and-leave';
    const leaving = new AbortController();
    const asked = chat(word, { model: 'at-stops' }, keys.live, { signal: leaving.signal }).catch(
      () => null,
    );
    await expect.poll(async () => (await seen(word)).length).toBe(1);
    const before = await dataOf('/v1/credits');
    leaving.abort();
    await expect.poll(async () => (await seen(word))[0]?.aborted).toBe(true);
    await asked;
    await expect.poll(() => rowsOf('holds')).toBe(0);
    const after = await dataOf('/v1/credits');
    expect(Number(after['total_usage'])).toBeGreaterThan(Number(before['total_usage']));
  });
});

describe("the death of the ledger's object", () => {
  it('promise 2: in mid-request, and the request is settled once all the same', async () => {
    const before = await dataOf('/v1/credits');
    const asked = chat('SLOW-and-crash');
    await expect.poll(async () => (await seen('SLOW-and-crash')).length).toBe(1);
    expect(await rowsOf('holds')).toBe(1);
    await abortAllDurableObjects();
    const response = await asked;
    expect(response.status).toBe(200);
    expect(await receiptOf(response)).toMatchObject({ total_cost: COST });
    await expect.poll(() => rowsOf('outcomes')).toBe(0);
    const after = await dataOf('/v1/credits');
    expect(Number(after['total_usage']) - Number(before['total_usage'])).toBeCloseTo(COST, 9);
    expect(after['held']).toBe(0);
  });

  it('promise 4: an isolate that dies leaves a hold; the alarm voids it, a late outcome counts', async () => {
    const before = await dataOf('/v1/credits');
    const requestId = newId('req_');
    const amount = nanoUsd(1_000_000_000n);
    const of = { organizationId, keyId: 'key_dead', keyLimited: false, book: 'live' } as const;
    const held = await object().hold({ requestId, ...of, amount });
    if (!held.ok) throw new Error(held.error.reason);
    await object().open(held.value, 0, nanoUsd(7_000n));
    expect(await dataOf('/v1/credits')).toMatchObject({ held: 1 });
    await abortAllDurableObjects();
    expect(await dataOf('/v1/credits')).toMatchObject({ held: 1 });

    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(Date.now() + LATER_MS);
    expect(await runDurableObjectAlarm(object())).toBe(true);
    expect(await rowsOf('holds')).toBe(0);
    const voided = await dataOf('/v1/credits');
    expect([voided['held'], voided['total_usage']]).toEqual([0, before['total_usage']]);

    const detail = '{"model":"late"}';
    await object().settle(held.value, { attempt: 0, cost: nanoUsd(20_000n), detail });
    await object().settle(held.value, { attempt: 0, cost: nanoUsd(20_000n), detail });
    await expect.poll(() => rowsOf('outcomes')).toBe(0);
    const receipt = await object().readReceipt(organizationId, requestId);
    expect(receipt).toMatchObject({ ok: true, value: { kind: 'correction', cost: 20_000n } });
  });

  it('what was leased and lies idle goes back, and then it sleeps; the books balance (promise 3)', async () => {
    await chat('hi');
    await expect.poll(() => alarmOf(organizationId)).toBeNull();
    await expect.poll(() => alarmOf('org_poor')).toBeNull();
    const database = postgres();
    expect(await database.run(sql`SELECT * FROM leases WHERE amount <> 0`)).toEqual([]);
    expect(await verifyLedger(database)).toEqual([]);
  });
});
