/**
 * The books of a server that is down, read from its own Postgres without asking the program that
 * wrote them.
 */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sql } from 'drizzle-orm';
import { startEmbeddedPostgres } from '#store/embedded-postgres.node.ts';
import { verifyLedger, type LedgerDifference } from '#store/ledger-verify.ts';
import { openPostgres } from '#store/postgres.node.ts';

export interface Posting {
  readonly requestId: string;
  readonly kind: string;
  readonly costNano: bigint;
}

export interface Books {
  /** Empty in sound books: entries sum to zero, totals are what their rows add up to. */
  readonly differences: readonly LedgerDifference[];
  readonly postings: readonly Posting[];
  /** Leases that somebody still holds. */
  readonly openLeases: number;
}

/** Starts the embedded Postgres below `dataDir`, reads, stops it. Nobody else may have it open. */
export async function readBooks(dataDir: string): Promise<Books> {
  const server = await startEmbeddedPostgres({ directory: findCluster(dataDir) });
  const database = openPostgres({ at: server.address, connectionsMax: 2 });
  try {
    const differences = await verifyLedger(database);
    const rows = await database.run(
      sql`SELECT request_id, kind, cost_nano FROM usage_records ORDER BY created_at`,
    );
    const leases = await database.run(sql`SELECT owner FROM leases WHERE amount <> 0`);
    return {
      differences,
      postings: rows.map((row) => ({
        requestId: String(row['request_id']),
        kind: String(row['kind']),
        costNano: BigInt(String(row['cost_nano'])),
      })),
      openLeases: leases.length,
    };
  } finally {
    await database.close();
    await server.stop();
  }
}

function findCluster(dataDir: string): string {
  const names = readdirSync(dataDir, { recursive: true, encoding: 'utf8' });
  const version = names.find((name) => /(^|\/)data\/PG_VERSION$/.test(name));
  if (version === undefined) throw new Error(`no Postgres below ${dataDir}`);
  return dirname(dirname(join(dataDir, version)));
}
