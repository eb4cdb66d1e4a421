/**
 * The statements on API keys and their secrets. Digests go in and come out as hexadecimal text;
 * secrets never do.
 */
import { type SQL, sql } from 'drizzle-orm';

import type { Database, Row } from './database.ts';
import {
  booleanOf,
  jsonOf,
  msOf,
  nullableBigintOf,
  nullableMsOf,
  oneOf,
  onlyRow,
  RowMalformed,
  textOf,
} from './decode.ts';

const KINDS = ['live', 'test', 'management'] as const;
export type StoredKeyKind = (typeof KINDS)[number];

/** A secret that a rotation replaced. */
export interface OldSecret {
  readonly label: string;
  readonly endsAtMs: number;
}

export interface StoredKey {
  readonly id: string;
  readonly organizationId: string;
  readonly kind: StoredKeyKind;
  readonly name: string;
  readonly label: string;
  /** Nano-dollars. */
  readonly limitNano: bigint | null;
  readonly disabled: boolean;
  /** Null: never. */
  readonly expiresAtMs: number | null;
  /** Null: all. */
  readonly models: readonly string[] | null;
  readonly providers: readonly string[] | null;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly tags: readonly string[] | null;
  /** Those that still work, the first to end first. */
  readonly oldSecrets: readonly OldSecret[];
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

/** Undefined: as it was, or as it is by default. */
export interface StoredKeyPowers {
  readonly limitNano?: bigint | null;
  readonly expiresAtMs?: number | null;
  readonly models?: readonly string[] | null;
  readonly providers?: readonly string[] | null;
  readonly metadata?: Readonly<Record<string, string>> | null;
  readonly tags?: readonly string[] | null;
}

export interface StoredKeyChanges extends StoredKeyPowers {
  readonly name?: string;
  readonly disabled?: boolean;
}

/** A statement that began earlier may commit later: looking back so far finds its rows too. */
const CHANGE_OVERLAP_SECONDS = 15;

/** Of api_keys, which must be in scope under that name. */
const COLUMNS = sql`
  id, organization_id, kind, name, label, limit_nano, disabled, expires_at, models, providers,
  metadata, tags, created_at, updated_at, changed_at, coalesce((
    select jsonb_agg(jsonb_build_object('label', old.label, 'ends_at', old.ends_at)
      order by old.ends_at)
    from rotated_secrets old where old.key_id = api_keys.id and old.ends_at > now()
  ), '[]'::jsonb) as old_secrets`;

function keyOf(row: Row): StoredKey {
  return {
    id: textOf(row, 'id'),
    organizationId: textOf(row, 'organization_id'),
    kind: oneOf(row, 'kind', KINDS),
    name: textOf(row, 'name'),
    label: textOf(row, 'label'),
    limitNano: nullableBigintOf(row, 'limit_nano'),
    disabled: booleanOf(row, 'disabled'),
    expiresAtMs: nullableMsOf(row, 'expires_at'),
    models: textsOf(row, 'models'),
    providers: textsOf(row, 'providers'),
    metadata: pairsOf(row, 'metadata'),
    tags: textsOf(row, 'tags'),
    oldSecrets: oldSecretsOf(row),
    createdAtMs: msOf(row, 'created_at'),
    updatedAtMs: nullableMsOf(row, 'updated_at'),
    changedAtMs: msOf(row, 'changed_at'),
  };
}

function membersOf(row: Row, column: string): readonly unknown[] {
  const members: unknown = jsonOf(row, column);
  if (Array.isArray(members)) return members;
  throw new RowMalformed(`column "${column}": expected a list`);
}

function textsOf(row: Row, column: string): readonly string[] | null {
  if (jsonOf(row, column) === null) return null;
  return membersOf(row, column).map(String);
}

function pairsOf(row: Row, column: string): Readonly<Record<string, string>> | null {
  const pairs = jsonOf(row, column);
  if (typeof pairs !== 'object' || pairs === null) return null;
  return Object.fromEntries(Object.entries(pairs).map(([key, value]) => [key, String(value)]));
}

function oldSecretsOf(row: Row): readonly OldSecret[] {
  return membersOf(row, 'old_secrets').map((member) => {
    const old: Row = { ...(typeof member === 'object' ? member : null) };
    return { label: textOf(old, 'label'), endsAtMs: msOf(old, 'ends_at') };
  });
}

function firstKey(rows: readonly Row[]): StoredKey | null {
  const [row] = rows;
  return row === undefined ? null : keyOf(row);
}

function timeOf(ms: number | null | undefined): SQL {
  return sql`${typeof ms === 'number' ? new Date(ms) : null}::timestamptz`;
}

function jsonTextOf(value: object | null | undefined): SQL {
  return sql`${value ? JSON.stringify(value) : null}::jsonb`;
}

/** A digest as the text of a bytea. */
export function byteaOf(digest: string): string {
  return String.raw`\x${digest}`;
}

export interface FoundKey {
  readonly key: StoredKey;
  /** When the secret that was asked for ends or ended; null: it is the key's present one. */
  readonly secretEndsAtMs: number | null;
}

/**
 * The keys that have or had secrets with these digests and are not deleted, by digest. One
 * statement however many are asked for.
 */
export async function findKeysByDigest(
  database: Database,
  digests: readonly string[],
): Promise<ReadonlyMap<string, FoundKey>> {
  const asked = sql`any(${sql.param(digests.map(byteaOf))}::bytea[])`;
  const rows = await database.run(sql`
    select encode(secrets.digest, 'hex') as hex, secrets.ends_at as secret_ends_at, ${COLUMNS}
    from (
      select id as key_id, digest, null::timestamptz as ends_at
        from api_keys where digest = ${asked}
      union all select key_id, digest, ends_at from rotated_secrets where digest = ${asked}
    ) secrets join api_keys on api_keys.id = secrets.key_id where deleted_at is null`);
  return new Map(
    rows.map((row) => [
      textOf(row, 'hex'),
      { key: keyOf(row), secretEndsAtMs: nullableMsOf(row, 'secret_ends_at') },
    ]),
  );
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
  key: NewKey & StoredKeyPowers,
): Promise<StoredKey> {
  const rows = await database.run(sql`
    with created as (
      insert into api_keys (id, organization_id, kind, name, label, digest, limit_nano, expires_at,
        models, providers, metadata, tags)
      values (${key.id}, ${organizationId}, ${key.kind}, ${key.name}, ${key.label},
        ${byteaOf(key.digest)}::bytea, ${key.limitNano ?? null}::int8,
        ${timeOf(key.expiresAtMs)}, ${jsonTextOf(key.models)}, ${jsonTextOf(key.providers)},
        ${jsonTextOf(key.metadata)}, ${jsonTextOf(key.tags)})
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

function assignments(changes: StoredKeyChanges): SQL {
  const { name, disabled, limitNano, expiresAtMs, models, providers, metadata, tags } = changes;
  const columns: readonly (readonly [value: unknown, assignment: SQL])[] = [
    [name, sql`name = ${name ?? ''}`],
    [disabled, sql`disabled = ${disabled ?? false}`],
    [limitNano, sql`limit_nano = ${limitNano ?? null}::int8`],
    [expiresAtMs, sql`expires_at = ${timeOf(expiresAtMs)}`],
    [models, sql`models = ${jsonTextOf(models)}`],
    [providers, sql`providers = ${jsonTextOf(providers)}`],
    [metadata, sql`metadata = ${jsonTextOf(metadata)}`],
    [tags, sql`tags = ${jsonTextOf(tags)}`],
  ];
  const changed = columns.flatMap(([value, assignment]) =>
    value === undefined ? [] : [assignment],
  );
  return sql.join([...changed, TOUCHED], sql`, `);
}

const TOUCHED = sql`updated_at = now(), changed_at = clock_timestamp()`;

export async function updateKey(
  database: Database,
  key: { readonly organizationId: string; readonly id: string },
  changes: StoredKeyChanges,
): Promise<StoredKey | null> {
  const setsLimit = changes.limitNano !== undefined;
  return firstKey(
    await database.run(sql`
      with changed as (
        update api_keys set ${assignments(changes)}
        where id = ${key.id} and organization_id = ${key.organizationId} and deleted_at is null
        returning ${COLUMNS}
      ), budget as (${upsertBudget(sql`changed`, sql`${setsLimit}::boolean`)})
      select * from changed`),
  );
}

export interface Rotation {
  /** What the key is known by from now on. */
  readonly digest: string;
  readonly label: string;
  /** When the present secret stops working. */
  readonly endsAtMs: number;
  /** Whether older ones that still work stop then too. */
  readonly endsOlder: boolean;
}

/**
 * Replaces the secret of a key. Several at once come one after the other, and each replaces the
 * one before.
 */
export async function rotateSecret(
  database: Database,
  key: { readonly organizationId: string; readonly id: string },
  { digest, label, endsAtMs, endsOlder }: Rotation,
): Promise<void> {
  await database.run(sql`
    with old as (
      select id, digest, label from api_keys
      where id = ${key.id} and organization_id = ${key.organizationId} and deleted_at is null
      for update
    ), ended as (
      update rotated_secrets set ends_at = ${timeOf(endsAtMs)} from old
      where ${endsOlder}::boolean and key_id = old.id and ends_at > ${timeOf(endsAtMs)}
    ), kept as (
      insert into rotated_secrets (digest, key_id, label, ends_at)
      select digest, id, label, ${timeOf(endsAtMs)} from old
    )
    update api_keys set digest = ${byteaOf(digest)}::bytea, label = ${label}, ${TOUCHED}
    from old where api_keys.id = old.id`);
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
