/**
 * The tables of the ledger: double-entry accounts, leases, budgets, grants and the records of
 * usage. Amounts are nano-dollars. An account's balance is positive for what the platform owes or
 * has earned (customer credit, revenue, payables) and negative for what it gave or lost (promo,
 * provider cost, bad debt), so that all balances of a book sum to zero. The triggers of
 * `migrations/0001_ledger_guards.sql` make transactions and entries append-only.
 */
import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  date,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core';

const nanoUsd = (name: string) => bigint(name, { mode: 'bigint' });
const instant = (name: string) => timestamp(name, { withTimezone: true });

/**
 * `live:credit:org_x`, `live:leased:org_x` of a customer; `live:revenue` and the like of the
 * platform.
 */
export const ledgerAccounts = pgTable(
  'ledger_accounts',
  {
    id: text('id').primaryKey(),
    kind: text('kind').notNull(),
    /** Null: the platform's own. */
    organizationId: text('organization_id'),
    book: text('book').notNull(),
    /** A cache of the sum of the account's entries. */
    balance: nanoUsd('balance').notNull(),
  },
  (table) => [check('ledger_accounts_book', sql`${table.book} IN ('live', 'test')`)],
);

export const ledgerTransactions = pgTable(
  'ledger_transactions',
  {
    id: text('id').primaryKey(),
    kind: text('kind').notNull(),
    book: text('book').notNull(),
    /** Where it came from and its id there: whatever arrives twice is written once. */
    source: text('source').notNull(),
    sourceId: text('source_id').notNull(),
    organizationId: text('organization_id'),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [uniqueIndex('ledger_transactions_source').on(table.source, table.sourceId)],
);

export const ledgerEntries = pgTable(
  'ledger_entries',
  {
    transactionId: text('transaction_id').notNull(),
    accountId: text('account_id').notNull(),
    amount: nanoUsd('amount').notNull(),
  },
  (table) => [primaryKey({ columns: [table.transactionId, table.accountId] })],
);

/**
 * What a key has spent, and may spend. A row exists for each key that has a limit or was ever used.
 */
export const budgets = pgTable('budgets', {
  /** The id of the key. */
  id: text('id').primaryKey(),
  organizationId: text('organization_id').notNull(),
  /** Null: no limit. */
  limitNano: nanoUsd('limit_nano'),
  postedNano: nanoUsd('posted_nano').notNull(),
  /** In the hands of gateway processes: they may still spend it. */
  leasedNano: nanoUsd('leased_nano').notNull(),
});

/** A slice of a credit account or of a budget that one gateway process may spend without asking. */
export const leases = pgTable(
  'leases',
  {
    owner: text('owner').notNull(),
    /** The id of the credit account or of the budget. */
    resourceId: text('resource_id').notNull(),
    book: text('book').notNull(),
    organizationId: text('organization_id').notNull(),
    amount: nanoUsd('amount').notNull(),
    /**
     * Goes up whenever the lease grows or is given back, so that a belated statement finds itself
     * outdated.
     */
    epoch: bigint('epoch', { mode: 'bigint' }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.owner, table.resourceId] }),
    check('leases_amount', sql`${table.amount} >= 0`),
  ],
);

/** Credit that came in. */
export const grants = pgTable(
  'grants',
  {
    id: text('id').primaryKey(),
    organizationId: text('organization_id').notNull(),
    book: text('book').notNull(),
    amount: nanoUsd('amount').notNull(),
    reason: text('reason').notNull(),
    transactionId: text('transaction_id').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [
    index('grants_organization').on(table.organizationId, table.book),
    check('grants_amount', sql`${table.amount} > 0`),
  ],
);

/** What each request came to: the receipt. Never changed; a correction is a row of its own. */
export const usageRecords = pgTable(
  'usage_records',
  {
    requestId: text('request_id').notNull(),
    attempt: integer('attempt').notNull(),
    organizationId: text('organization_id').notNull(),
    keyId: text('key_id').notNull(),
    book: text('book').notNull(),
    kind: text('kind').notNull(),
    costNano: nanoUsd('cost_nano').notNull(),
    /** The part of the cost that the lease of the process paid. */
    leasedNano: nanoUsd('leased_nano').notNull(),
    /** The part of the cost that its lease on the key's budget covered. */
    budgetLeasedNano: nanoUsd('budget_leased_nano').notNull(),
    /** The part of the cost that neither the hold nor the account could pay. */
    badDebtNano: nanoUsd('bad_debt_nano').notNull(),
    /** What the platform owes its upstream for a request that nobody was billed for. */
    platformCostNano: nanoUsd('platform_cost_nano').notNull(),
    admittedAt: instant('admitted_at').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    /** Null: nothing was moved. */
    transactionId: text('transaction_id'),
    /**
     * JSON text exactly as the gateway wrote it: no content of it can make Postgres refuse a
     * posting.
     */
    detail: text('detail').notNull(),
  },
  (table) => [
    // A request ends once, as an outcome or by a sweep, whichever comes first, and is corrected
    // once. Every posting pays for every index: this is the only one.
    uniqueIndex('usage_records_request').on(table.requestId, sql`(${table.kind} = 'correction')`),
    check('usage_records_kind', sql`${table.kind} IN ('outcome', 'swept', 'correction')`),
  ],
);

/**
 * A key's usage by UTC day of admission, so that a month's sum is at most 31 rows however many
 * requests there were.
 */
export const usageDays = pgTable(
  'usage_days',
  {
    keyId: text('key_id').notNull(),
    day: date('day').notNull(),
    book: text('book').notNull(),
    organizationId: text('organization_id').notNull(),
    costNano: nanoUsd('cost_nano').notNull(),
    requests: integer('requests').notNull(),
  },
  (table) => [primaryKey({ columns: [table.keyId, table.day, table.book] })],
);
