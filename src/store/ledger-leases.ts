/**
 * Leases: moving credit and budget between the database and one gateway process. Each step is one
 * statement, all or nothing, and safe against other owners and against its own belated twin (a
 * statement whose answer was lost).
 */
import { type SQL, sql } from 'drizzle-orm';

import type { Database, Row } from './database.ts';
import { bigintOf, booleanOf, nullableBigintOf, numberOf, onlyRow, textOf } from './decode.ts';

/**
 * A credit account or a key's budget, as the process that leases from it knows it. Nano-dollars.
 */
export interface LeaseNeed {
  /** If this much cannot be had, the request at the head must be refused. */
  readonly min: bigint;
  /** What all waiting requests want together. */
  readonly want: bigint;
  /** What the process has in lease and may still use for them. */
  readonly free: bigint;
  /** What the process believes to have in lease: free, held and not yet posted. */
  readonly have: bigint;
}

export interface LeaseRequest {
  readonly owner: string;
  readonly organizationId: string;
  readonly book: string;
  readonly credit: LeaseNeed;
  /** Null: no key with a limit of its own is asking. */
  readonly budget: (LeaseNeed & { readonly keyId: string }) | null;
}

/** What one statement saw and took. */
export interface LeaseTaken {
  /**
   * What could be had at that moment beyond what is free: in the database, or stranded in the
   * lease.
   */
  readonly available: bigint;
  /** How much more the process may now spend; zero when refused. */
  readonly gained: bigint;
  /** What this process is to keep in stock of it; zero when it is poor. */
  readonly stock: bigint;
  /** Null: unchanged. */
  readonly epoch: bigint | null;
}

export type LeaseAnswer = {
  readonly granted: boolean;
  readonly credit: LeaseTaken;
  /** Null: none asked for. `known` is false when nobody ever set the budget up. */
  readonly budget: (LeaseTaken & { readonly known: boolean; readonly limit: bigint | null }) | null;
  /** The database's wall clock, ms. */
  readonly databaseMs: number;
};

/** An account that has less is poor: only what is needed now is taken from it. */
const RICH_MIN = 5_000_000_000n;
/** From a rich account at most this much is stocked. */
const STOCK_MAX = 50_000_000_000n;
/** ... and at most this part of what it has. */
const STOCK_DIVISOR = 8n;
/**
 * Room in a budget without limit: more than all the money that an int8 of nano-dollars can count,
 * halved.
 */
const UNLIMITED = 4_000_000_000_000_000_000n;
/** An int8 counts no further: who needs more is refused as one who needs more than there is. */
const NEED_MAX = 9_223_372_036_854_775_807n;
/**
 * So much is taken at most for those who wait behind the one at the head: an int8 must hold what
 * many processes have leased of a budget without limit.
 */
const WANT_MAX = 1_000_000_000_000_000n;
/** Leases that one statement of a start gives back. */
const RETURN_MAX = 500;
/** Statements of a dead process are few; more misses in a row than this are something else. */
const RETURN_MISSES_MAX = 1000;
const NO_BUDGET = { keyId: '', min: 0n, want: 0n, free: 0n, have: 0n };

/**
 * Takes from the credit account and from the key's budget what is short, both or nothing; a rich
 * one gives a stock for later. Credit that an earlier statement took but whose answer got lost
 * counts as available and is found again here.
 */
export async function takeLease(database: Database, request: LeaseRequest): Promise<LeaseAnswer> {
  const row = onlyRow(await database.run(takeStatement(request, crypto.randomUUID())));
  const granted = booleanOf(row, 'granted');
  return {
    granted,
    credit: {
      available: bigintOf(row, 'credit_available'),
      gained: granted ? bigintOf(row, 'credit_gained') : 0n,
      stock: bigintOf(row, 'credit_stock'),
      epoch: nullableBigintOf(row, 'credit_epoch'),
    },
    budget:
      request.budget === null
        ? null
        : {
            available: bigintOf(row, 'budget_available'),
            gained: granted ? bigintOf(row, 'budget_gained') : 0n,
            stock: bigintOf(row, 'budget_stock'),
            epoch: nullableBigintOf(row, 'budget_epoch'),
            known: booleanOf(row, 'budget_known'),
            limit: nullableBigintOf(row, 'limit_nano'),
          },
    databaseMs: numberOf(row, 'database_ms'),
  };
}

/**
 * What a rich one gives for later; nothing when poor, or without limit: that is not going to run
 * out.
 */
