/**
 * The end of keys and of their secrets, against a real database: at its instant, whatever is
 * cached, here and in other processes.
 */
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { nodeDigests } from '#base/digest.node.ts';
import type { Database } from '#store/database.ts';
import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts';

import { generateKey } from './api-key.ts';
import { createIdentity } from './create-identity.ts';
import type { Identity, KeyDraft, KeyWithSecret } from './identity.ts';

const SECRET = 'the master secret of these tests';
const HOUR_MS = 3_600_000;

let shared: TestDatabase;
let organizationId: string;

beforeAll(async () => {
  shared = await createTestDatabase();
  organizationId = (await open().identity.ensureOwner({})).organizationId;
});

afterAll(async () => {
  await shared.drop();
});

/** An identity with a cold cache and a clock of its own, as in a process of its own. */
function open() {
  const counter = { statements: 0 };
  const database: Database = {
    run: (statement) => {
      counter.statements += 1;
      return shared.database.run(statement);
    },
    close: () => Promise.resolve(),
  };
  const startedAtMs = Date.now();
  const time = { ms: 0 };
  const clock = { nowMs: () => startedAtMs + time.ms, monotonicMs: () => time.ms };
  const identity = createIdentity({ database, digests: nodeDigests, secret: SECRET, clock });
  return { identity, counter, time, clock };
}

function create(identity: Identity, fields: Partial<KeyDraft> = {}): Promise<KeyWithSecret> {
  return identity.createKey({ kind: 'live', name: 'k', organizationId, limit: null, ...fields });
}

async function rotate(
  identity: Identity,
  { record }: KeyWithSecret,
  overlapMs: number,
): Promise<KeyWithSecret> {
  const rotated = await identity.rotateKey(record, overlapMs);
  if (rotated === null) throw new Error('there is no such key');
  return rotated;
}

async function reasonOf(identity: Identity, secret: string): Promise<string> {
  const answer = await identity.authenticate(secret);
  return answer.ok ? 'ok' : answer.error.reason;
}

describe('a key that expires', () => {
  it('is refused from its instant on, cached or not, and says when that was (contract: Keys and callers, expires_at)', async () => {
    const { identity, time, clock } = open();
    const expiresAtMs = clock.nowMs() + HOUR_MS;
    const { secret } = await create(identity, { expiresAtMs });
    expect(await reasonOf(identity, secret)).toBe('ok');
    time.ms = HOUR_MS - 1;
    expect(await reasonOf(identity, secret)).toBe('ok');
    time.ms = HOUR_MS;
    const refused = { ok: false, error: { reason: 'expired', atMs: expiresAtMs } };
    expect(identity.authenticate(secret)).toEqual(refused);
    const cold = open();
    cold.time.ms = HOUR_MS + 1;
    expect(await cold.identity.authenticate(secret)).toEqual(refused);
  });

  it('works again once it has more time, and for ever without an end', async () => {
    const { identity, time, clock } = open();
    const key = await create(identity, { expiresAtMs: clock.nowMs() + 1 });
    await identity.authenticate(key.secret);
    time.ms = 2;
    expect(await reasonOf(identity, key.secret)).toBe('expired');
    const { keyId } = key.record;
    await identity.updateKey(organizationId, keyId, { expiresAtMs: clock.nowMs() + 1 });
    expect(identity.authenticate(key.secret)).toMatchObject({ ok: true });
    time.ms += 1;
    expect(await reasonOf(identity, key.secret)).toBe('expired');
    const changed = await identity.updateKey(organizationId, keyId, { expiresAtMs: null });
    expect(changed?.expiresAtMs).toBeNull();
    expect(identity.authenticate(key.secret)).toMatchObject({ ok: true });
  });

  it('is told about from memory, however often it is tried', async () => {
    const { identity, counter, time, clock } = open();
    const { secret } = await create(identity, { expiresAtMs: clock.nowMs() + 1 });
    await identity.authenticate(secret);
    time.ms = 1;
    const before = counter.statements;
    for (let call = 0; call < 100; call += 1) {
      expect(identity.authenticate(secret)).toMatchObject({ error: { reason: 'expired' } });
    }
    expect(counter.statements).toBe(before);
  });
});

