/**
 * The statements on organizations and API keys. Digests go in and come out as hexadecimal text;
 * keys never do.
 */
import { type SQL, sql } from 'drizzle-orm';

import type { Database, Row } from './database.ts';
import {
  bigintOf,
  booleanOf,
  jsonOf,
  msOf,
  nullableBigintOf,
  nullableMsOf,
  oneOf,
  onlyRow,
  textOf,
} from './decode.ts';

const KINDS = ['live', 'test', 'management'] as const;
export type StoredKeyKind = (typeof KINDS)[number];

export interface StoredKey {
  readonly id: string;
  readonly organizationId: string;
  readonly kind: StoredKeyKind;
  readonly name: string;
  readonly label: string;
  /** Nano-dollars. */
  readonly limitNano: bigint | null;
  readonly disabled: boolean;
  readonly createdAtMs: number;
  readonly updatedAtMs: number | null;
  /** Grows with every change of the row, also by other processes. */
  readonly changedAtMs: number;
}

export interface NewKey {
  readonly id: string;
  readonly kind: StoredKeyKind;
  readonly name: string;
  readonly label: string;
  readonly digest: string;
}

/** Undefined: as it was. */
export interface StoredKeyChanges {
  readonly name?: string;
  readonly limitNano?: bigint | null;
  readonly disabled?: boolean;
}

/** The slug of the owner's organization. */
const OWNER_SLUG = 'default';
/** A statement that began earlier may commit later: looking back so far finds its rows too. */
const CHANGE_OVERLAP_SECONDS = 15;

const COLUMNS = sql`
  id, organization_id, kind, name, label, limit_nano, disabled, created_at, updated_at, changed_at`;

function keyOf(row: Row): StoredKey {
  return {
    id: textOf(row, 'id'),
    organizationId: textOf(row, 'organization_id'),
    kind: oneOf(row, 'kind', KINDS),
    name: textOf(row, 'name'),
    label: textOf(row, 'label'),
    limitNano: nullableBigintOf(row, 'limit_nano'),
    disabled: booleanOf(row, 'disabled'),
    createdAtMs: msOf(row, 'created_at'),
    updatedAtMs: nullableMsOf(row, 'updated_at'),
    changedAtMs: msOf(row, 'changed_at'),
  };
}

function firstKey(rows: readonly Row[]): StoredKey | null {
  const [row] = rows;
  return row === undefined ? null : keyOf(row);
}

function byteaOf(digest: string): string {
  return String.raw`\x${digest}`;
}

/**
 * The keys that have these digests and are not deleted, by digest. One statement however many are
 * asked for.
 */
export async function findKeysByDigest(
  database: Database,
  digests: readonly string[],
): Promise<ReadonlyMap<string, StoredKey>> {
  const rows = await database.run(sql`
    select encode(digest, 'hex') as hex, ${COLUMNS} from api_keys
    where digest = any(${sql.param(digests.map(byteaOf))}::bytea[]) and deleted_at is null`);
  return new Map(rows.map((row) => [textOf(row, 'hex'), keyOf(row)]));
}

/** The row of the ledger that enforces a key's limit, in the statement that sets the limit. */
function upsertBudget(source: SQL, when: SQL): SQL {
  return sql`
    insert into budgets (id, organization_id, limit_nano, posted_nano, leased_nano)
    select id, organization_id, limit_nano, 0, 0 from ${source} where ${when}
    on conflict (id) do update set limit_nano = excluded.limit_nano`;
}

/** Rejects with `StatementRefused` 23503 for an unknown organization. */
export async function insertKey(
  database: Database,
  organizationId: string,
  key: NewKey & { readonly limitNano: bigint | null },
): Promise<StoredKey> {
  const rows = await database.run(sql`
    with created as (
      insert into api_keys (id, organization_id, kind, name, label, digest, limit_nano)
      values (${key.id}, ${organizationId}, ${key.kind}, ${key.name}, ${key.label},
        ${byteaOf(key.digest)}::bytea, ${key.limitNano}::int8)
      returning ${COLUMNS}
    ), budget as (${upsertBudget(sql`created`, sql`limit_nano is not null`)})
    select * from created`);
  return keyOf(onlyRow(rows));
}

export async function findKey(
  database: Database,
  organizationId: string,
  keyId: string,
): Promise<StoredKey | null> {
  return firstKey(
    await database.run(sql`
      select ${COLUMNS} from api_keys
      where id = ${keyId} and organization_id = ${organizationId} and deleted_at is null`),
  );
}

