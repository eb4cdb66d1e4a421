/**
 * The ledger's statements against a real Postgres: what each moves, refuses, and does when it comes
 * twice or too late.
 */
import { sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { newId } from '#base/ids.ts';
import { requireSoundBooks } from '#testing/ledger-rig.ts';
import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts';

import type { Database } from './database.ts';
import { grantCredit, setBudgetLimit } from './ledger-grants.ts';
import {
  type LeaseAnswer,
  type LeaseNeed,
  returnAllLeases,
  returnLeases,
  takeLease,
} from './ledger-leases.ts';
import { postUsage, type UsageEvent } from './ledger-post.ts';
import { findReceipt, readCredit, readKeyUsage } from './ledger-reads.ts';
import { connectPostgres } from './postgres.node.ts';

let test: TestDatabase;
let database: Database;

beforeEach(async () => {
  test = await createTestDatabase();
  ({ database } = test);
});

afterEach(async () => {
  await requireSoundBooks(database);
  await test.drop();
});

const DOLLAR = 1_000_000_000n;
const CREDIT_ID = 'live:credit:org_a';

const grantOf = (amount: bigint, sourceId = newId('pay_'), organizationId = 'org_a') =>
  grantCredit(database, {
    id: newId('grant_'),
    organizationId,
    book: 'live',
    amount,
    reason: 'test',
    fundedBy: 'payment_clearing',
    source: 'test',
    sourceId,
  });

const need = (amount: bigint, free = 0n): LeaseNeed => ({
  min: amount,
  want: amount,
  free,
  have: free,
});

const take = (credit: LeaseNeed, budget: LeaseNeed | null = null, owner = 'owner_a') =>
  takeLease(database, {
    owner,
    organizationId: 'org_a',
    book: 'live',
    credit,
    budget: budget === null ? null : { keyId: 'key_a', ...budget },
  });

function usage(cost: bigint, more: Partial<UsageEvent> = {}): UsageEvent {
  const requestId = more.requestId ?? newId('req_');
  return {
    requestId,
    attempt: 0,
    organizationId: 'org_a',
    keyId: 'key_a',
    book: 'live',
    kind: 'outcome',
    cost,
    creditClaim: 0n,
    budgetClaim: 0n,
    platformCost: 0n,
    admittedAtMs: Date.now(),
    detail: '{}',
    ...more,
  };
}

const refused = (code: string): unknown =>
  expect.objectContaining({ name: 'StatementRefused', code });

describe('promise 3: the database itself refuses', () => {
  it('to change or delete what was booked', async () => {
    await grantOf(DOLLAR);
    const statements = [
      sql`UPDATE ledger_entries SET amount = amount + 1`,
      sql`DELETE FROM ledger_entries`,
      sql`TRUNCATE ledger_entries`,
      sql`UPDATE ledger_transactions SET kind = 'usage'`,
      sql`DELETE FROM ledger_transactions`,
      sql`TRUNCATE ledger_transactions`,
    ];
    for (const statement of statements) {
      await expect(database.run(statement)).rejects.toEqual(refused('23001'));
    }
  });

  it('a transaction whose entries do not sum to zero', async () => {
    const unbalanced = database.run(sql`
INSERT INTO ledger_entries (transaction_id, account_id, amount)
VALUES ('t1', 'a', 5), ('t1', 'b', -5), ('t2', 'a', 5), ('t2', 'b', -4)`);
    await expect(unbalanced).rejects.toEqual(refused('23514'));
  });

  it('a grant of nothing or less', async () => {
    await expect(grantOf(0n)).rejects.toEqual(refused('23514'));
    await expect(grantOf(-DOLLAR)).rejects.toEqual(refused('23514'));
  });
});

describe('a grant', () => {
  it('with the same source and id is given once, also in parallel', async () => {
    const granted = await Promise.all(Array.from({ length: 20 }, () => grantOf(DOLLAR, 'pay_1')));
    expect(granted.filter(Boolean)).toHaveLength(1);
    expect(await readCredit(database, 'org_a', 'live')).toEqual({
      granted: DOLLAR,
      available: DOLLAR,
      leased: 0n,
    });
  });
});

describe('a lease', () => {
  it('of a poor account is what is wanted, of a rich one a stock too', async () => {
    await grantOf(4n * DOLLAR);
    expect((await take(need(10n))).credit).toMatchObject({ gained: 10n, stock: 0n });
    await grantOf(796n * DOLLAR);
    const rich = await take(need(10n));
    expect(rich.credit.gained).toBe(50n * DOLLAR);
    expect((await take(need(60n * DOLLAR))).credit.gained).toBe(60n * DOLLAR);
  });

  it('takes both or nothing', async () => {
    await grantOf(DOLLAR);
    await setBudgetLimit(database, { keyId: 'key_a', organizationId: 'org_a', limit: 5n });
    const answer = await take(need(10n), need(10n));
    expect(answer).toMatchObject({
      granted: false,
      credit: { available: DOLLAR, gained: 0n },
      budget: { available: 5n, gained: 0n, limit: 5n, known: true },
    });
    expect(await readCredit(database, 'org_a', 'live')).toMatchObject({ leased: 0n });
  });

  it('finds what an earlier statement took without being heard', async () => {
    await grantOf(DOLLAR);
    await take(need(DOLLAR));
    const again = await take(need(DOLLAR));
    expect(again).toMatchObject({ granted: true, credit: { available: DOLLAR, gained: DOLLAR } });
    expect(await readCredit(database, 'org_a', 'live')).toMatchObject({ leased: DOLLAR });
  });

  it('is not touched by a belated return of an earlier epoch', async () => {
    await grantOf(DOLLAR);
    const first = await take(need(10n));
    const kept = [{ resourceId: CREDIT_ID, keep: 0n, epoch: first.credit.epoch ?? 0n }];
    await take({ min: 10n, want: 10n, free: 0n, have: 10n });
    expect(await returnLeases(database, 'owner_a', kept)).toEqual([
      { resourceId: CREDIT_ID, amount: 0n, epoch: 2n, changed: true },
    ]);
    expect(await readCredit(database, 'org_a', 'live')).toMatchObject({ leased: 20n });
  });

  it('is returned once, however often the return is sent', async () => {
    await grantOf(DOLLAR);
    const { credit } = await take(need(10n));
    const kept = [{ resourceId: CREDIT_ID, keep: 4n, epoch: credit.epoch ?? 0n }];
    const sent = await Promise.all(
      Array.from({ length: 8 }, () => returnLeases(database, 'owner_a', kept)),
    );
    expect(sent.flat().filter(({ amount }) => amount !== 0n)).toEqual([
      { resourceId: CREDIT_ID, amount: 6n, epoch: 2n, changed: false },
    ]);
    expect(await returnLeases(database, 'owner_a', kept)).toEqual([
      { resourceId: CREDIT_ID, amount: 0n, epoch: 2n, changed: false },
    ]);
  });

  it('of a key is locked before its budget, as a posting of the other book does it', async () => {
    await grantOf(DOLLAR);
    await setBudgetLimit(database, { keyId: 'key_a', organizationId: 'org_a', limit: DOLLAR });
    await take(need(10n), need(10n));
    const posting = connectPostgres({ at: test.url, connectionsMax: 2 });
    const taken: Promise<LeaseAnswer>[] = [];
    await posting.begin(async (transaction) => {
      await transaction`select 1 from leases where resource_id = 'key_a' for update`;
      taken.push(take({ ...need(5n), have: 10n }, { ...need(5n), have: 10n }));
      for (let waiting = 0; waiting === 0;) {
        const rows = await posting`select 1 from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`;
        waiting = rows.length;
      }
      await transaction`update budgets set posted_nano = posted_nano`;
    });
    await posting.end({ timeout: 1 });
    expect(await Promise.all(taken)).toMatchObject([{ granted: true }]);
  });

  it('of many owners in parallel never sums to more than there is', async () => {
    await grantOf(DOLLAR);
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        take(need(DOLLAR / 20n), null, `owner_${index % 12}_${index}`),
      ),
    );
    expect(answers.filter(({ granted }) => granted)).toHaveLength(20);
  });

  it('of one owner goes back as a whole, that of others stays', async () => {
    await grantOf(DOLLAR);
    await setBudgetLimit(database, { keyId: 'key_a', organizationId: 'org_a', limit: DOLLAR });
    await take(need(10n), need(10n));
    await take(need(7n), null, 'owner_b');
    expect(await returnAllLeases(database, 'owner_a')).toBe(2);
    expect(await returnAllLeases(database, 'owner_a')).toBe(0);
    expect(await readCredit(database, 'org_a', 'live')).toMatchObject({ leased: 7n });
  });
});