function stockOf(room: SQL): SQL {
  return sql`CASE WHEN ${room} >= ${RICH_MIN}::bigint AND ${room} < ${UNLIMITED}::bigint
    THEN least(${room} / ${STOCK_DIVISOR}::bigint, ${STOCK_MAX}::bigint) ELSE 0 END`;
}

/**
 * Fills up to what is wanted or to the stock, whichever is more, and never beyond what there is.
 */
function takingOf(room: SQL, spare: SQL, want: bigint): SQL {
  return sql`greatest(0, least(${room}, greatest(${want}::bigint, ${stockOf(room)}) - ${spare}))`;
}

/** Nothing is needed, or there is enough. */
function enough(room: SQL, spare: SQL, need: LeaseNeed): SQL {
  return sql`(${need.min}::bigint <= ${need.free}::bigint OR ${room} + ${spare} >= ${need.min}::bigint)`;
}

/** What of it an int8 can count. */
function countable<Need extends LeaseNeed>(need: Need): Need {
  const min = need.min < NEED_MAX ? need.min : NEED_MAX;
  const want = need.want < WANT_MAX ? need.want : WANT_MAX;
  return { ...need, min, want: want < min ? min : want };
}

/**
 * Locks the account, under it the leases and last the budget, as a return and a posting do (of the
 * other book they lock another account), and decides.
 */
function decision(request: LeaseRequest): SQL {
  const { owner, organizationId, book } = request;
  const credit = countable(request.credit);
  const budget = countable(request.budget ?? NO_BUDGET);
  const creditId = `${book}:credit:${organizationId}`;
  const asked = request.budget !== null;
  const creditSpare = sql`(${credit.free}::bigint + credit_surplus)`;
  const budgetSpare = sql`(${budget.free}::bigint + budget_surplus)`;
  return sql`
account AS MATERIALIZED (SELECT balance FROM ledger_accounts WHERE id = ${creditId} FOR UPDATE),
lease AS MATERIALIZED (
  SELECT resource_id, amount FROM leases
  WHERE (SELECT count(*) FROM account) >= 0 AND owner = ${owner}
    AND resource_id IN (${creditId}, ${budget.keyId})
  ORDER BY resource_id FOR UPDATE
),
budget AS MATERIALIZED (
  SELECT limit_nano, coalesce(limit_nano - posted_nano - leased_nano, ${UNLIMITED}::bigint) AS room
  FROM budgets WHERE (SELECT count(*) FROM lease) >= 0 AND id = ${budget.keyId}
  FOR UPDATE
),
seen AS MATERIALIZED (
  SELECT coalesce((SELECT balance FROM account), 0) AS balance,
    greatest(0, coalesce((SELECT amount FROM lease WHERE resource_id = ${creditId}), 0)
      - ${credit.have}::bigint) AS credit_surplus,
    EXISTS (SELECT 1 FROM budget) AS budget_known,
    (SELECT limit_nano FROM budget) AS limit_nano,
    coalesce((SELECT room FROM budget), 0) AS room,
    greatest(0, coalesce((SELECT amount FROM lease WHERE resource_id = ${budget.keyId}), 0)
      - ${budget.have}::bigint) AS budget_surplus
),
decided AS MATERIALIZED (
  SELECT seen.*, ${stockOf(sql`balance`)} AS credit_stock, ${stockOf(sql`room`)} AS budget_stock,
    ${enough(sql`balance`, creditSpare, credit)}
    AND (NOT ${asked}::boolean OR budget_known AND ${enough(sql`room`, budgetSpare, budget)}) AS granted,
    ${takingOf(sql`balance`, creditSpare, credit.want)} AS credit_taken,
    CASE WHEN ${asked}::boolean AND budget_known
      THEN ${takingOf(sql`room`, budgetSpare, budget.want)} ELSE 0 END AS budget_taken
  FROM seen
)`;
}