/** Newest first. */
export async function listKeys(
  database: Database,
  organizationId: string,
  page: { readonly limit: number; readonly offset: number },
): Promise<readonly StoredKey[]> {
  const rows = await database.run(sql`
    select ${COLUMNS} from api_keys
    where organization_id = ${organizationId} and deleted_at is null
    order by id desc limit ${page.limit}::int8 offset ${page.offset}::int8`);
  return rows.map(keyOf);
}

export async function updateKey(
  database: Database,
  key: { readonly organizationId: string; readonly id: string },
  changes: StoredKeyChanges,
): Promise<StoredKey | null> {
  const setsLimit = changes.limitNano !== undefined;
  return firstKey(
    await database.run(sql`
      with changed as (
        update api_keys set
          name = coalesce(${changes.name ?? null}::text, name),
          disabled = coalesce(${changes.disabled ?? null}::boolean, disabled),
          limit_nano = case when ${setsLimit}::boolean
            then ${changes.limitNano ?? null}::int8 else limit_nano end,
          updated_at = now(), changed_at = clock_timestamp()
        where id = ${key.id} and organization_id = ${key.organizationId} and deleted_at is null
        returning ${COLUMNS}
      ), budget as (${upsertBudget(sql`changed`, sql`${setsLimit}::boolean`)})
      select * from changed`),
  );
}

/**
 * Marks as deleted: the key is known to nobody any more, its id stays for receipts. False: no such
 * key.
 */
export async function deleteKey(
  database: Database,
  organizationId: string,
  keyId: string,
): Promise<boolean> {
  const rows = await database.run(sql`
    update api_keys set deleted_at = now(), changed_at = clock_timestamp()
    where id = ${keyId} and organization_id = ${organizationId} and deleted_at is null
    returning id`);
  return rows.length > 0;
}

export interface KeyChangesSince {
  /** Key id to the time of its last change, ms. Deleted keys too. */
  readonly changedAtMs: ReadonlyMap<string, number>;
  /** The database's clock: what the next call passes. */
  readonly askedAtMs: number;
}

/**
 * What changed since `sinceMs` (the database's clock; null: in the last minute), and a little
 * before it.
 */
export async function findKeyChanges(
  database: Database,
  sinceMs: number | null,
): Promise<KeyChangesSince> {
  const since = sinceMs === null ? null : new Date(sinceMs);
  const row = onlyRow(
    await database.run(sql`
      select now() as asked_at, coalesce((
        select jsonb_agg(jsonb_build_array(id, (extract(epoch from changed_at) * 1000)::int8))
        from api_keys where changed_at >=
          coalesce(${since}::timestamptz, now() - interval '1 minute')
          - make_interval(secs => ${CHANGE_OVERLAP_SECONDS})
      ), '[]'::jsonb) as changes`),
  );
  const changes = jsonOf(row, 'changes');
  const pairs = Array.isArray(changes) ? changes.flatMap(changeOf) : [];
  return { changedAtMs: new Map(pairs), askedAtMs: msOf(row, 'asked_at') };
}

function changeOf(pair: unknown): readonly (readonly [string, number])[] {
  if (!Array.isArray(pair)) return [];
  const members: readonly unknown[] = pair;
  const [id, changedAtMs] = members;
  return typeof id === 'string' && typeof changedAtMs === 'number' ? [[id, changedAtMs]] : [];
}

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

/** The id of the owner's organization; null before the first start. */
export async function findOwner(database: Database): Promise<string | null> {
  const [row] = await database.run(sql`select id from organizations where slug = ${OWNER_SLUG}`);
  return row === undefined ? null : textOf(row, 'id');
}

/**
 * Gives the owner's organization this key, unless it has it or once had it. Returns whether the key
 * may be used.
 */
export async function ensureOwnerKey(database: Database, key: NewKey): Promise<boolean> {
  const digest = sql`${byteaOf(key.digest)}::bytea`;
  const rows = await database.run(sql`
    with added as (
      insert into api_keys (id, organization_id, kind, name, label, digest)
      select ${key.id}, id, ${key.kind}, ${key.name}, ${key.label}, ${digest}
      from organizations where slug = ${OWNER_SLUG}
      on conflict (digest) do nothing returning id
    ) select exists (select 1 from added)
      or exists (select 1 from api_keys where digest = ${digest} and deleted_at is null) as usable`);
  return booleanOf(onlyRow(rows), 'usable');
}
