/** The first start, against a real database. */
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';

import { nodeDigests } from '#base/digest.node.ts';
import type { Database } from '#store/database.ts';
import { createTestDatabase } from '#testing/postgres.ts';

import { generateKey } from './api-key.ts';
import { createIdentity } from './create-identity.ts';
import type { Identity } from './identity.ts';

function start(database: Database, secret = 'secret'): Identity {
  return createIdentity({ database, digests: nodeDigests, secret });
}

async function counts(database: Database): Promise<unknown> {
  const [row] = await database.run(sql`
    select (select count(*)::int4 from organizations) as organizations,
      (select count(*)::int4 from api_keys) as keys`);
  return row;
}

describe('ensureOwner', () => {
  it('makes an organization, a management key and a test key, once (contract: Starting, owner)', async () => {
    const { database, drop } = await createTestDatabase();
    const owner = await start(database).ensureOwner({});
    expect(owner.organizationId).toMatch(/^org_/);
    expect(await start(database).authenticate(owner.created?.managementKey ?? '')).toMatchObject({
      value: { kind: 'management', organizationId: owner.organizationId },
    });
    expect(await start(database).authenticate(owner.created?.testKey ?? '')).toMatchObject({
      value: { kind: 'test', organizationId: owner.organizationId },
    });
    expect(await start(database).ensureOwner({})).toEqual({ ...owner, created: null });
    expect(await counts(database)).toEqual({ organizations: 1, keys: 2 });
    await drop();
  });

  it('makes them once when many processes start together', async () => {
    const { database, drop } = await createTestDatabase();
    const owners = await Promise.all(
      Array.from({ length: 10 }, async () => start(database).ensureOwner({})),
    );
    expect(owners.filter((owner) => owner.created !== null)).toHaveLength(1);
    expect(new Set(owners.map((owner) => owner.organizationId)).size).toBe(1);
    expect(await counts(database)).toEqual({ organizations: 1, keys: 2 });
    await drop();
  });

  it('takes the key that the operator brings, at the first start and at a later one (contract: Starting, OMNIX_OWNER_KEY)', async () => {
    const { database, drop } = await createTestDatabase();
    const [first, second] = [generateKey('management'), generateKey('management')];
    const owner = await start(database).ensureOwner({ ownerKey: first });
    expect(owner.created?.managementKey).toBe(first);
    const later = start(database);
    expect(await later.authenticate(second)).toMatchObject({ error: { reason: 'unknown' } });
    for (const ownerKey of [first, second, second]) {
      expect(await later.ensureOwner({ ownerKey })).toEqual({
        organizationId: owner.organizationId,
        created: null,
        ownerKeyRevoked: false,
      });
    }
    expect(await later.authenticate(second)).toMatchObject({ value: { kind: 'management' } });
    expect(await counts(database)).toEqual({ organizations: 1, keys: 3 });
    await drop();
  });

  it('refuses another secret than that of the first start, and says what to do', async () => {
    const { database, drop } = await createTestDatabase();
    await start(database).ensureOwner({});
    const before = await counts(database);
    for (const options of [{}, { ownerKey: generateKey('management') }]) {
      const starting = start(database, 'another').ensureOwner(options);
      await expect(starting).rejects.toThrow(/Restore the file 'secret'.*OMNIX_SECRET/);
      await expect(starting).rejects.not.toThrow(/another/);
    }
    expect(await counts(database)).toEqual(before);
    expect((await start(database).ensureOwner({})).created).toBeNull();
    await drop();
  });

  it('does not bring back a key that was revoked', async () => {
    const { database, drop } = await createTestDatabase();
    const ownerKey = generateKey('management');
    const identity = start(database);
    const { organizationId } = await identity.ensureOwner({ ownerKey });
    const answer = await identity.authenticate(ownerKey);
    await identity.deleteKey(organizationId, answer.ok ? answer.value.keyId : '');
    expect(await identity.ensureOwner({ ownerKey })).toMatchObject({ ownerKeyRevoked: true });
    expect(await identity.authenticate(ownerKey)).toMatchObject({ error: { reason: 'unknown' } });
    await drop();
  });

  it('refuses a key of another kind or form, and does not repeat it', async () => {
    const { database, drop } = await createTestDatabase();
    const live = generateKey('live');
    await expect(start(database).ensureOwner({ ownerKey: live })).rejects.toThrow('management key');
    await expect(start(database).ensureOwner({ ownerKey: 'hunter2' })).rejects.toThrow(
      /^(?!.*hunter2)/,
    );
    expect(await counts(database)).toEqual({ organizations: 0, keys: 0 });
    await drop();
  });
});
