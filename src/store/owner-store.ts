/**
 * The statements of the first start: the owner's organization, and the keys that let its owner in.
 */
import { sql } from 'drizzle-orm';

import type { Database } from './database.ts';
import { bigintOf, booleanOf, onlyRow, textOf } from './decode.ts';
import { byteaOf, type NewKey } from './key-store.ts';

/** The slug of the owner's organization. */
const OWNER_SLUG = 'default';

/**
 * Creates the owner's organization and its first keys, if there is none yet: all or nothing, and
 * only one of several processes does. Returns whether this call did.
 */
export async function insertOwner(
  database: Database,
  organization: { readonly id: string; readonly name: string },
  keys: readonly NewKey[],
): Promise<boolean> {
  const rows = await database.run(sql`
    with organization as (
      insert into organizations (id, slug, name)
      values (${organization.id}, ${OWNER_SLUG}, ${organization.name})
      on conflict (slug) do nothing returning id
    ), created as (
      insert into api_keys (id, organization_id, kind, name, label, digest)
      select key.id, organization.id, key.kind, key.name, key.label, decode(key.digest, 'hex')
      from organization, jsonb_to_recordset(${sql.param(JSON.stringify(keys))}::jsonb)
        as key(id text, kind text, name text, label text, digest text)
      returning id
    ) select (select count(*) from organization) as organizations,
      (select count(*) from created) as keys`);
  return bigintOf(onlyRow(rows), 'organizations') > 0n;
}

/**
 * Whether this is the check of the first start over this database, which this may be. A digest in
 * hex.
 */
export async function confirmSecret(database: Database, digest: string): Promise<boolean> {
  await database.run(sql`
    insert into installation (secret_check) values (${byteaOf(digest)}::bytea)
    on conflict (id) do nothing`);
  const rows = await database.run(sql`
    select secret_check = ${byteaOf(digest)}::bytea as same from installation`);
  return booleanOf(onlyRow(rows), 'same');
}

/** The id of the owner's organization; null before the first start. */
export async function findOwner(database: Database): Promise<string | null> {
  const [row] = await database.run(sql`select id from organizations where slug = ${OWNER_SLUG}`);
  return row === undefined ? null : textOf(row, 'id');
}

/**
 * Gives the owner's organization this key, unless it has it or once had it: what was deleted or
 * rotated away does not come back. Returns whether the key may be used.
 */
export async function ensureOwnerKey(database: Database, key: NewKey): Promise<boolean> {
  const digest = sql`${byteaOf(key.digest)}::bytea`;
  const rows = await database.run(sql`
    with added as (
      insert into api_keys (id, organization_id, kind, name, label, digest)
      select ${key.id}, id, ${key.kind}, ${key.name}, ${key.label}, ${digest}
      from organizations where slug = ${OWNER_SLUG}
        and not exists (select 1 from rotated_secrets where digest = ${digest})
      on conflict (digest) do nothing returning id
    ) select exists (select 1 from added)
      or exists (select 1 from api_keys where digest = ${digest} and deleted_at is null)
      or exists (select 1 from rotated_secrets old join api_keys on api_keys.id = old.key_id
        where old.digest = ${digest} and old.ends_at > now() and deleted_at is null) as usable`);
  return booleanOf(onlyRow(rows), 'usable');
}
