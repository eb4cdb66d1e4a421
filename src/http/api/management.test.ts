/** The management routes, driven as a caller drives them, over books and keys kept in memory. */
import { describe, expect, it } from 'vitest';
import { newId } from '#base/ids.ts';
import { nanoUsd, ZERO_USD } from '#base/money.ts';
import { showReceipt } from '#gateway/receipt-reading.ts';
import type { Receipt } from '#ledger/ledger.ts';
import {
  FOREIGN,
  NOW_MS,
  ORGANIZATION,
  startHouse,
  type CallInit,
} from '#testing/management-rig.ts';
import { creditGrantResponseSchema, creditsResponseSchema } from '#wire/credits.ts';
import { generationResponseSchema } from '#wire/generation.ts';
import {
  keyCreatedResponseSchema,
  keyDeletedResponseSchema,
  keyListResponseSchema,
  keyResponseSchema,
  ownKeyResponseSchema,
} from '#wire/keys.ts';

function draft(fields: object = {}): string {
  return JSON.stringify({ name: 'ci', ...fields });
}

describe('keys work', () => {
  it('are made, listed, read, changed and deleted (contract: Keys and callers, POST /v1/keys; GET PATCH DELETE /v1/keys; keyed HMAC)', async () => {
    const { call, records } = await startHouse();
    const made = await call('/keys', { body: draft({ limit: 12.5 }) });
    expect(made.status).toBe(201);
    const { data, key } = keyCreatedResponseSchema.parse(made.json);
    expect(data).toMatchObject({ name: 'ci', mode: 'live', limit: 12.5, limit_remaining: 12.5 });
    expect(key).toContain('sk-omx-live-');

    const path = `/keys/${data.hash}`;
    const listed = keyListResponseSchema.parse((await call('/keys?limit=1')).json);
    expect(listed.data.map((item) => item.hash)).toEqual([data.hash]);
    expect(listed.has_more).toBe(true);
    expect(JSON.stringify(listed)).not.toContain(key);

    const body = JSON.stringify({ name: 'renamed', disabled: true, limit: null });
    const changed = keyResponseSchema.parse((await call(path, { method: 'PATCH', body })).json);
    expect(changed.data).toMatchObject({ name: 'renamed', disabled: true, limit: null });
    expect(keyResponseSchema.parse((await call(path)).json).data).toEqual(changed.data);

    const deleted = await call(path, { method: 'DELETE' });
    expect(keyDeletedResponseSchema.parse(deleted.json).hash).toBe(data.hash);
    expect(records.has(data.hash)).toBe(false);
    expect((await call(path)).status).toBe(404);
  });

  it.each([
    [{}, 'inference', 'live'],
    [{ mode: 'test' }, 'inference', 'test'],
    [{ type: 'management' }, 'management', null],
  ])('%j makes a key of type %s and mode %s', async (fields, type, mode) => {
    const { call } = await startHouse();
    const made = keyCreatedResponseSchema.parse(
      (await call('/keys', { body: draft(fields) })).json,
    );
    expect(made.data).toMatchObject({ type, mode, limit: null });
  });

  it.each([
    ['0.1', 100_000_000n],
    ['"0.000000001"', 1n],
    ['0.30000000000000', 300_000_000n],
    ['123456.123456789', 123_456_123_456_789n],
    ['0', 0n],
    ['5.0', 5_000_000_000n],
  ])('the limit %s is enforced to the last nano-dollar', async (text, nano) => {
    const { call, records } = await startHouse();
    const made = await call('/keys', { body: `{"name":"a","limit":${text}}` });
    const { hash } = keyCreatedResponseSchema.parse(made.json).data;
    expect(records.get(hash)?.limit).toBe(nano);
  });

  it('shows amounts as exact numbers, and what is left of a limit never below zero (contract: Keys and callers, amounts)', async () => {
    const { call, usage } = await startHouse();
    const made = await call('/keys', { body: '{"name":"a","limit":"0.000000002"}' });
    const { hash } = keyCreatedResponseSchema.parse(made.json).data;
    const used = nanoUsd(123_456_789_012_345_678n);
    usage.set(hash, { total: used, daily: nanoUsd(1n), weekly: ZERO_USD, monthly: used });
    const { text } = await call(`/keys/${hash}`);
    expect(text).toContain('"limit":0.000000002,"limit_remaining":0,');
    expect(text).toContain('"usage":123456789.012345678,"usage_daily":0.000000001,');
  });

  it('are rotated: the same key, a new secret, shown once (contract: Keys and callers, rotation; hash)', async () => {
    const { call } = await startHouse();
    const made = keyCreatedResponseSchema.parse((await call('/keys', { body: draft() })).json);
    const path = `/keys/${made.data.hash}`;
    const rotated = await call(`${path}/rotate`, { body: '{"overlap_seconds":3600}' });
    expect(rotated.status).toBe(201);
    const { data, key } = keyCreatedResponseSchema.parse(rotated.json);
    expect(key).not.toBe(made.key);
    expect(data).toEqual({
      ...made.data,
      label: data.label,
      old_secrets: [{ label: made.data.label, expires_at: '2026-11-20T01:00:00.000Z' }],
    });
    const shown = await call(path);
    expect(keyResponseSchema.parse(shown.json).data).toEqual(data);
    expect(shown.text).not.toContain(key);
  });

  it('carry what they were given, lose it with null, and keep what a change leaves out', async () => {
    const { call } = await startHouse();
    const powers = {
      expires_at: '2030-01-02T03:04:05.000Z',
      models: ['gpt-4o', 'openai/gpt-4o-mini'],
      metadata: { team: 'search', empty: '' },
      tags: ['prod', 'eu'],
    };
    const made = await call('/keys', { body: draft(powers) });
    const { data } = keyCreatedResponseSchema.parse(made.json);
    expect(data).toMatchObject(powers);
    const change = async (fields: object) => {
      const body = JSON.stringify(fields);
      const changed = await call(`/keys/${data.hash}`, { method: 'PATCH', body });
      return keyResponseSchema.parse(changed.json).data;
    };
    expect(await change({ name: 'b' })).toMatchObject({ name: 'b', ...powers });
    expect(await change({ metadata: { team: 'ads' } })).toMatchObject({
      ...powers,
      metadata: { team: 'ads' },
    });
    const none = { expires_at: null, models: null, providers: null };
    const gone = await change({ ...none, metadata: null, tags: [] });
    expect(gone).toMatchObject({ ...none, metadata: {}, tags: [] });
  });

  it('let an inference key see itself (contract: Keys and callers, GET /v1/key)', async () => {
    const { call, live } = await startHouse();
    const own = ownKeyResponseSchema.parse((await call('/key', { as: 'live' })).json).data;
    expect(own).toMatchObject({
      hash: live.keyId,
      label: expect.stringContaining('...'),
      usage: 0,
    });
  });
});

