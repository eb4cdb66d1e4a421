/** Tables of the identity room: who our customers are, and the keys that they call with. */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  customType,
  index,
  jsonb,
  pgTable,
  smallint,
  text,
  timestamp,
} from 'drizzle-orm/pg-core';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

function time(name: string) {
  return timestamp(name, { withTimezone: true, precision: 3 });
}

/** One row: what belongs to all of an installation's processes and to no organization. */
export const installation = pgTable(
  'installation',
  {
    id: smallint('id').primaryKey().default(1),
    /** A hash under the secret that keys are hashed under: another secret gives another one. */
    secretCheck: bytea('secret_check').notNull(),
  },
  (table) => [
    check('installation_one', sql`${table.id} = 1`),
    check('installation_secret_check', sql`octet_length(${table.secretCheck}) = 32`),
  ],
);

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
    /** Of the secret that works now. */
    digest: bytea('digest').notNull().unique(),
    /**
     * Nano-dollars; null: none of its own. What is enforced is the ledger's budget of the same id.
     */
    limitNano: bigint('limit_nano', { mode: 'bigint' }),
    disabled: boolean('disabled').notNull().default(false),
    /** From then on the key is refused; null: never. */
    expiresAt: time('expires_at'),
    /** Names of the only models and providers that the key may use; null: all. */
    models: jsonb('models'),
    providers: jsonb('providers'),
    /** The owner's notes, which go into receipts: pairs of text, and a list of text. */
    metadata: jsonb('metadata'),
    tags: jsonb('tags'),
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

/** Secrets that a key had before: each works until its end, and is recognised for ever after. */
export const rotatedSecrets = pgTable(
  'rotated_secrets',
  {
    digest: bytea('digest').primaryKey(),
    keyId: text('key_id')
      .notNull()
      .references(() => apiKeys.id),
    label: text('label').notNull(),
    endsAt: time('ends_at').notNull(),
  },
  (table) => [
    index('rotated_secrets_by_key').on(table.keyId, table.endsAt),
    check('rotated_secrets_digest', sql`octet_length(${table.digest}) = 32`),
  ],
);
