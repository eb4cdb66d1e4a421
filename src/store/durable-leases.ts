/** What a Durable Object must ask of Postgres that a process never does: which leases it has. */
import { sql } from 'drizzle-orm';

import type { Database } from './database.ts';
import { textOf } from './decode.ts';

/** Something that an owner has in lease: a credit account's credit, or a key's budget. */
export interface HeldLease {
  readonly resourceId: string;
  readonly organizationId: string;
  readonly book: string;
}

/** All leases of the owner with something in them. */
export async function findLeases(database: Database, owner: string): Promise<readonly HeldLease[]> {
  const rows = await database.run(
    sql`SELECT resource_id, organization_id, book FROM leases
      WHERE owner = ${owner} AND amount > 0`,
  );
  return rows.map((row) => ({
    resourceId: textOf(row, 'resource_id'),
    organizationId: textOf(row, 'organization_id'),
    book: textOf(row, 'book'),
  }));
}