describe('credit works', () => {
  it('is granted exactly and told with who granted it (contract: Keys and callers, grants)', async () => {
    const { call, grants, owner } = await startHouse();
    const body = '{"amount_usd": 999999.999999999, "reason": " launch "}';
    const granted = await call('/credits/grants', { body });
    expect(granted.status).toBe(201);
    expect(granted.text).toContain('"amount_usd":999999.999999999,"reason":"launch"');
    creditGrantResponseSchema.parse(granted.json);
    expect(grants).toEqual([
      {
        organizationId: ORGANIZATION,
        book: 'live',
        amount: 999_999_999_999_999n,
        reason: 'launch',
        grantedBy: owner.keyId,
      },
    ]);
  });

  it('of the sandbox is granted where that is asked for', async () => {
    const { call, grants } = await startHouse();
    const granted = await call('/credits/grants', {
      body: '{"amount_usd": 1, "reason": "more tests", "mode": "test"}',
    });
    expect(creditGrantResponseSchema.parse(granted.json).data.mode).toBe('test');
    expect(grants).toMatchObject([{ book: 'test', amount: 1_000_000_000n }]);
    const other = await call('/credits/grants', {
      body: '{"amount_usd": 1, "reason": "x", "mode": "both"}',
    });
    expect(other.status).toBe(400);
  });

  it('is shown to every key, to a test key that of the sandbox (contract: Keys and callers, GET /v1/credits)', async () => {
    const { call } = await startHouse();
    const live = await call('/credits', { as: 'live' });
    expect(live.text).toBe(
      '{"data":{"total_credits":10.000000001,"total_usage":1,"held":0,"available":9.000000001}}',
    );
    creditsResponseSchema.parse(live.json);
    expect((await call('/credits', { as: 'test' })).text).toContain('"total_credits":0.000000007,');
  });
});

