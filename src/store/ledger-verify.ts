/**
 * Recomputes from the append-only rows what the ledger keeps as running totals, and says where the
 * two differ.
 */
import { sql } from 'drizzle-orm';

import type { Database } from './database.ts';
import { bigintOf, textOf } from './decode.ts';

/** A total that is not what its rows add up to. */
export interface LedgerDifference {
  /** Which rule is broken. */
  readonly check: string;
  readonly id: string;
  readonly stored: bigint;
  readonly recomputed: bigint;
}

/**
 * Every difference, none in a sound ledger. Reads all entries and records: for tests, audits and
 * nightly runs.
 */
export async function verifyLedger(database: Database): Promise<readonly LedgerDifference[]> {
  const rows = await database.run(sql`
WITH difference AS (
  SELECT 'account_balance' AS rule, coalesce(a.id, e.account_id) AS id,
    coalesce(a.balance, 0) AS stored, coalesce(e.total, 0) AS recomputed
  FROM ledger_accounts a
  FULL JOIN (SELECT account_id, sum(amount) AS total FROM ledger_entries GROUP BY 1) e
    ON e.account_id = a.id
  UNION ALL
  SELECT 'transaction_sum', transaction_id, sum(amount), 0 FROM ledger_entries GROUP BY 2
  UNION ALL
  SELECT 'entry_without_transaction', e.transaction_id, 1, 0 FROM ledger_entries e
  WHERE NOT EXISTS (SELECT 1 FROM ledger_transactions t WHERE t.id = e.transaction_id)
  UNION ALL
  SELECT 'book_sum', book, sum(balance), 0 FROM ledger_accounts GROUP BY 2
  UNION ALL
  SELECT 'negative_balance', id, balance, 0 FROM ledger_accounts
  WHERE kind IN ('credit', 'leased') AND balance < 0
  UNION ALL
  SELECT 'leased_credit', a.id, a.balance, coalesce(sum(l.amount), 0)
  FROM ledger_accounts a
  LEFT JOIN leases l ON l.resource_id = a.book || ':credit:' || a.organization_id
  WHERE a.kind = 'leased' GROUP BY a.id, a.balance
  UNION ALL
  SELECT 'leased_budget', b.id, b.leased_nano, coalesce(sum(l.amount), 0)
  FROM budgets b LEFT JOIN leases l ON l.resource_id = b.id GROUP BY b.id, b.leased_nano
  UNION ALL
  SELECT 'key_usage', b.id, b.posted_nano, coalesce(u.total, 0)
  FROM budgets b LEFT JOIN (SELECT key_id, sum(cost_nano) AS total FROM usage_records GROUP BY 1) u
    ON u.key_id = b.id
  UNION ALL
  SELECT 'usage_days', coalesce(d.key_id, u.key_id), coalesce(d.total, 0), coalesce(u.total, 0)
  FROM (SELECT key_id, sum(cost_nano) AS total FROM usage_days GROUP BY 1) d
  FULL JOIN (SELECT key_id, sum(cost_nano) AS total FROM usage_records GROUP BY 1) u
    ON u.key_id = d.key_id
  UNION ALL
  SELECT 'revenue', b.book || ':revenue', coalesce(a.balance, 0), coalesce(u.total, 0)
  FROM (VALUES ('live'), ('test')) b(book)
  LEFT JOIN ledger_accounts a ON a.id = b.book || ':revenue'
  LEFT JOIN (SELECT book, sum(cost_nano) AS total FROM usage_records GROUP BY 1) u ON u.book = b.book
  UNION ALL
  SELECT 'bad_debt', b.book || ':bad_debt', -coalesce(a.balance, 0), coalesce(u.total, 0)
  FROM (VALUES ('live'), ('test')) b(book)
  LEFT JOIN ledger_accounts a ON a.id = b.book || ':bad_debt'
  LEFT JOIN (SELECT book, sum(bad_debt_nano) AS total FROM usage_records GROUP BY 1) u
    ON u.book = b.book
)
SELECT rule, id, stored::numeric AS stored, recomputed::numeric AS recomputed FROM difference
WHERE stored <> recomputed ORDER BY rule, id LIMIT 1000`);
  return rows.map((row) => ({
    check: textOf(row, 'rule'),
    id: textOf(row, 'id'),
    stored: bigintOf(row, 'stored'),
    recomputed: bigintOf(row, 'recomputed'),
  }));
}
