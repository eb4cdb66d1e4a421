/**
 * What comes in from outside the request's way: credit granted to an organization, and the limits
 * of keys.
 */
import { sql } from 'drizzle-orm';

import type { Database } from './database.ts';
import { booleanOf, onlyRow } from './decode.ts';

export interface CreditGrant {
  /** `grant_...` */
  readonly id: string;
  readonly organizationId: string;
  readonly book: string;
  /** Nano-dollars, more than zero. */
  readonly amount: bigint;
  readonly reason: string;
  /** Who pays for it: money that came in, or ours given away. */
  readonly fundedBy: 'payment_clearing' | 'promo';
  /** Where the grant comes from and its id there: the same pair grants once, ever. */
  readonly source: string;
  readonly sourceId: string;
}

/**
 * Adds credit, at once for every process. False: this source and id were granted before, and
 * nothing was changed. Rejects with `StatementRefused` for an amount that is not positive.
 */
export async function grantCredit(database: Database, grant: CreditGrant): Promise<boolean> {
  const { id, organizationId, book, amount, reason, fundedBy, source, sourceId } = grant;
  const creditId = `${book}:credit:${organizationId}`;
  const row = onlyRow(
    await database.run(sql`WITH
transaction AS (
  INSERT INTO ledger_transactions (id, kind, book, source, source_id, organization_id)
  VALUES ('grant:' || ${id}::text, 'grant', ${book}, ${source}, ${sourceId}, ${organizationId})
  ON CONFLICT (source, source_id) DO NOTHING
  RETURNING id
),
added AS (
  INSERT INTO grants (id, organization_id, book, amount, reason, transaction_id)
  SELECT ${id}, ${organizationId}, ${book}, ${amount}::bigint, ${reason}, id FROM transaction
),
line AS MATERIALIZED (
  SELECT t.id AS transaction_id, l.* FROM transaction t CROSS JOIN (VALUES
    (${creditId}::text, 'credit', ${organizationId}::text, ${amount}::bigint),
    (${book}::text || ':' || ${fundedBy}::text, ${fundedBy}::text, NULL, -${amount}::bigint)
  ) AS l(account_id, kind, organization_id, amount)
),
entry AS (
  INSERT INTO ledger_entries (transaction_id, account_id, amount)
  SELECT transaction_id, account_id, amount FROM line
),
balance AS (
  INSERT INTO ledger_accounts (id, kind, organization_id, book, balance)
  SELECT account_id, kind, organization_id, ${book}, amount FROM line
  ORDER BY (organization_id IS NULL), account_id
  ON CONFLICT (id) DO UPDATE SET balance = ledger_accounts.balance + excluded.balance
)
SELECT EXISTS (SELECT 1 FROM transaction) AS granted`),
  );
  return booleanOf(row, 'granted');
}

export interface BudgetLimit {
  readonly keyId: string;
  readonly organizationId: string;
  /**
   * Nano-dollars; null: none. May be below what was spent already: then the key is refused from now
   * on.
   */
  readonly limit: bigint | null;
}

/**
 * Sets a key's limit. What processes have leased of the old one they must give back:
 * `Ledger.budgetChanged`.
 */
export async function setBudgetLimit(database: Database, budget: BudgetLimit): Promise<void> {
  const { keyId, organizationId, limit } = budget;
  await database.run(sql`
INSERT INTO budgets (id, organization_id, limit_nano, posted_nano, leased_nano)
VALUES (${keyId}, ${organizationId}, ${limit}::bigint, 0, 0)
ON CONFLICT (id) DO UPDATE SET limit_nano = excluded.limit_nano`);
}
