/**
 * What the tests inside workerd need outside of it: a real Postgres on 127.0.0.1 with an owner and
 * his keys, and an upstream on a socket. A process of its own, since vitest resolves packages as
 * workerd would also where it does not run in it. Prints what there is as one line of JSON, and
 * ends when its standard input does.
 */
import { sql } from 'drizzle-orm';

import { nodeDigests } from '#base/digest.node.ts';
import { nanoUsd } from '#base/money.ts';
import { createIdentity } from '#identity/create-identity.ts';
import type { KeyKind } from '#identity/identity.ts';
import { grantCredit, setBudgetLimit } from '#store/ledger-grants.ts';

import { createDatabaseAt, type TestDatabase } from './postgres-client.ts';
import { startPostgresOwner } from './postgres-setup.ts';
import { WORKER_SECRET, type WorkerWorld } from './worker-setup.ts';
import { startWorkerUpstream } from './worker-upstream.ts';

const CREDIT = 1_000_000_000_000n;
const POOR_CREDIT = 1_000_000n;
const KEY_LIMIT = 1_000_000n;
const POOR_ORGANIZATION = 'org_poor';

async function grant(
  { database }: TestDatabase,
  to: { readonly organizationId: string; readonly book: string; readonly amount: bigint },
): Promise<void> {
  const sourceId = `${to.organizationId}:${to.book}`;
  const from = { fundedBy: 'promo', source: 'test', sourceId } as const;
  await grantCredit(database, { id: `grant_${sourceId}`, ...to, ...from, reason: 'test' });
}

async function prepare(test: TestDatabase): Promise<Omit<WorkerWorld, 'databaseUrl' | 'upstream'>> {
  const { database } = test;
  const identity = createIdentity({ database, digests: nodeDigests, secret: WORKER_SECRET });
  const { organizationId, created } = await identity.ensureOwner({});
  if (created === null) throw new Error('the database of the tests has an owner already');
  await database.run(sql`insert into organizations (id, slug, name)
    values (${POOR_ORGANIZATION}, 'poor', 'poor')`);
  await grant(test, { organizationId, book: 'live', amount: CREDIT });
  await grant(test, { organizationId, book: 'test', amount: CREDIT });
  await grant(test, { organizationId: POOR_ORGANIZATION, book: 'live', amount: POOR_CREDIT });
  const keyOf = async (kind: KeyKind, of: string, limit: bigint | null): Promise<string> => {
    const draft = { kind, name: kind, organizationId: of };
    const key = await identity.createKey({
      ...draft,
      limit: limit === null ? null : nanoUsd(limit),
    });
    const { keyId } = key.record;
    if (limit !== null) await setBudgetLimit(database, { keyId, organizationId: of, limit });
    return key.secret;
  };
  return {
    organizationId,
    keys: {
      management: created.managementKey,
      test: created.testKey,
      live: await keyOf('live', organizationId, null),
      limited: await keyOf('live', organizationId, KEY_LIMIT),
      poor: await keyOf('live', POOR_ORGANIZATION, null),
    },
  };
}

async function main(): Promise<void> {
  const owner = startPostgresOwner({ tcp: true });
  const test = await createDatabaseAt(owner.endpoint);
  const fake = await startWorkerUpstream();
  const world = { databaseUrl: test.url, upstream: fake.origin, ...(await prepare(test)) };
  process.stdin.once('end', () => {
    void fake
      .close()
      .then(test.drop)
      .then(owner.stop)
      .then(() => process.exit(0));
  });
  process.stdin.resume();
  process.stdout.write(`${JSON.stringify(world satisfies WorkerWorld)}\n`);
}

await main();