function receiptOf(requestId: string, fields: Partial<Receipt> = {}): Receipt {
  return {
    requestId,
    keyId: 'key_x',
    book: 'live',
    kind: 'swept',
    cost: ZERO_USD,
    badDebt: ZERO_USD,
    admittedAtMs: NOW_MS,
    detail: '{"swept":true}',
    ...fields,
  };
}

/** What the gateway records of a request, cut to what a receipt cannot do without. */
const DETAIL = {
  v: 1,
  model: 'm',
  provider: 'sandbox',
  outcome: 'completed',
  streamed: true,
  latency_ms: 30,
  first_byte_ms: 10,
  native_finish: 'stop',
  buckets: { input: 10, output: 1 },
  cost: '0.000000009',
  attempts: [{ endpoint: 'sandbox', outcome: 'completed', status: 200, ms: 30 }],
  price: {
    version: 'v1',
    list: { input: '0.001', output: '0.009' },
    tiers: [],
    source: 'config',
    effectiveFrom: '2026-11-20',
  },
};

describe('receipts work', () => {
  const requestId = newId('req_');
  const generationId = requestId.replace('req_', 'gen_');

  it('show the gateway’s record with the cost that was posted', async () => {
    const { call, receipts } = await startHouse();
    const detail = showReceipt(JSON.stringify(DETAIL));
    const cost = nanoUsd(123_456_789_012_345_678n);
    receipts.set(requestId, receiptOf(requestId, { kind: 'outcome', cost, detail }));
    for (const id of [generationId, requestId]) {
      const found = await call(`/generation?id=${id}`, { as: 'live' });
      expect(found.status).toBe(200);
      expect(found.text).toContain('"total_cost":123456789.012345678,"usage":123456789.012345678');
      expect(generationResponseSchema.parse(found.json).data).toMatchObject({
        id: generationId,
        request_id: requestId,
        model: 'm',
        provider_name: 'sandbox',
        finish_reason: 'stop',
        attempts: [{ endpoint: 'sandbox', outcome: 'completed', ms: 30 }],
        created_at: '2026-11-20T00:00:00.000Z',
        status: 'completed',
      });
    }
  });

  it('say of a request in which the process died that nothing was charged', async () => {
    const { call, receipts } = await startHouse();
    receipts.set(requestId, receiptOf(requestId));
    const found = await call(`/generation?id=${generationId}`);
    expect(generationResponseSchema.parse(found.json).data).toMatchObject({
      id: generationId,
      total_cost: 0,
      status: 'interrupted',
    });
  });

  it.each(['gen_', 'gen_x', 'req_%00', '..%2f', generationId])('%s is a 404', async (id) => {
    const { call } = await startHouse();
    const found = await call(`/generation?id=${id}`);
    expect(found.status).toBe(404);
    expect(found.json).toMatchObject({ error: { code: 'not_found', param: 'id' } });
  });

  it('need an id, and nothing else', async () => {
    const { call } = await startHouse();
    expect((await call('/generation')).json).toMatchObject({
      error: { code: 'missing_required_parameter', param: 'id' },
    });
    expect((await call('/generation?id=a&ids=b')).json).toMatchObject({
      error: { code: 'unknown_parameter', param: 'ids' },
    });
  });
});