describe('a rotated key', () => {
  it('is the same key with a new secret; the old one works until the overlap is over (contract: Keys and callers, rotation; hash)', async () => {
    const { identity, time } = open();
    const old = await create(identity, { name: 'shop' });
    await identity.authenticate(old.secret);
    const { record, secret } = await rotate(identity, old, HOUR_MS);
    expect(secret).not.toBe(old.secret);
    expect(record).toMatchObject({ keyId: old.record.keyId, name: 'shop' });
    const [now, before] = await Promise.all([
      identity.authenticate(secret),
      identity.authenticate(old.secret),
    ]);
    expect(now).toMatchObject({ ok: true, value: { keyId: record.keyId } });
    expect(before).toEqual(now);
    const [left] = record.oldSecrets;
    expect(left?.label).toBe(old.record.label);
    time.ms = HOUR_MS - 1;
    expect(await reasonOf(identity, old.secret)).toBe('ok');
    time.ms = HOUR_MS;
    expect(identity.authenticate(old.secret)).toEqual({
      ok: false,
      error: { reason: 'rotated', atMs: left?.endsAtMs },
    });
    expect(await reasonOf(identity, secret)).toBe('ok');
  });

  it('without an overlap ends every secret but the new one at once, also those cached', async () => {
    const { identity } = open();
    const first = await create(identity);
    const second = await rotate(identity, first, HOUR_MS);
    const third = await rotate(identity, second, 10 * HOUR_MS);
    for (const { secret } of [first, second, third]) {
      expect(await reasonOf(identity, secret)).toBe('ok');
    }
    const fourth = await rotate(identity, third, 0);
    expect(fourth.record.oldSecrets).toEqual([]);
    for (const { secret } of [first, second, third]) {
      expect(await reasonOf(identity, secret)).toBe('rotated');
      expect(await reasonOf(open().identity, secret)).toBe('rotated');
    }
    expect(await reasonOf(identity, fourth.secret)).toBe('ok');
  });

  it('again during an overlap: each secret keeps the end that it was given', async () => {
    const { identity, time } = open();
    const first = await create(identity);
    const second = await rotate(identity, first, 2 * HOUR_MS);
    const third = await rotate(identity, second, HOUR_MS);
    expect(third.record.oldSecrets.map(({ label }) => label)).toEqual([
      second.record.label,
      first.record.label,
    ]);
    const reasons = () =>
      Promise.all([first, second, third].map(({ secret }) => reasonOf(identity, secret)));
    expect(await reasons()).toEqual(['ok', 'ok', 'ok']);
    time.ms = HOUR_MS;
    expect(await reasons()).toEqual(['ok', 'rotated', 'ok']);
    time.ms = 2 * HOUR_MS;
    expect(await reasons()).toEqual(['rotated', 'rotated', 'ok']);
  });

  it('in another process is known there after catchUp, with each secret that it had', async () => {
    // Opened first: its clock is not the later one, and what it ends now has ended here too.
    const there = open().identity;
    const here = open();
    const first = await create(there);
    const second = await rotate(there, first, HOUR_MS);
    await here.identity.catchUp();
    expect(await reasonOf(here.identity, first.secret)).toBe('ok');
    // Two secrets in memory, and only one of them read anew: the other must not hide the change.
    await there.updateKey(organizationId, first.record.keyId, { name: 'changed' });
    expect(await here.identity.authenticate(second.secret)).toMatchObject({
      value: { name: 'changed' },
    });
    expect(await here.identity.authenticate(first.secret)).toMatchObject({
      value: { name: 'changed' },
    });
    await rotate(there, second, 0);
    expect(await reasonOf(here.identity, first.secret)).toBe('ok');
    await here.identity.catchUp();
    expect(await reasonOf(here.identity, first.secret)).toBe('rotated');
    expect(await reasonOf(here.identity, second.secret)).toBe('rotated');
  });

  it('without an overlap has ended by every clock, also one that is far behind (promise 25)', async () => {
    const [ahead, behind] = [open(), open()];
    ahead.time.ms = HOUR_MS;
    const first = await create(ahead.identity);
    expect(await reasonOf(behind.identity, first.secret)).toBe('ok');
    await rotate(ahead.identity, first, 0);
    await behind.identity.catchUp();
    expect(await reasonOf(behind.identity, first.secret)).toBe('rotated');
    expect(await reasonOf(open().identity, first.secret)).toBe('rotated');
  });

  it('by many at once has one secret in the end, and no other without an end', async () => {
    const { identity } = open();
    const first = await create(identity);
    const rotations = Array.from({ length: 10 }, () => rotate(identity, first, 0));
    const made = await Promise.all(rotations);
    const reasons = await Promise.all(
      [first, ...made].map(({ secret }) => reasonOf(open().identity, secret)),
    );
    expect(reasons.filter((reason) => reason === 'ok')).toHaveLength(1);
    expect(reasons.filter((reason) => reason === 'rotated')).toHaveLength(10);
  });

  it('stays disabled, expired or deleted: no secret of it gets round that', async () => {
    const { identity, time, clock } = open();
    const old = await create(identity, { expiresAtMs: clock.nowMs() + HOUR_MS });
    const rotated = await rotate(identity, old, 2 * HOUR_MS);
    const { keyId } = old.record;
    const both = () => Promise.all([old, rotated].map(({ secret }) => reasonOf(identity, secret)));
    expect(await both()).toEqual(['ok', 'ok']);
    await identity.updateKey(organizationId, keyId, { disabled: true });
    expect(await both()).toEqual(['disabled', 'disabled']);
    await identity.updateKey(organizationId, keyId, { disabled: false });
    time.ms = HOUR_MS;
    expect(await both()).toEqual(['expired', 'expired']);
    await identity.deleteKey(organizationId, keyId);
    expect(await both()).toEqual(['unknown', 'unknown']);
    expect(await identity.rotateKey(rotated.record, 0)).toBeNull();
  });

  it('of another organization is none, and stays as it was', async () => {
    const { identity } = open();
    const { record, secret } = await create(identity);
    expect(await identity.rotateKey({ ...record, organizationId: 'org_other' }, 0)).toBeNull();
    expect(await reasonOf(identity, secret)).toBe('ok');
  });

  it('promise 33: leaves only keyed hashes behind', async () => {
    const { identity } = open();
    const old = await create(identity);
    const { secret } = await rotate(identity, old, 0);
    const rows = await shared.database.run(
      sql`select row_to_json(old)::text as text from rotated_secrets old
        union all select row_to_json(api_keys)::text from api_keys`,
    );
    const dump = JSON.stringify(rows);
    for (const text of [old.secret, secret]) {
      const random = text.slice(12);
      for (let index = 0; index + 8 <= random.length; index += 1) {
        expect(dump.includes(random.slice(index, index + 8))).toBe(false);
      }
      expect(dump.includes(nodeDigests.sha256(text))).toBe(false);
    }
  });
});

