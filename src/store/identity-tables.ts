/** Tables of the identity room: who our customers are, and the keys that they call with. */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  customType,
  index,
  pgTable,
  text,
  timestamp,
} from 'drizzle-orm/pg-core';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

function time(name: string) {
  return timestamp(name, { withTimezone: true, precision: 3 });
}

/** The owner's organization is the one whose slug is "default". */
export const organizations = pgTable('organizations', {
  /** `org_...` */
  id: text('id').primaryKey(),
  slug: text('slug').notNull().unique(),
  name: text('name').notNull(),
  createdAt: time('created_at').notNull().defaultNow(),
});

/** Keys are never in here: only an HMAC of each under a secret that is not in the database. */
export const apiKeys = pgTable(
  'api_keys',
  {
    /** `key_...`: public, not derived from the key. */
    id: text('id').primaryKey(),
    organizationId: text('organization_id')
      .notNull()
      .references(() => organizations.id),
    kind: text('kind', { enum: ['live', 'test', 'management'] }).notNull(),
    name: text('name').notNull(),
    /** What people recognise the key by, such as `sk-omx-live-Ab12...wxyz`. */
    label: text('label').notNull(),
    digest: bytea('digest').notNull().unique(),
    /**
     * Nano-dollars; null: none of its own. What is enforced is the ledger's budget of the same id.
     */
    limitNano: bigint('limit_nano', { mode: 'bigint' }),
    disabled: boolean('disabled').notNull().default(false),
    createdAt: time('created_at').notNull().defaultNow(),
    updatedAt: time('updated_at'),
    /** Revoked for good; the row stays for receipts. */
    deletedAt: time('deleted_at'),
    /**
     * Creation, update or deletion: what other processes ask for to forget what they have cached.
     */
    changedAt: time('changed_at').notNull().defaultNow(),
  },
  (table) => [
    index('api_keys_by_organization').on(table.organizationId, table.id.desc()),
    index('api_keys_by_change').on(table.changedAt),
    check('api_keys_kind', sql`${table.kind} in ('live', 'test', 'management')`),
    check('api_keys_digest', sql`octet_length(${table.digest}) = 32`),
    check('api_keys_limit', sql`${table.limitNano} >= 0`),
  ],
);
