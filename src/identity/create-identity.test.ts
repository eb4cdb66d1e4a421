/**
 * Keys against a real database: made once, recognised from memory, revoked at once, and never
 * stored as they are.
 */
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { nodeDigests } from '#base/digest.node.ts';
import { webDigests } from '#base/digest.ts';
import { nanoUsd } from '#base/money.ts';
import { type Database, DatabaseUnavailable, StatementRefused } from '#store/database.ts';
import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts';

import { generateKey } from './api-key.ts';
import { createIdentity, type IdentityOptions } from './create-identity.ts';
import type { Identity, KeyKind } from './identity.ts';

const SECRET = 'the master secret of these tests';

/** A database that can be counted, held up and taken away. */
class Line implements Database {
  statements = 0;
  /** Statements that the database has answered. */
  answered = 0;
  down = false;
  /** Answers to statements that begin now wait for it. */
  gate: Promise<void> = Promise.resolve();
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async run(statement: Parameters<Database['run']>[0]): ReturnType<Database['run']> {
    this.statements += 1;
    const { gate } = this;
    if (this.down) throw new DatabaseUnavailable('down');
    const rows = await this.#database.run(statement);
    this.answered += 1;
    await gate;
    return rows;
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}

let shared: TestDatabase;
let organizationId: string;

beforeAll(async () => {
  shared = await createTestDatabase();
  organizationId = (await open().identity.ensureOwner({})).organizationId;
});

afterAll(async () => {
  await shared.drop();
});

/** An identity with a cold cache, as in a process of its own. */
function open(more: Partial<IdentityOptions> = {}) {
  const line = new Line(shared.database);
  const time = { ms: 0 };
  const clock = { nowMs: () => Date.now(), monotonicMs: () => time.ms };
  const options = { database: line, digests: nodeDigests, secret: SECRET, clock, ...more };
  return { line, time, identity: createIdentity(options) };
}

async function create(identity: Identity, kind: KeyKind = 'live', limit: bigint | null = null) {
  return identity.createKey({
    kind,
    name: 'a key',
    organizationId,
    limit: limit === null ? null : nanoUsd(limit),
  });
}

function held(): { promise: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return { promise, open: () => resolve(undefined) };
}

describe('authenticate works', () => {
  it('for a key of each kind, with what the gateway must know', async () => {
    const { identity } = open();
    for (const kind of ['live', 'test', 'management'] as const) {
      const { record, secret } = await create(identity, kind, 5n);
      expect(await identity.authenticate(secret)).toEqual({
        ok: true,
        value: {
          keyId: record.keyId,
          kind,
          name: 'a key',
          organizationId,
          limit: 5n,
          models: null,
          providers: null,
          metadata: null,
          tags: null,
        },
      });
    }
  });

  it('synchronously and without the database once the key is in memory', async () => {
    const { identity, line } = open();
    const { secret } = await create(identity);
    await identity.authenticate(secret);
    const before = line.statements;
    const answer = identity.authenticate(secret);
    expect(answer).not.toBeInstanceOf(Promise);
    expect(identity.authenticate(secret)).toBe(answer);
    expect(line.statements).toBe(before);
  });

  it('for keys made on another runtime', async () => {
    const { identity } = open();
    const { secret } = await create(identity);
    const other = open({ digests: webDigests }).identity;
    expect(await other.authenticate(secret)).toMatchObject({ ok: true });
    expect(await other.authenticate(secret)).toMatchObject({ ok: true });
  });
});

describe('authenticate refuses', () => {
  it('no key', () => {
    const { identity } = open();
    expect(identity.authenticate(null)).toEqual({ ok: false, error: { reason: 'missing' } });
    expect(identity.authenticate('')).toEqual({ ok: false, error: { reason: 'missing' } });
  });

  it('a mistyped key, without asking the database (contract: Keys and callers, mistyped keys)', async () => {
    const { identity, line } = open();
    const key = generateKey('live');
    const typo = key.slice(0, -1) + (key.endsWith('a') ? 'b' : 'a');
    for (const text of [typo, key.slice(0, -1), `${key} `, 'sk-proj-abc', "' or 1=1 --"]) {
      expect(await identity.authenticate(text)).toMatchObject({ error: { reason: 'malformed' } });
    }
    expect(line.statements).toBe(0);
  });

  it('a well-formed key that nobody made, and asks only once in five seconds', async () => {
    const { identity, line, time } = open();
    const key = generateKey('live');
    expect(await identity.authenticate(key)).toEqual({ ok: false, error: { reason: 'unknown' } });
    expect(identity.authenticate(key)).toEqual({ ok: false, error: { reason: 'unknown' } });
    expect(line.statements).toBe(1);
    time.ms += 5001;
    await identity.authenticate(key);
    expect(line.statements).toBe(2);
  });

  it('every key under another master secret (contract: Starting, OMNIX_SECRET)', async () => {
    const { secret } = await create(open().identity);
    const other = open({ secret: 'another' }).identity;
    expect(await other.authenticate(secret)).toMatchObject({ error: { reason: 'unknown' } });
    expect(() => open({ secret: '' })).toThrow('OMNIX_SECRET');
  });
});

describe('a change of a key', () => {
  it('acts at once in this process', async () => {
    const { identity } = open();
    const { record, secret } = await create(identity);
    await identity.authenticate(secret);
    await identity.updateKey(organizationId, record.keyId, { disabled: true });
    expect(identity.authenticate(secret)).toMatchObject({ error: { reason: 'disabled' } });
    await identity.updateKey(organizationId, record.keyId, { disabled: false, limit: nanoUsd(7n) });
    expect(identity.authenticate(secret)).toMatchObject({ value: { limit: 7n } });
    expect(await identity.deleteKey(organizationId, record.keyId)).toBe(true);
    expect(await identity.authenticate(secret)).toMatchObject({ error: { reason: 'unknown' } });
    expect(await identity.deleteKey(organizationId, record.keyId)).toBe(false);
  });

  it('is not undone by a lookup that had set out before it', async () => {
    const { identity, line } = open();
    const { record, secret } = await create(identity);
    const gate = held();
    line.gate = gate.promise;
    const before = line.answered;
    const early = identity.authenticate(secret);
    await expect.poll(() => line.answered).toBe(before + 1);
    line.gate = Promise.resolve();
    await identity.deleteKey(organizationId, record.keyId);
    gate.open();
    expect(await early).toMatchObject({ error: { reason: 'unknown' } });
    expect(identity.authenticate(secret)).toMatchObject({ error: { reason: 'unknown' } });
  });

  it('by another process is known after catchUp, also after an outage', async () => {
    const here = open();
    const there = open().identity;
    const kept = await create(there);
    const { record, secret } = await create(there);
    await here.identity.catchUp();
    await here.identity.authenticate(kept.secret);
    await here.identity.authenticate(secret);
    here.line.down = true;
    await there.deleteKey(organizationId, record.keyId);
    expect(await here.identity.catchUp()).toBe(false);
    expect(here.identity.authenticate(secret)).toMatchObject({ ok: true });
    here.line.down = false;
    expect(await here.identity.catchUp()).toBe(true);
    expect(await here.identity.authenticate(secret)).toMatchObject({
      error: { reason: 'unknown' },
    });
    expect(here.identity.authenticate(kept.secret)).not.toBeInstanceOf(Promise);
  });

  it('of a foreign key is refused: to another organization it does not exist', async () => {
    const { identity } = open();
    const { record, secret } = await create(identity);
    expect(await identity.getKey('org_other', record.keyId)).toBeNull();
    expect(await identity.updateKey('org_other', record.keyId, { disabled: true })).toBeNull();
    expect(await identity.deleteKey('org_other', record.keyId)).toBe(false);
    expect(await identity.listKeys('org_other', { limit: 10, offset: 0 })).toEqual([]);
    expect(await identity.authenticate(secret)).toMatchObject({ ok: true });
  });
});

describe('the cache', () => {
  it('promise 24: is asked for cold by thousands and asks the database at most once per key', async () => {
    const { identity, line } = open();
    const keys = await Promise.all(Array.from({ length: 20 }, async () => create(identity)));
    const cold = open();
    const answers = await Promise.all(
      Array.from({ length: 5000 }, async (_, index) =>
        cold.identity.authenticate(keys[index % keys.length]?.secret ?? ''),
      ),
    );
    expect(answers.every((answer) => answer.ok)).toBe(true);
    expect(cold.line.statements).toBeLessThanOrEqual(keys.length);
    expect(line.statements).toBe(keys.length);
  });

  it('serves a stale key while it asks again, once, in the background', async () => {
    const { identity, line, time } = open();
    const { secret } = await create(identity);
    await identity.authenticate(secret);
    time.ms += 30_001;
    const before = line.statements;
    const gate = held();
    line.gate = gate.promise;
    for (let call = 0; call < 100; call += 1) {
      expect(identity.authenticate(secret)).toMatchObject({ ok: true });
    }
    await expect.poll(() => line.statements).toBe(before + 1);
    gate.open();
  });

  it('promise 23: goes on serving what it knows while the database is away; the rest is unavailable, never unknown', async () => {
    const { identity, line, time } = open();
    const known = await create(identity);
    const fresh = await create(identity);
    await identity.authenticate(known.secret);
    line.down = true;
    time.ms += 86_400_000;
    for (let call = 0; call < 3; call += 1) {
      expect(identity.authenticate(known.secret)).toMatchObject({ ok: true });
      expect(await identity.authenticate(fresh.secret)).toEqual({
        ok: false,
        error: { reason: 'unavailable' },
      });
    }
    line.down = false;
    expect(await identity.authenticate(fresh.secret)).toMatchObject({ ok: true });
  });

  it('forgets the least recently used key first', async () => {
    const { identity, line } = open({ cache: { keysMax: 2, unknownMax: 1, unknownMs: 1000 } });
    const [a, b, c] = await Promise.all([create(identity), create(identity), create(identity)]);
    await identity.authenticate(a.secret);
    await identity.authenticate(b.secret);
    await identity.authenticate(a.secret);
    await identity.authenticate(c.secret);
    const before = line.statements;
    expect(identity.authenticate(a.secret)).not.toBeInstanceOf(Promise);
    expect(identity.authenticate(c.secret)).not.toBeInstanceOf(Promise);
    expect(line.statements).toBe(before);
    await identity.authenticate(b.secret);
    expect(line.statements).toBe(before + 1);
  });
});

describe('keys in the database', () => {
  it('are listed newest first, a page at a time, without the deleted ones', async () => {
    const { identity } = open();
    const made = [];
    for (let index = 0; index < 4; index += 1) {
      // Ids made in different milliseconds sort by time.
      await expect.poll(() => Date.now()).toBeGreaterThan(made.at(-1)?.record.createdAtMs ?? 0);
      made.push(await create(identity));
    }
    const [first, second, third, fourth] = made.map(({ record }) => record.keyId);
    await identity.deleteKey(organizationId, third ?? '');
    const page = async (offset: number) =>
      (await identity.listKeys(organizationId, { limit: 2, offset })).map((key) => key.keyId);
    expect(await page(0)).toEqual([fourth, second]);
    expect((await page(2))[0]).toBe(first);
  });

  it('carry their limit into the budget that enforces it, in the same statement', async () => {
    const { identity } = open();
    const { record } = await create(identity, 'live', 3_000_000_000n);
    const budget = async (keyId: string) =>
      shared.database.run(sql`select organization_id, limit_nano from budgets where id = ${keyId}`);
    const row = { organization_id: organizationId, limit_nano: '3000000000' };
    expect(await budget(record.keyId)).toEqual([row]);
    await identity.updateKey(organizationId, record.keyId, { name: 'renamed' });
    expect(await budget(record.keyId)).toEqual([row]);
    const changed = await identity.updateKey(organizationId, record.keyId, { limit: null });
    expect(changed).toMatchObject({ name: 'renamed', limit: null });
    expect(await budget(record.keyId)).toEqual([{ ...row, limit_nano: null }]);
    const free = await create(identity);
    expect(await budget(free.record.keyId)).toEqual([]);
    await identity.updateKey(organizationId, free.record.keyId, { limit: nanoUsd(1n) });
    expect(await budget(free.record.keyId)).toEqual([{ ...row, limit_nano: '1' }]);
  });

  it('belong to an organization that exists, and have no negative limit', async () => {
    const { identity } = open();
    const draft = { kind: 'management', name: 'x', limit: null } as const;
    await expect(identity.createKey({ ...draft, organizationId: 'org_none' })).rejects.toThrow(
      StatementRefused,
    );
    await expect(create(identity, 'live', -1n)).rejects.toMatchObject({ code: '23514' });
  });

  it('promise 33: are only there as a keyed hash: a dump of all tables holds no part of any (contract: Keys and callers, keyed HMAC)', async () => {
    const own = await createTestDatabase();
    const identity = createIdentity({
      database: own.database,
      digests: nodeDigests,
      secret: SECRET,
    });
    const owner = await identity.ensureOwner({});
    const live = await identity.createKey({
      kind: 'live',
      name: 'canary',
      organizationId: owner.organizationId,
      limit: null,
    });
    await identity.authenticate(live.secret);
    const secrets = [owner.created?.managementKey, owner.created?.testKey, live.secret];
    const dump = await dumpOf(own.database);
    expect(dump).toContain(live.record.keyId);
    for (const secret of secrets) {
      expect(secret).toHaveLength(61);
      const random = secret?.slice(12) ?? '';
      // Neither the key nor a longer part of it than its label shows; nor a hash that needs no
      // secret.
      for (let index = 0; index + 8 <= random.length; index += 1) {
        expect(dump.includes(random.slice(index, index + 8))).toBe(false);
      }
      expect(dump.includes(nodeDigests.sha256(secret ?? ''))).toBe(false);
    }
    expect(dump.includes(SECRET)).toBe(false);
    await own.drop();
  });

  it('promise 35: cannot be reached by injection through names, ids or secrets', async () => {
    const { identity } = open();
    const evil = `'; drop table api_keys; -- "$1" \\ % _ \u{1f600}`;
    const { record } = await identity.createKey({
      kind: 'live',
      name: evil,
      organizationId,
      limit: null,
    });
    expect(await identity.getKey(organizationId, record.keyId)).toMatchObject({ name: evil });
    expect(await identity.getKey(organizationId, evil)).toBeNull();
    expect(await identity.getKey(evil, record.keyId)).toBeNull();
    expect(await identity.deleteKey(organizationId, evil)).toBe(false);
    expect(await identity.authenticate(evil)).toMatchObject({ error: { reason: 'malformed' } });
  });
});

async function dumpOf(database: Database): Promise<string> {
  const tables = await database.run(
    sql`select table_name as name from information_schema.tables where table_schema = 'public'`,
  );
  const rows = await Promise.all(
    tables.map(async ({ name }) =>
      database.run(
        sql`select query_to_xml('select * from ' || quote_ident(${name}::text), true, false, '')::text as t`,
      ),
    ),
  );
  return JSON.stringify(rows);
}
