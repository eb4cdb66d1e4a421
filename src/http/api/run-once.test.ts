/** Management POSTs with an `Idempotency-Key`: one key, one rotation, one grant, however often. */
import { sql } from 'drizzle-orm';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '#base/ids.ts';
import { silentLog } from '#base/log.ts';
import { DatabaseUnavailable } from '#store/database.ts';
import { at, stringOf, type JsonObject } from '#testing/recordings-json.ts';
import { createTestGateway, type TestGateway } from '#testing/test-gateway.ts';
import { answerError } from '../error-answer.ts';
import type { ApiEnv } from './ports.ts';
import { runOnce } from './run-once.ts';

let house: TestGateway;
let url = '';
beforeAll(async () => {
  house = await createTestGateway();
  ({ url } = await house.listen());
});
afterAll(() => house.close());

interface Asked {
  readonly path: string;
  readonly body?: unknown;
  readonly key?: string;
  readonly bearer?: string;
  readonly method?: string;
}

async function ask({ path, body = {}, key = '', bearer, method = 'POST' }: Asked) {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${bearer ?? house.keys.management}`,
      'content-type': 'application/json',
      'idempotency-key': key,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const json: unknown = JSON.parse(text);
  const { status, headers } = response;
  return { status, headers, text, json, code: stringOf(at(json, 'error', 'code')) };
}

async function totalCredits(): Promise<number> {
  return Number((await house.credits())['total_credits']);
}

async function keysNamed(name: string): Promise<number> {
  const rows = await house.database.run(sql`select id from api_keys where name = ${name}`);
  return rows.length;
}

const DRAFT: JsonObject = { name: 'made once', limit: 5 };

describe('a management POST with a key (contract: Answers, Idempotency-Key)', () => {
  it('makes one API key, and gives its secret again', async () => {
    const asked = { path: '/v1/keys', body: DRAFT, key: 'make-1' };
    const first = await ask(asked);
    const again = await ask(asked);
    expect(first.status).toBe(201);
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    expect(again).toMatchObject({ status: 201, text: first.text });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
    for (const name of ['content-type', 'cache-control', 'x-content-type-options']) {
      expect(again.headers.get(name)).toBe(first.headers.get(name));
    }
    expect(await keysNamed('made once')).toBe(1);
    const secret = stringOf(at(again.json, 'key'));
    expect((await house.get('/v1/key', secret)).status).toBe(200);
  });

  it('keeps that secret encrypted: a dump of the database does not have it', async () => {
    const made = await ask({ path: '/v1/keys', body: DRAFT, key: 'make-2' });
    const secret = stringOf(at(made.json, 'key'));
    expect(secret).toMatch(/^sk-omx-live-/);
    const rows = await house.database.run(sql`
      select r::text as row, encode(answer, 'escape') as answer, encode(answer, 'base64') as text
      from idempotency_records r`);
    const keys = await house.database.run(sql`select k::text as row from api_keys k`);
    const dump = JSON.stringify([rows, keys]);
    expect(rows.length).toBeGreaterThan(0);
    const hex = Buffer.from(secret).toString('hex');
    for (const form of [secret, hex, Buffer.from(secret).toString('base64').slice(0, 40)]) {
      expect(dump).not.toContain(form);
    }
    expect(dump).not.toContain('make-2');
    expect(JSON.stringify(house.log)).not.toContain(secret);
  });

  it('rotates once: the secret that was given is the one that works', async () => {
    const made = await ask({ path: '/v1/keys', body: { name: 'turned' }, key: 'make-3' });
    const path = `/v1/keys/${stringOf(at(made.json, 'data', 'hash'))}/rotate`;
    const first = await ask({ path, key: 'turn-1', body: { overlap_seconds: 0 } });
    const again = await ask({ path, key: 'turn-1', body: { overlap_seconds: 0 } });
    expect(first.status).toBe(201);
    expect(again.text).toBe(first.text);
    expect((await house.get('/v1/key', stringOf(at(again.json, 'key')))).status).toBe(200);
  });

  it('grants once, also of 20 at the same moment (promise 5)', async () => {
    const before = await totalCredits();
    const body = { amount_usd: '7.5', reason: 'once' };
    const asked = { path: '/v1/credits/grants', body, key: 'grant-1' };
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(asked)));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.every(({ status }) => status === 201)).toBe(true);
    expect(await totalCredits()).toBe(before + 7.5);
    const other = await ask({ ...asked, key: 'grant-2' });
    expect(other.headers.get('idempotent-replayed')).toBeNull();
    expect(await totalCredits()).toBe(before + 15);
  });

  it('refuses another body and another path under the same key', async () => {
    const grant = { amount_usd: '1', reason: 'a' };
    await ask({ path: '/v1/credits/grants', body: grant, key: 'same-1' });
    const body = { ...grant, amount_usd: '2' };
    const changed = await ask({ path: '/v1/credits/grants', body, key: 'same-1' });
    const moved = await ask({ path: '/v1/keys', body: grant, key: 'same-1' });
    expect([changed.status, changed.code]).toEqual([409, 'idempotency_key_reused']);
    expect([moved.status, moved.code]).toEqual([409, 'idempotency_key_reused']);
  });

  it('keeps no refusal: what was wrong may be put right under the same key', async () => {
    const path = '/v1/credits/grants';
    const wrong = await ask({ path, body: { amount_usd: '-1', reason: 'a' }, key: 'right-1' });
    expect(wrong.status).toBe(400);
    const denied = { path, body: { amount_usd: '1', reason: 'a' }, bearer: house.keys.live };
    expect((await ask({ ...denied, key: 'right-2' })).status).toBe(403);
    expect((await ask({ ...denied, key: 'right-2' })).status).toBe(403);
    const good = await ask({ path, body: { amount_usd: '1', reason: 'a' }, key: 'right-1' });
    expect(good.status).toBe(201);
  });

  it('never repeats what may have happened: after a 503 of ours the outcome is unknown', async () => {
    const app = new Hono<ApiEnv>();
    let runs = 0;
    app.use(async (context, next) => {
      const found = await house.identity.authenticate(house.keys.management);
      if (!found.ok) throw new Error('no caller');
      context.set('requestId', newId('req_'));
      context.set('caller', found.value);
      await next();
    });
    app.use(runOnce({ idempotency: house.services.idempotency, log: silentLog }));
    app.post('/grants', () => {
      runs += 1;
      throw new DatabaseUnavailable('the answer was lost');
    });
    app.onError((thrown, context) => {
      const request = { requestId: context.get('requestId'), method: 'POST' };
      return answerError(silentLog, thrown, request);
    });
    const send = async (): Promise<Response> =>
      app.request('/grants', { method: 'POST', headers: { 'idempotency-key': 'lost-1' } });
    const first = await send();
    expect([first.status, first.headers.get('x-should-retry')]).toEqual([503, 'false']);
    const again = await send();
    expect(at(await again.json(), 'error', 'code')).toBe('idempotency_outcome_unknown');
    expect(runs).toBe(1);
  });

  it('takes no other method, and refuses bodies that are too large before it claims', async () => {
    const large = JSON.stringify({ name: 'x'.repeat(70_000) });
    expect((await ask({ path: '/v1/keys', body: large, key: 'large-1' })).status).toBe(413);
    const made = await ask({ path: '/v1/keys', body: DRAFT, key: 'large-1' });
    const path = `/v1/keys/${stringOf(at(made.json, 'data', 'hash'))}`;
    const change = { path, body: { name: 'b' }, key: 'patch-1', method: 'PATCH' };
    const changed = await ask(change);
    expect([changed.status, changed.headers.get('idempotent-replayed')]).toEqual([200, null]);
    expect((await ask(change)).headers.get('idempotent-replayed')).toBeNull();
    expect((await ask({ path: '/v1/keys', body: DRAFT, key: '' })).code).toBe('invalid_value');
  });
});