function takeStatement(request: LeaseRequest, takeId: string): SQL {
  const { owner, organizationId, book } = request;
  const creditId = `${book}:credit:${organizationId}`;
  const leasedId = `${book}:leased:${organizationId}`;
  const keyId = request.budget?.keyId ?? NO_BUDGET.keyId;
  return sql`WITH ${decision(request)},
transaction AS (
  INSERT INTO ledger_transactions (id, kind, book, source, source_id, organization_id)
  SELECT 'lease:' || ${takeId}::text, 'lease', ${book}, 'lease', ${takeId}::text, ${organizationId}
  FROM decided WHERE granted AND credit_taken > 0
),
line AS MATERIALIZED (
  SELECT l.account_id, l.kind, l.amount FROM decided d CROSS JOIN LATERAL (VALUES
    (${creditId}::text, 'credit', -d.credit_taken), (${leasedId}::text, 'leased', d.credit_taken)
  ) AS l(account_id, kind, amount)
  WHERE d.granted AND d.credit_taken > 0
),
entry AS (
  INSERT INTO ledger_entries (transaction_id, account_id, amount)
  SELECT 'lease:' || ${takeId}::text, account_id, amount FROM line
),
balance AS (
  INSERT INTO ledger_accounts (id, kind, organization_id, book, balance)
  SELECT account_id, kind, ${organizationId}, ${book}, amount FROM line ORDER BY account_id
  ON CONFLICT (id) DO UPDATE SET balance = ledger_accounts.balance + excluded.balance
),
budget_leased AS (
  UPDATE budgets SET leased_nano = leased_nano + d.budget_taken FROM decided d
  WHERE budgets.id = ${keyId} AND d.granted AND d.budget_taken > 0
),
leased AS (
  INSERT INTO leases (owner, resource_id, book, organization_id, amount, epoch)
  SELECT ${owner}, g.resource_id, ${book}, ${organizationId}, g.taken, 1
  FROM decided d CROSS JOIN LATERAL (VALUES
    (${creditId}::text, d.credit_taken, d.credit_surplus),
    (${keyId}::text, d.budget_taken, d.budget_surplus)
  ) AS g(resource_id, taken, surplus)
  WHERE d.granted AND g.taken + g.surplus > 0 ORDER BY g.resource_id
  ON CONFLICT (owner, resource_id) DO UPDATE
    SET amount = leases.amount + excluded.amount, epoch = leases.epoch + 1
  RETURNING resource_id, epoch
)
SELECT granted, balance + credit_surplus AS credit_available,
  credit_taken + credit_surplus AS credit_gained,
  room + budget_surplus AS budget_available, budget_taken + budget_surplus AS budget_gained,
  budget_known, limit_nano, credit_stock, budget_stock,
  (SELECT epoch FROM leased WHERE resource_id = ${creditId}) AS credit_epoch,
  (SELECT epoch FROM leased WHERE resource_id = ${keyId}) AS budget_epoch,
  (extract(epoch FROM clock_timestamp()) * 1000)::bigint::float8 AS database_ms
FROM decided`;
}

/** What the process keeps of a lease; the rest goes back. */
export interface LeaseKept {
  readonly resourceId: string;
  /** Held and not yet posted, nano-dollars. */
  readonly keep: bigint;
  /**
   * The epoch that the process knows: of a lease that was taken from since, nothing is returned.
   */
  readonly epoch: bigint;
}

/** A lease as the return found and left it. */
export interface LeaseReturned {
  readonly resourceId: string;
  /** What went back. */
  readonly amount: bigint;
  readonly epoch: bigint;
  /** There was something to give back, and it stayed: the lease was changed since that epoch. */
  readonly changed: boolean;
}

/**
 * Gives back what the process does not keep of these leases, and says how each stands; of one that
 * there is not, nothing. Repeating it is harmless.
 */
export async function returnLeases(
  database: Database,
  owner: string,
  kept: readonly LeaseKept[],
): Promise<readonly LeaseReturned[]> {
  const input = kept.map(({ resourceId, keep, epoch }) => ({
    resource_id: resourceId,
    keep: keep.toString(),
    epoch: epoch.toString(),
  }));
  const chosen = sql`SELECT l.resource_id, l.book, l.organization_id, k.keep, k.epoch
    FROM json_to_recordset(${JSON.stringify(input)}::json) AS k(
      resource_id text, keep bigint, epoch bigint)
    JOIN leases l ON l.owner = ${owner} AND l.resource_id = k.resource_id`;
  return (await database.run(returnStatement(owner, chosen))).map(toReturned);
}

/**
 * Gives back everything that this owner has leased: only for a start, before anything is held.
 * Returns how many leases that were. Some at a time, so that no statement is long; and again where
 * a statement of the dead process, still under way, changed a lease between the look and the lock.
 */