describe('the owner’s key of the environment', () => {
  it('does not come back once it was rotated away', async () => {
    const { identity } = open();
    const ownerKey = generateKey('management');
    await identity.ensureOwner({ ownerKey });
    const answer = await identity.authenticate(ownerKey);
    if (!answer.ok) throw new Error(answer.error.reason);
    const rotated = await identity.rotateKey(answer.value, HOUR_MS);
    expect(await open().identity.ensureOwner({ ownerKey })).toMatchObject({
      ownerKeyRevoked: false,
    });
    await identity.rotateKey(answer.value, 0);
    const restarted = open().identity;
    expect(await restarted.ensureOwner({ ownerKey })).toMatchObject({ ownerKeyRevoked: true });
    expect(await reasonOf(restarted, ownerKey)).toBe('rotated');
    expect(await reasonOf(restarted, rotated?.secret ?? '')).toBe('rotated');
  });
});

describe('what a key carries', () => {
  it('is there for the gateway, as it was written, and null where there is nothing', async () => {
    const { identity } = open();
    const powers = {
      models: ['gpt-4o', `o'b"r\\ien {a,b} $1 \u{1f600}`],
      providers: ['here'],
      metadata: JSON.parse('{"__proto__":"x","a b":"line\\nbreak"}'),
      tags: ['prod'],
    };
    const { record, secret } = await create(identity, powers);
    expect(record).toMatchObject(powers);
    expect(await identity.authenticate(secret)).toMatchObject({ value: powers });
    const none = { models: null, providers: null, metadata: null, tags: null };
    await identity.updateKey(organizationId, record.keyId, { name: 'still' });
    expect(await identity.getKey(organizationId, record.keyId)).toMatchObject(powers);
    await identity.updateKey(organizationId, record.keyId, none);
    expect(await identity.authenticate(secret)).toMatchObject({ value: none });
  });
});