describe('a posting', () => {
  it('pays from the lease, then from the account, and the rest is bad debt', async () => {
    await grantOf(100n);
    await take(need(40n));
    const events = [
      usage(30n, { requestId: 'req_1', creditClaim: 30n }),
      usage(50n, { requestId: 'req_2', creditClaim: 10n }),
      usage(45n, { requestId: 'req_3', creditClaim: 0n }),
    ];
    expect(await postUsage(database, 'owner_a', events)).toEqual({ posted: 3, badDebt: 25n });
    expect(await readCredit(database, 'org_a', 'live')).toMatchObject({
      available: 0n,
      leased: 0n,
    });
    expect(await findReceipt(database, 'org_a', 'req_3')).toMatchObject({ badDebt: 25n });
  });

  it('promise 2: pays for what is new, and not once more for what was there', async () => {
    await grantOf(100n);
    await take(need(60n));
    const first = usage(50n, { requestId: 'req_1', creditClaim: 50n });
    const second = usage(10n, { requestId: 'req_2', creditClaim: 10n });
    expect(await postUsage(database, 'owner_a', [first])).toEqual({ posted: 1, badDebt: 0n });
    // Neither the lease nor the account could pay for both: the first must not count again.
    expect(await postUsage(database, 'owner_a', [first, second])).toEqual({
      posted: 1,
      badDebt: 0n,
    });
    expect(await readCredit(database, 'org_a', 'live')).toMatchObject({
      available: 40n,
      leased: 0n,
    });
    const third = usage(70n, { requestId: 'req_3' });
    expect(await postUsage(database, 'owner_a', [second, third, first, third])).toEqual({
      posted: 1,
      badDebt: 30n,
    });
    expect(await findReceipt(database, 'org_a', 'req_1')).toMatchObject({ badDebt: 0n });
    expect(await findReceipt(database, 'org_a', 'req_3')).toMatchObject({ badDebt: 30n });
  });

  it('promise 4: is of the outcome or of the sweep, whichever comes first, in either way', async () => {
    await grantOf(100n);
    const swept = usage(0n, { requestId: 'req_1', kind: 'swept', detail: '{"swept":true}' });
    expect(await postUsage(database, 'owner_a', [swept])).toMatchObject({ posted: 1 });
    const late = usage(40n, { requestId: 'req_1', attempt: 1 });
    expect(await postUsage(database, 'owner_a', [late])).toEqual({ posted: 0, badDebt: 0n });
    const later = usage(400n, { requestId: 'req_1', attempt: 2 });
    expect(await postUsage(database, 'owner_a', [later])).toEqual({ posted: 0, badDebt: 0n });
    const correction = usage(40n, { requestId: 'req_1', kind: 'correction' });
    const sent = [correction, correction].map((event) => postUsage(database, 'owner_a', [event]));
    const posted = await Promise.all(sent);
    expect(posted.reduce((sum, result) => sum + result.posted, 0)).toBe(1);
    expect(await readCredit(database, 'org_a', 'live')).toMatchObject({ available: 60n });
  });

  it('has one plan for an empty database and for a full one: it reads no table as a whole', async () => {
    const rendered: string[] = [];
    const listening: Database = {
      ...database,
      run: (statement, values) => {
        rendered.push(new PgDialect().sqlToQuery(statement).sql);
        return database.run(statement, values);
      },
    };
    await postUsage(listening, 'owner_a', [usage(0n)]);
    const client = connectPostgres({ at: test.url, connectionsMax: 1 });
    const plan = await client.unsafe(`EXPLAIN (GENERIC_PLAN) ${rendered[0]}`).simple();
    await client.end();
    const steps = plan.map((row) => String(row['QUERY PLAN']));
    expect(steps.some((step) => step.includes('Index Scan using ledger_accounts_pkey'))).toBe(true);
    expect(steps.filter((step) => step.includes('Seq Scan'))).toEqual([]);
  });

  it('of many processes at once takes no more from the account than it has', async () => {
    await grantOf(1000n);
    const posted = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        postUsage(database, `owner_${index}`, [usage(100n)]),
      ),
    );
    expect(posted.reduce((sum, { badDebt }) => sum + badDebt, 0n)).toBe(3000n);
    expect(await readCredit(database, 'org_a', 'live')).toMatchObject({ available: 0n });
  });

  it('promise 2: the same batch twenty times at once is posted once', async () => {
    await grantOf(DOLLAR);
    const events = Array.from({ length: 100 }, () => usage(1000n));
    const results = await Promise.all(
      Array.from({ length: 20 }, () => postUsage(database, 'owner_a', events)),
    );
    expect(results.reduce((sum, { posted }) => sum + posted, 0)).toBe(100);
    expect(await readKeyUsage(database, 'key_a')).toMatchObject({ total: 100_000n });
  });

  it('of many organizations in every order at once never ends in a deadlock', async () => {
    const organizations = Array.from({ length: 12 }, (_, index) => `org_${index}`);
    await Promise.all(organizations.map((id) => grantOf(DOLLAR, newId('pay_'), id)));
    const batches = Array.from({ length: 24 }, (_, turn) =>
      organizations.map((_id, index) => {
        const organizationId = organizations[(index * 5 + turn) % 12] ?? '';
        return usage(1000n, { organizationId, keyId: `key_${organizationId}` });
      }),
    );
    const posted = await Promise.all(batches.map((batch) => postUsage(database, 'owner_a', batch)));
    expect(posted.every((result) => result.posted === 12)).toBe(true);
  });

  it('belongs to the UTC day of its admission', async () => {
    await grantOf(DOLLAR);
    const now = Date.now();
    const day = 86_400_000;
    const events = [0, 1, 7, 31, 400].map((days) => usage(1n, { admittedAtMs: now - days * day }));
    await postUsage(database, 'owner_a', events);
    const rows = await database.run(sql`SELECT day::text AS day FROM usage_days ORDER BY day DESC`);
    const days = [0, 1, 7, 31, 400].map((ago) =>
      new Date(now - ago * day).toISOString().slice(0, 10),
    );
    expect(rows.map((row) => row['day'])).toEqual(days);
    const { total, daily, weekly, monthly } = await readKeyUsage(database, 'key_a');
    expect(total).toBe(5n);
    const mondayFirst = (new Date(now).getUTCDay() + 6) % 7;
    expect([daily, weekly]).toEqual([1n, mondayFirst >= 1 ? 2n : 1n]);
    const date = new Date(now).getUTCDate();
    expect(monthly).toBe(1n + (date > 1 ? 1n : 0n) + (date > 7 ? 1n : 0n));
  });
});
