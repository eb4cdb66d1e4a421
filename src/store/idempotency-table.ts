/** The table of idempotency records: what was asked under a caller's key, and what was answered. */
import { sql } from 'drizzle-orm';
import { check, customType, index, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });
const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

export const idempotencyRecords = pgTable(
  'idempotency_records',
  {
    /** HMAC of the API key's id and the caller's key, of which nothing else is stored. */
    id: bytea('id').primaryKey(),
    /** The request that claimed it: `req_...`. */
    requestId: text('request_id').notNull(),
    /** The process that runs it. */
    owner: text('owner').notNull(),
    /** HMAC of method, path and body. */
    fingerprint: bytea('fingerprint').notNull(),
    state: text('state', {
      enum: ['claimed', 'kept', 'interrupted', 'left', 'too_large'],
    }).notNull(),
    /** Encrypted (`gateway/idempotency/vault.ts`). */
    answer: bytea('answer'),
    claimedAt: instant('claimed_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
  },
  (table) => [
    index('idempotency_records_by_end').on(table.expiresAt),
    index('idempotency_records_open')
      .on(table.owner)
      .where(sql`${table.state} = 'claimed'`),
    check('idempotency_records_id', sql`octet_length(${table.id}) = 32`),
    check('idempotency_records_fingerprint', sql`octet_length(${table.fingerprint}) = 32`),
    check(
      'idempotency_records_state',
      sql`${table.state} in ('claimed', 'kept', 'interrupted', 'left', 'too_large')`,
    ),
    check(
      'idempotency_records_answer',
      sql`(${table.answer} is not null) = (${table.state} = 'kept')`,
    ),
  ],
);
