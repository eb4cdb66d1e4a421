/** A start that meets a statement of the process before it, still under way in Postgres. */
import { afterEach, beforeEach, expect, it } from 'vitest';

import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts';

import { grantCredit } from './ledger-grants.ts';
import { returnAllLeases, takeLease } from './ledger-leases.ts';
import { readCredit } from './ledger-reads.ts';
import { connectPostgres } from './postgres.node.ts';

const DOLLAR = 1_000_000_000n;

let test: TestDatabase;

beforeEach(async () => {
  test = await createTestDatabase();
});

afterEach(() => test.drop());

it('gives every lease back, also one that changes between the look and the lock (promise 4)', async () => {
  const { database, url } = test;
  await grantCredit(database, {
    id: 'grant_a',
    organizationId: 'org_a',
    book: 'live',
    amount: 10n * DOLLAR,
    reason: 'test',
    fundedBy: 'payment_clearing',
    source: 'test',
    sourceId: 'a',
  });
  const need = { min: DOLLAR, want: DOLLAR, free: 0n, have: 0n };
  const organizationId = 'org_a';
  await takeLease(database, {
    owner: 'owner_a',
    organizationId,
    book: 'live',
    credit: need,
    budget: null,
  });
  const dead = connectPostgres({ at: url, connectionsMax: 2 });
  try {
    let returning = Promise.resolve(0);
    await dead.begin(async (transaction) => {
      await transaction`select 1 from ledger_accounts where id = 'live:credit:org_a' for update`;
      await transaction`update leases set epoch = epoch + 1`;
      returning = returnAllLeases(database, 'owner_a');
      // The start has looked, and waits for the lock.
      for (let waiting = 0; waiting === 0;) {
        const rows = await dead`select 1 from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`;
        waiting = rows.length;
      }
    });
    expect(await returning).toBe(1);
  } finally {
    await dead.end({ timeout: 1 });
  }
  const credit = await readCredit(database, organizationId, 'live');
  expect(credit).toMatchObject({ leased: 0n, available: 10n * DOLLAR });
});