describe('roles and organizations, promise 29', () => {
  const managed: readonly (readonly [string, CallInit])[] = [
    ['/keys', {}],
    ['/keys', { body: draft() }],
    ['/keys/key_x', {}],
    ['/keys/key_x', { method: 'PATCH', body: '{"disabled":true}' }],
    ['/keys/key_x', { method: 'DELETE' }],
    ['/keys/key_x/rotate', { body: '{"overlap_seconds":0}' }],
    ['/credits/grants', { body: '{"amount_usd":1,"reason":"mine"}' }],
  ];

  it.each(managed)('an inference key may not call %s %j', async (path, init) => {
    const { call, grants, records } = await startHouse();
    const before = records.size;
    for (const as of ['live', 'test'] as const) {
      const refused = await call(path, { ...init, as });
      expect(refused.status).toBe(403);
      expect(refused.json).toMatchObject({ error: { code: 'permission_denied' } });
      expect(refused.text).toContain('only a management key');
    }
    expect(grants).toEqual([]);
    expect(records.size).toBe(before);
  });

  it('nobody reaches a key or a receipt of another organization, promise 27', async () => {
    const { call, addCaller, live, limitsChanged, receipts, records } = await startHouse();
    await addCaller('management', FOREIGN);
    const requestId = newId('req_');
    receipts.set(requestId, receiptOf(requestId));
    const path = `/keys/${live.keyId}`;
    const body = '{"limit":0,"disabled":true}';
    for (const init of [{}, { method: 'PATCH', body }, { method: 'DELETE' }]) {
      const refused = await call(path, { ...init, organization: FOREIGN });
      expect(refused.status).toBe(404);
    }
    const rotation = { body: '{"overlap_seconds":0}', organization: FOREIGN };
    expect((await call(`${path}/rotate`, rotation)).status).toBe(404);
    const generation = await call(`/generation?id=${requestId}`, { organization: FOREIGN });
    expect(generation.status).toBe(404);
    expect(records.get(live.keyId)).toMatchObject({ disabled: false, limit: null });
    expect(limitsChanged).toEqual([]);
    const list = keyListResponseSchema.parse((await call('/keys', { organization: FOREIGN })).json);
    expect(list.data).toHaveLength(1);
  });

  it.each(['organization_id', 'kind', 'hash', 'usage', 'label', 'secret', 'created_at'])(
    'the field %s cannot be assigned',
    async (field) => {
      const { call, live } = await startHouse();
      const body = JSON.stringify({ name: 'a', [field]: FOREIGN });
      for (const [path, method] of [
        ['/keys', 'POST'],
        [`/keys/${live.keyId}`, 'PATCH'],
      ] as const) {
        const refused = await call(path, { method, body });
        expect(refused.status).toBe(400);
        expect(refused.json).toMatchObject({ error: { code: 'unknown_parameter', param: field } });
      }
    },
  );

  it('a management key cannot lock itself out', async () => {
    const { call, owner, records } = await startHouse();
    const path = `/keys/${owner.keyId}`;
    expect((await call(path, { method: 'DELETE' })).status).toBe(400);
    expect((await call(path, { method: 'PATCH', body: '{"disabled":true}' })).status).toBe(400);
    expect(records.get(owner.keyId)?.disabled).toBe(false);
  });

  it('an unknown key is a 401, also where nothing is to be found', async () => {
    const { call } = await startHouse();
    const refused = await call('/keys/key_x', { organization: 'org_none' });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toContain('Bearer');
  });
});

