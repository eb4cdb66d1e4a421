/**
 * Brings the database's schema to where the code expects it: the files of `migrations/`, in order,
 * each once. Safe when several processes start together; refuses a database that a newer OmniX has
 * changed.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type postgres from 'postgres';

import { DatabaseUnavailable } from './database.ts';
import { toStoreError } from './postgres-errors.ts';
import { connectPostgres, type PostgresOptions } from './postgres.node.ts';

interface Migration {
  readonly tag: string;
  readonly hash: string;
  readonly statements: readonly string[];
}

/** The schema and this code do not belong together; the message says what to do. */
export class MigrationRefused extends Error {
  override readonly name = 'MigrationRefused';
}

/** Any number, but always the same: "omnix" in hexadecimal digits of ASCII. */
const LOCK = 0x6f_6d_6e_69_78;
/**
 * For all attempts together: postgres.js goes on trying while something accepts its connections and
 * never speaks as a Postgres does.
 */
const CONNECT_MS_MAX = 10_000;
const BREAKPOINT = '--> statement-breakpoint';

/**
 * Applies what is missing, all or nothing. Returns the tags that were applied now. `connectMs` is
 * how long to wait for a database that answers.
 */
export async function migrate(
  at: PostgresOptions['at'],
  directory: string,
  connectMs = CONNECT_MS_MAX,
): Promise<readonly string[]> {
  const migrations = readMigrations(directory);
  const client = connectPostgres({ at, connectionsMax: 1, statementTimeoutMs: 0 });
  const silent = Promise.withResolvers<never>();
  const deadline = setTimeout(() => silent.reject(nothingAnswers(connectMs)), connectMs);
  // A transaction-level lock: it works behind a pooler and dies with us.
  const applied = client.begin((transaction) => {
    clearTimeout(deadline);
    return applyMissing(transaction, migrations);
  });
  try {
    return await Promise.race([applied, silent.promise]);
  } catch (error) {
    const isOurs = error instanceof MigrationRefused || error instanceof DatabaseUnavailable;
    throw isOurs ? error : toStoreError(error);
  } finally {
    clearTimeout(deadline);
    await client.end({ timeout: 1 });
  }
}

function nothingAnswers(ms: number): DatabaseUnavailable {
  return new DatabaseUnavailable(
    'The database cannot be used: nothing at its address has spoken as a Postgres does ' +
      `within ${ms / 1000} s.`,
  );
}

async function applyMissing(
  transaction: postgres.TransactionSql,
  migrations: readonly Migration[],
): Promise<readonly string[]> {
  await transaction`set local lock_timeout = '120s'`;
  await transaction`select pg_advisory_xact_lock(${LOCK}::int8)`;
  await transaction`
    create table if not exists omnix_migrations (
      tag text primary key, hash text not null, applied_at timestamptz not null default now()
    )`;
  const rows = await transaction<{ tag: string; hash: string }[]>`
    select tag, hash from omnix_migrations order by tag`;
  const applied = new Map(rows.map((row) => [row.tag, row.hash]));
  requireKnown(applied, migrations);
  const missing = migrations.filter((migration) => !applied.has(migration.tag));
  for (const { tag, hash, statements } of missing) {
    // oxlint-disable-next-line house/no-raw-sql -- the text of our own migrations
    for (const statement of statements) await transaction.unsafe(statement);
    await transaction`insert into omnix_migrations (tag, hash) values (${tag}, ${hash})`;
  }
  return missing.map((migration) => migration.tag);
}

function requireKnown(
  applied: ReadonlyMap<string, string>,
  migrations: readonly Migration[],
): void {
  const known = new Map(migrations.map((migration) => [migration.tag, migration.hash]));
  for (const [tag, hash] of applied) {
    if (!known.has(tag)) {
      throw new MigrationRefused(
        `The database is newer than this OmniX: it has the migration ${tag}, ` +
          'which this version does not know. ' +
          'Start the newer version, or restore a backup from before the upgrade.',
      );
    }
    if (known.get(tag) !== hash) {
      throw new MigrationRefused(
        `The migration ${tag} was changed after it had been applied to this database. ` +
          'Restore its file in migrations/ and put the change into a new migration.',
      );
    }
  }
}

/** The migrations in the order of their journal. */
function readMigrations(directory: string): readonly Migration[] {
  const journal: unknown = JSON.parse(
    readFileSync(join(directory, 'meta', '_journal.json'), 'utf8'),
  );
  const entries: unknown =
    typeof journal === 'object' && journal !== null ? Reflect.get(journal, 'entries') : null;
  if (!Array.isArray(entries)) throw new Error(`${directory}/meta/_journal.json has no entries`);
  return entries.map((entry: unknown) => readMigration(directory, entry));
}

function readMigration(directory: string, entry: unknown): Migration {
  const tag: unknown =
    typeof entry === 'object' && entry !== null ? Reflect.get(entry, 'tag') : null;
  if (typeof tag !== 'string')
    throw new Error(`${directory}/meta/_journal.json: an entry has no tag`);
  const source = readFileSync(join(directory, `${tag}.sql`), 'utf8');
  return {
    tag,
    hash: createHash('sha256').update(source.replaceAll('\r\n', '\n')).digest('hex'),
    statements: source.split(BREAKPOINT),
  };
}
