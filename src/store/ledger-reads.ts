/**
 * What can be asked of the ledger: receipts, credit, a key's usage. Each read costs the same
 * however long the ledger is.
 */
import { sql } from 'drizzle-orm';

import type { Database } from './database.ts';
import { bigintOf, msOf, nullableBigintOf, oneOf, onlyRow, textOf } from './decode.ts';

export interface UsageReceipt {
  readonly requestId: string;
  readonly keyId: string;
  readonly book: string;
  /** `swept`: the process died during the request, and nothing was charged. */
  readonly kind: 'outcome' | 'swept' | 'correction';
  /** Nano-dollars charged, corrections included. */
  readonly cost: bigint;
  /** The part of it that the platform bore. */
  readonly badDebt: bigint;
  readonly admittedAtMs: number;
  /** JSON text as the gateway wrote it. */
  readonly detail: string;
}

/**
 * The receipt of one request, with its latest detail. Null: this organization has no such request
 * posted.
 */
export async function findReceipt(
  database: Database,
  organizationId: string,
  requestId: string,
): Promise<UsageReceipt | null> {
  const [row] = await database.run(sql`
SELECT first.request_id, first.key_id, first.book, first.admitted_at,
  coalesce(late.kind, first.kind) AS kind, coalesce(late.detail, first.detail) AS detail,
  first.cost_nano + coalesce(late.cost_nano, 0) AS cost,
  first.bad_debt_nano + coalesce(late.bad_debt_nano, 0) AS bad_debt
FROM usage_records first
LEFT JOIN usage_records late ON late.request_id = first.request_id AND late.kind = 'correction'
WHERE first.request_id = ${requestId} AND first.kind IN ('outcome', 'swept')
  AND first.organization_id = ${organizationId}`);
  if (row === undefined) return null;
  return {
    requestId: textOf(row, 'request_id'),
    keyId: textOf(row, 'key_id'),
    book: textOf(row, 'book'),
    kind: oneOf(row, 'kind', ['outcome', 'swept', 'correction']),
    cost: bigintOf(row, 'cost'),
    badDebt: bigintOf(row, 'bad_debt'),
    admittedAtMs: msOf(row, 'admitted_at'),
    detail: textOf(row, 'detail'),
  };
}

/** An organization's credit as the database knows it, nano-dollars. */
export interface StoredCredit {
  readonly granted: bigint;
  readonly available: bigint;
  readonly leased: bigint;
}

export async function readCredit(
  database: Database,
  organizationId: string,
  book: string,
): Promise<StoredCredit> {
  const row = onlyRow(
    await database.run(sql`SELECT
  coalesce((SELECT sum(amount) FROM grants
    WHERE organization_id = ${organizationId} AND book = ${book}), 0)::bigint AS granted,
  coalesce((SELECT balance FROM ledger_accounts
    WHERE id = ${`${book}:credit:${organizationId}`}), 0) AS available,
  coalesce((SELECT balance FROM ledger_accounts
    WHERE id = ${`${book}:leased:${organizationId}`}), 0) AS leased`),
  );
  return {
    granted: bigintOf(row, 'granted'),
    available: bigintOf(row, 'available'),
    leased: bigintOf(row, 'leased'),
  };
}

/**
 * Nano-dollars posted for a key; windows are those of the database's clock in UTC, weeks begin on
 * Monday.
 */
export interface StoredKeyUsage {
  readonly limit: bigint | null;
  readonly total: bigint;
  readonly daily: bigint;
  readonly weekly: bigint;
  readonly monthly: bigint;
}

export async function readKeyUsage(database: Database, keyId: string): Promise<StoredKeyUsage> {
  const row = onlyRow(
    await database.run(sql`WITH today AS (SELECT now() AT TIME ZONE 'UTC' AS at)
SELECT (SELECT limit_nano FROM budgets WHERE id = ${keyId}) AS limit_nano,
  coalesce((SELECT posted_nano FROM budgets WHERE id = ${keyId}), 0) AS total,
  coalesce(sum(d.cost_nano) FILTER (WHERE d.day = t.at::date), 0)::bigint AS daily,
  coalesce(sum(d.cost_nano) FILTER (WHERE d.day >= date_trunc('week', t.at)::date), 0)::bigint
    AS weekly,
  coalesce(sum(d.cost_nano) FILTER (WHERE d.day >= date_trunc('month', t.at)::date), 0)::bigint
    AS monthly
FROM today t LEFT JOIN usage_days d ON d.key_id = ${keyId}
  AND d.day >= least(date_trunc('week', t.at), date_trunc('month', t.at))::date
  AND d.day <= t.at::date`),
  );
  return {
    limit: nullableBigintOf(row, 'limit_nano'),
    total: bigintOf(row, 'total'),
    daily: bigintOf(row, 'daily'),
    weekly: bigintOf(row, 'weekly'),
    monthly: bigintOf(row, 'monthly'),
  };
}