describe('what is not served yet is refused by name', () => {
  it.each(['limit_reset', 'rpm', 'tpm', 'max_concurrency', 'project_id'])(
    'the field %s of a key (contract: Keys and callers, limit_reset; rpm and tpm; project_id)',
    async (field) => {
      const { call } = await startHouse();
      const refused = await call('/keys', { body: draft({ [field]: null }) });
      expect(refused.json).toMatchObject({
        error: { code: 'unsupported_parameter', param: field },
      });
    },
  );

  it('several fields at once, the expiry of a grant and a header (contract: Keys and callers, expiry of a grant; later fields)', async () => {
    const { call } = await startHouse();
    const several = await call('/keys', { body: draft({ rpm: 1, tpm: 1 }) });
    expect(several.text).toContain("'rpm', 'tpm' are not available yet");
    const grant = { amount_usd: 1, reason: 'r', expires_at: '2027-01-01' };
    const expiring = await call('/credits/grants', { body: JSON.stringify(grant) });
    expect(expiring.json).toMatchObject({ error: { param: 'expires_at' } });
    const headers = { 'x-omnix-explain': '1' };
    const explained = await call('/keys', { body: draft(), headers });
    expect(explained.json).toMatchObject({ error: { param: 'x-omnix-explain' } });
  });
});