export async function returnAllLeases(database: Database, owner: string): Promise<number> {
  const chosen = sql`SELECT resource_id, book, organization_id, 0::bigint AS keep, epoch
    FROM leases WHERE owner = ${owner} AND amount > 0 ORDER BY resource_id LIMIT ${RETURN_MAX}`;
  const left = sql`SELECT 1 FROM leases WHERE owner = ${owner} AND amount > 0 LIMIT 1`;
  let count = 0;
  let misses = 0;
  for (;;) {
    const seen = (await database.run(returnStatement(owner, chosen))).map(toReturned);
    const returned = seen.filter(({ changed }) => !changed).length;
    count += returned;
    misses = returned === 0 ? misses + 1 : 0;
    if (misses > 0 && (await database.run(left)).length === 0) return count;
    if (misses > RETURN_MISSES_MAX) throw new Error('leases of this owner cannot be given back');
  }
}

function toReturned(row: Row): LeaseReturned {
  return {
    resourceId: textOf(row, 'resource_id'),
    amount: bigintOf(row, 'amount'),
    epoch: bigintOf(row, 'epoch'),
    changed: booleanOf(row, 'changed'),
  };
}

/** `chosen` names the leases, read without a lock; their epochs are compared again under it. */
function returnStatement(owner: string, chosen: SQL): SQL {
  return sql`WITH
chosen AS MATERIALIZED (
  SELECT c.*, c.book || ':credit:' || c.organization_id AS credit_id FROM (${chosen}) c
),
account AS MATERIALIZED (
  SELECT id FROM ledger_accounts WHERE id IN (SELECT credit_id FROM chosen) ORDER BY id FOR UPDATE
),
spare AS MATERIALIZED (
  SELECT l.resource_id, c.credit_id, c.book, c.organization_id, l.amount - c.keep AS amount
  FROM leases l JOIN chosen c ON c.resource_id = l.resource_id
  WHERE (SELECT count(*) FROM account) >= 0 AND l.owner = ${owner} AND l.epoch = c.epoch
    AND l.amount > c.keep
  ORDER BY l.resource_id FOR UPDATE OF l
),
returned AS (
  UPDATE leases l SET amount = l.amount - s.amount, epoch = l.epoch + 1 FROM spare s
  WHERE l.owner = ${owner} AND l.resource_id = s.resource_id
  RETURNING l.resource_id, l.epoch, s.amount, s.credit_id, s.book, s.organization_id
),
budget AS (
  UPDATE budgets b SET leased_nano = b.leased_nano - r.amount FROM returned r
  WHERE b.id = r.resource_id AND r.resource_id <> r.credit_id
),
moved AS MATERIALIZED (
  SELECT r.*, ${owner}::text || ':' || r.credit_id || ':' || r.epoch AS source_id
  FROM returned r WHERE r.resource_id = r.credit_id
),
transaction AS (
  INSERT INTO ledger_transactions (id, kind, book, source, source_id, organization_id)
  SELECT 'lease_return:' || source_id, 'lease_return', book, 'lease_return', source_id,
    organization_id FROM moved
),
line AS MATERIALIZED (
  SELECT m.source_id, m.book, m.organization_id, l.kind, l.amount,
    m.book || ':' || l.kind || ':' || m.organization_id AS account_id
  FROM moved m CROSS JOIN LATERAL (VALUES ('leased', -m.amount), ('credit', m.amount)) AS l(kind, amount)
),
entry AS (
  INSERT INTO ledger_entries (transaction_id, account_id, amount)
  SELECT 'lease_return:' || source_id, account_id, amount FROM line
),
balance AS (
  INSERT INTO ledger_accounts (id, kind, organization_id, book, balance)
  SELECT account_id, kind, organization_id, book, amount FROM line ORDER BY account_id
  ON CONFLICT (id) DO UPDATE SET balance = ledger_accounts.balance + excluded.balance
)
SELECT l.resource_id, coalesce(r.amount, 0) AS amount, coalesce(r.epoch, l.epoch) AS epoch,
  r.amount IS NULL AND l.amount > c.keep AS changed
FROM chosen c JOIN leases l ON l.owner = ${owner} AND l.resource_id = c.resource_id
LEFT JOIN returned r ON r.resource_id = c.resource_id`;
}

/** The database's wall clock, ms since the epoch. */
export async function readDatabaseMs(database: Database): Promise<number> {
  const rows = await database.run(
    sql`SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint::float8 AS database_ms`,
  );
  return numberOf(onlyRow(rows), 'database_ms');
}