describe('malformed input, promise 36', () => {
  it.each([
    ['NaN', 'invalid_json'],
    ['-1', 'invalid_value'],
    ['1e400', 'invalid_value'],
    ['1e2', 'invalid_value'],
    ['0.0000000001', 'invalid_value'],
    ['1000000.000000001', 'invalid_value'],
    ['"12,5"', 'invalid_value'],
    [`"${'9'.repeat(50_000)}"`, 'invalid_value'],
    ['[1]', 'invalid_type'],
    ['true', 'invalid_type'],
    ['{"$gt":0}', 'invalid_type'],
  ])('the amount %.40s is refused as %s, and nothing is granted', async (text, code) => {
    const { call, grants, records } = await startHouse();
    const before = records.size;
    const granted = await call('/credits/grants', { body: `{"reason":"r","amount_usd":${text}}` });
    const made = await call('/keys', { body: `{"name":"a","limit":${text}}` });
    for (const refused of [granted, made]) {
      expect(refused.status).toBe(400);
      expect(refused.json).toMatchObject({ error: { code } });
      expect(refused.text.length).toBeLessThan(800);
    }
    expect(grants).toEqual([]);
    expect(records.size).toBe(before);
  });

  it.each(['0', '"0"', '-0', 'null'])('a grant of %s is none', async (text) => {
    const { call } = await startHouse();
    const refused = await call('/credits/grants', {
      body: `{"reason":"r","amount_usd":${text}}`,
    });
    expect(refused.status).toBe(400);
    expect(refused.json).toMatchObject({ error: { param: 'amount_usd' } });
  });

  it.each([
    ['no name', '{}', 'missing_required_parameter'],
    ['a name of spaces', '{"name":"  "}', 'invalid_value'],
    ['a zero byte', String.raw`{"name":"a\u0000"}`, 'invalid_value'],
    ['half a surrogate pair', String.raw`{"name":"\ud800"}`, 'invalid_value'],
    ['a huge name', draft({ name: 'x'.repeat(60_000) }), 'invalid_value'],
    ['a number for a name', '{"name":1.0}', 'invalid_type'],
    ['a list', '[{"name":"a"}]', 'invalid_json'],
    ['nothing', '', 'invalid_json'],
    ['half a body', '{"name":', 'invalid_json'],
    ['two values', '{"name":"a"} {}', 'invalid_json'],
    ['a repeated field', '{"name":"a","name":"b"}', 'repeated_key'],
    ['a prototype', '{"name":"a","__proto__":{"type":"management"}}', 'unknown_parameter'],
    ['a constructor', '{"name":"a","constructor":1}', 'unknown_parameter'],
    ['absurd depth', `{"name":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 'nesting_too_deep'],
    ['an unknown mode', draft({ mode: 'prod' }), 'invalid_value'],
    ['a mode of a management key', draft({ type: 'management', mode: 'test' }), 'invalid_value'],
    ['a limit of a management key', draft({ type: 'management', limit: 1 }), 'invalid_value'],
  ])('%s is a 400', async (_name, body, code) => {
    const { call, records } = await startHouse();
    const before = records.size;
    const refused = await call('/keys', { body });
    expect(refused.status).toBe(400);
    expect(refused.json).toMatchObject({ error: { code } });
    expect(records.size).toBe(before);
  });

  it('bytes that are no UTF-8 are a 400', async () => {
    const { call } = await startHouse();
    const body = new Uint8Array([...new TextEncoder().encode('{"name":"'), 0xff, 0x22, 0x7d]);
    expect((await call('/keys', { body })).json).toMatchObject({ error: { code: 'invalid_json' } });
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])(
    'the content type "%s" is a 415',
    async (type) => {
      const { call } = await startHouse();
      const refused = await call('/keys', { body: draft(), headers: { 'content-type': type } });
      expect(refused.status).toBe(415);
    },
  );

  it.each(['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/vnd.a+json'])(
    'the content type "%s" is taken',
    async (type) => {
      const { call } = await startHouse();
      const made = await call('/keys', { body: draft(), headers: { 'content-type': type } });
      expect(made.status).toBe(201);
    },
  );

  it('a body over 64 KiB is a 413, with and without its length, promise 37', async () => {
    const { call, app } = await startHouse();
    const told = await call('/keys', { body: draft({ name: 'x'.repeat(70_000) }) });
    expect(told.status).toBe(413);
    expect(told.text).toContain('64 KiB');
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new Uint8Array(8192).fill(0x20));
      },
    });
    const headers = {
      authorization: `management ${ORGANIZATION}`,
      'content-type': 'application/json',
    };
    // Node wants `duplex` with a stream, and the DOM's types do not know it.
    const options = { method: 'POST', headers, body: endless, duplex: 'half' };
    const request = new Request('http://local/keys', options);
    expect((await app.request(request)).status).toBe(413);
    expect(pulled).toBeLessThan(20);
  });

  it.each([
    'limit=0',
    'limit=101',
    'limit=1e1',
    'limit=',
    'offset=-1',
    'offset=9999999999',
    'limt=5',
  ])('the query %s is a 400', async (query) => {
    const { call } = await startHouse();
    expect((await call(`/keys?${query}`)).status).toBe(400);
  });

  it('a method that a path does not take is a 405 that lists those that it takes', async () => {
    const { call } = await startHouse();
    const refused = await call('/keys', { method: 'PUT', body: '{}' });
    expect(refused.status).toBe(405);
    expect(refused.headers.get('allow')).toBe('GET, POST');
  });
});

describe('answers and outages', () => {
  it('are private, never stored, and carry a request id, also errors', async () => {
    const { call } = await startHouse();
    for (const path of ['/key', '/generation?id=x']) {
      const { headers } = await call(path);
      expect(headers.get('cache-control')).toBe('private, no-store');
      expect(headers.get('x-request-id')).toMatch(/^req_/);
      expect(headers.get('content-type')).toContain('application/json');
    }
  });

  it('are a 503 without the host’s name, retried only where nothing can happen twice, promise 23', async () => {
    const { call, outage } = await startHouse();
    outage.now = true;
    const read = await call('/credits');
    expect(read.status).toBe(503);
    expect(read.headers.get('x-should-retry')).toBe('true');
    expect(read.text).not.toContain('db.internal');
    const write = await call('/credits/grants', { body: '{"amount_usd":1,"reason":"r"}' });
    expect(write.status).toBe(503);
    expect(write.headers.get('x-should-retry')).toBe('false');
  });

  it('leave paths that are not theirs to the app around them', async () => {
    const { call } = await startHouse();
    const other = await call('/models', { organization: 'org_none' });
    expect(other.status).toBe(404);
    expect(other.headers.get('x-request-id')).toBeNull();
  });
});
