/**
 * Holding credit: never more than there is, whoever asks at the same time, and without asking
 * anybody when rich.
 */
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { nanoUsd } from '#base/money.ts';
import { setBudgetLimit } from '#store/ledger-grants.ts';
import { readCredit } from '#store/ledger-reads.ts';
import {
  createLedgerRig,
  holdNow,
  holdOf,
  type LedgerProcess,
  type LedgerRig,
  refusalOf,
  RIG_KEY,
  RIG_ORGANIZATION,
  serve,
  usd,
} from '#testing/ledger-rig.ts';

let rig: LedgerRig;

beforeEach(async () => {
  rig = await createLedgerRig();
});

// Also looks whether the books balance.
afterEach(() => rig.drop());

const limitedTo = (limit: string | null) =>
  setBudgetLimit(rig.database, {
    keyId: RIG_KEY,
    organizationId: RIG_ORGANIZATION,
    limit: limit === null ? null : usd(limit),
  });

async function countServed(requests: readonly Promise<string>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const outcome of await Promise.all(requests)) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

describe('credit is never overdrawn', () => {
  it('promise 1: of 500 parallel requests of $0.01 on $1.00 exactly 100 are served', async () => {
    await rig.grant('1.00');
    const { ledger, database } = await rig.start();
    const before = database.statements;
    const requests = Array.from({ length: 500 }, () => serve(ledger, holdOf('0.01')));
    expect(await countServed(requests)).toEqual({ served: 100, insufficient_credits: 400 });
    // One that takes all there is, one that sees that nothing is left, and the posting.
    expect(database.statements - before).toBeLessThan(10);
    const credit = await ledger.creditSummary(RIG_ORGANIZATION, 'live');
    expect(credit).toEqual({
      ok: true,
      value: {
        totalCredits: usd('1'),
        totalUsage: usd('1'),
        held: usd('0'),
        available: usd('0'),
      },
    });
  });

  it('promise 1: the same when rich: of 5,200 on $50.00 exactly 5,000', async () => {
    await rig.grant('50.00');
    const { ledger } = await rig.start();
    await serve(ledger, holdOf('0.01'), usd('0'));
    const requests = Array.from({ length: 5200 }, () => serve(ledger, holdOf('0.01')));
    expect(await countServed(requests)).toEqual({ served: 5000, insufficient_credits: 200 });
    expect(await ledger.flush()).toBe(true);
  });

  it('promise 1: two owners over one account serve together what there is', async () => {
    await rig.grant('1.00');
    const one = await rig.start({ ownerId: 'owner_one' });
    const two = await rig.start({ ownerId: 'owner_two' });
    const requests = Array.from({ length: 300 }, (_, index) =>
      serve((index % 2 === 0 ? one : two).ledger, holdOf('0.01')),
    );
    const counts = await countServed(requests);
    expect(counts['served']).toBe(100);
    await Promise.all([one.ledger.flush(), two.ledger.flush()]);
  });

  it('says what was required, what there is and what is held', async () => {
    await rig.grant('1.00');
    const { ledger } = await rig.start();
    await holdNow(ledger, holdOf('0.60'));
    expect(await refusalOf(ledger, holdOf('0.50'))).toEqual({
      reason: 'insufficient_credits',
      required: usd('0.50'),
      available: usd('0.40'),
      held: usd('0.60'),
      limit: null,
    });
    expect(ledger.snapshot(RIG_ORGANIZATION, 'live').held).toBe(usd('0.60'));
  });

  it('serves a small request although a larger one was refused', async () => {
    await rig.grant('0.10');
    const { ledger } = await rig.start();
    const [large, small] = await Promise.all([
      ledger.hold(holdOf('5.00')),
      ledger.hold(holdOf('0.10')),
    ]);
    expect([large.ok, small.ok]).toEqual([false, true]);
  });

  it('serves nobody out of turn while somebody waits', async () => {
    await rig.grant('1.00');
    const { ledger } = await rig.start();
    ledger.release(await holdNow(ledger, holdOf('0.50')));
    const first = ledger.hold(holdOf('1.00'));
    const second = ledger.hold(holdOf('0.40'));
    expect(second).toBeInstanceOf(Promise);
    expect([(await first).ok, (await second).ok]).toEqual([true, false]);
  });

  it('keeps the books of test credit apart', async () => {
    await rig.grant('1.00');
    const { ledger } = await rig.start();
    const refusal = await refusalOf(ledger, holdOf('0.01', { book: 'test' }));
    expect(refusal.reason).toBe('insufficient_credits');
  });

  it('uses a grant at once', async () => {
    const { ledger } = await rig.start();
    expect(await serve(ledger, holdOf('0.01'))).toBe('insufficient_credits');
    await rig.grant('0.01');
    expect(await serve(ledger, holdOf('0.01'))).toBe('served');
    await ledger.flush();
  });

  it('gives back at once what a hold has left', async () => {
    await rig.grant('1.00');
    const { ledger } = await rig.start();
    for (let round = 0; round < 5; round += 1) {
      expect(await serve(ledger, holdOf('0.90'), usd('0.02'))).toBe('served');
    }
    await ledger.flush();
  });
});

describe('an absurd amount refuses its own request, and no other', () => {
  /** What `max_tokens: 9007199254740991` comes to at some prices: more than an int8 holds. */
  const absurd = (more: Parameters<typeof holdOf>[1] = {}) => ({
    ...holdOf('0', more),
    amount: nanoUsd(90_071_992_547_409_910_000n),
  });

  it('promise 1: as what it is, more than there is, while its neighbours are served', async () => {
    await rig.grant('3.00');
    const { ledger } = await rig.start();
    const large = refusalOf(ledger, absurd());
    const others = Array.from({ length: 20 }, () => serve(ledger, holdOf('0.01')));
    expect(await large).toMatchObject({
      reason: 'insufficient_credits',
      required: absurd().amount,
      available: usd('3'),
    });
    expect(await countServed(others)).toEqual({ served: 20 });
    await ledger.flush();
  });

  it('... also where only the sum of many is more than the database can count', async () => {
    await rig.grant('3.00');
    const { ledger } = await rig.start();
    const first = serve(ledger, holdOf('0.01'));
    const many = Array.from({ length: 5 }, () =>
      serve(ledger, { ...holdOf('0'), amount: nanoUsd(4_000_000_000_000_000_000n) }),
    );
    const last = serve(ledger, holdOf('0.01'));
    expect([await first, await last]).toEqual(['served', 'served']);
    expect(await countServed(many)).toEqual({ insufficient_credits: 5 });
    await ledger.flush();
  });

  it('... and takes next to nothing of a budget without limit, however many ask', async () => {
    await limitedTo(null);
    for (const ownerId of ['owner_a', 'owner_b', 'owner_c']) {
      await rig.grant('3.00');
      const { ledger } = await rig.start({ ownerId });
      // The first is asked for alone, the second with all that wait behind it.
      const small = [1, 2].map(() => serve(ledger, holdOf('0.01', { keyLimited: true })));
      const large = serve(ledger, absurd({ keyLimited: true }));
      expect(await countServed([...small, large])).toEqual({ served: 2, insufficient_credits: 1 });
      await ledger.flush();
    }
  });

  it('what the database refuses of one request does not refuse those behind it', async () => {
    await rig.grant('3.00');
    const { ledger } = await rig.start();
    const odd = serve(ledger, holdOf('0.01', { keyLimited: true, keyId: 'key_\0' }));
    const others = Array.from({ length: 3 }, () => serve(ledger, holdOf('0.01')));
    expect(await odd).toBe('unavailable');
    expect(await countServed(others)).toEqual({ served: 3 });
    await ledger.flush();
  });
});

describe('the happy path asks nobody', () => {
  it('answers at once and without a statement while the stock lasts', async () => {
    await rig.grant('80.00');
    const { ledger, database } = await rig.start();
    await holdNow(ledger, holdOf('0.01'));
    const before = database.statements;
    for (let count = 0; count < 100; count += 1) {
      expect(ledger.hold(holdOf('0.01'))).not.toBeInstanceOf(Promise);
    }
    expect(database.statements).toBe(before);
  });

  it('renews a stock before it runs out', async () => {
    await rig.grant('80.00');
    const { ledger, database } = await rig.start();
    await holdNow(ledger, holdOf('0.01'));
    const before = database.statements;
    expect(ledger.hold(holdOf('9.00'))).not.toBeInstanceOf(Promise);
    expect(ledger.hold(holdOf('0.01'))).not.toBeInstanceOf(Promise);
    await vi.waitFor(() => expect(database.statements).toBeGreaterThan(before));
    await vi.waitFor(() => expect(ledger.hold(holdOf('2.00'))).not.toBeInstanceOf(Promise));
  });

  it('makes a handful of statements for a thousand that wait', async () => {
    await rig.grant('4.00');
    const { ledger, database } = await rig.start();
    const before = database.statements;
    const holds = await Promise.all(
      Array.from({ length: 1000 }, async () => ledger.hold(holdOf('0.001'))),
    );
    expect(holds.every((held) => held.ok)).toBe(true);
    expect(database.statements - before).toBeLessThan(5);
  });
});

describe('a lease that nobody uses goes back', () => {
  it('returns after two idle seconds what is free, and keeps what is held', async () => {
    await rig.grant('80.00');
    const { ledger, schedule, clock } = await rig.start();
    await holdNow(ledger, holdOf('0.25'));
    schedule.tick();
    clock.passedMs += 1999;
    schedule.tick();
    await ledger.flush();
    expect(await leasedInDatabase()).toBeGreaterThan(usd('1'));
    clock.passedMs += 1;
    schedule.tick();
    await vi.waitFor(async () => expect(await leasedInDatabase()).toBe(usd('0.25')));
    expect(await serve(ledger, holdOf('79.75'))).toBe('served');
    await ledger.flush();
  });

  it('gives everything back at the end', async () => {
    await rig.grant('80.00');
    await limitedTo('20');
    const { ledger } = await rig.start();
    await serve(ledger, holdOf('0.25', { keyLimited: true }));
    await ledger.close();
    expect(await leasedInDatabase()).toBe(0n);
    expect(await serve(ledger, holdOf('0.01'))).toBe('unavailable');
  });
});

describe('a lease whose return fails', () => {
  const IDLE_MS = 2000;

  /** Looks for idle leases until the database has nothing leased but this. */
  async function untilLeased({ schedule, clock }: LedgerProcess, left: bigint): Promise<void> {
    await vi.waitFor(async () => {
      clock.passedMs += IDLE_MS;
      schedule.tick();
      expect(await leasedInDatabase()).toBe(left);
    });
  }

  /** Lets it lie idle while the database does not answer as it should. */
  async function failToReturn(
    { schedule, clock, database }: LedgerProcess,
    mode: 'gone' | 'loses answers',
  ): Promise<void> {
    schedule.tick();
    clock.passedMs += IDLE_MS;
    database.mode = mode;
    const before = database.failures;
    schedule.tick();
    await vi.waitFor(() => expect(database.failures).toBeGreaterThan(before));
    database.mode = 'works';
  }

  it('is given back when the database is there again, but for what is held', async () => {
    await rig.grant('80.00');
    const process = await rig.start();
    const hold = await holdNow(process.ledger, holdOf('0.25'));
    await failToReturn(process, 'gone');
    expect(await leasedInDatabase()).toBeGreaterThan(usd('1'));
    await untilLeased(process, usd('0.25'));
    process.ledger.release(hold);
    await untilLeased(process, 0n);
  });

  it.each(['gone', 'loses answers'] as const)(
    'is given back by a clean end at the latest: the database %s',
    async (mode) => {
      await rig.grant('80.00');
      await limitedTo('20');
      const process = await rig.start();
      const hold = await holdNow(process.ledger, holdOf('0.25', { keyLimited: true }));
      await failToReturn(process, mode);
      process.ledger.release(hold);
      await process.ledger.close();
      const other = await rig.start({ ownerId: 'owner_other' });
      expect(await serve(other.ledger, holdOf('20', { keyLimited: true }))).toBe('served');
      expect(await serve(other.ledger, holdOf('60'))).toBe('served');
      await other.ledger.flush();
    },
  );

  it('... also what was held when a return came through whose answer was lost', async () => {
    await rig.grant('80.00');
    const process = await rig.start();
    const hold = await holdNow(process.ledger, holdOf('0.25'));
    await failToReturn(process, 'loses answers');
    expect(await leasedInDatabase()).toBe(usd('0.25'));
    process.ledger.release(hold);
    await untilLeased(process, 0n);
  });

  it('... and what was taken by a statement whose answer was lost', async () => {
    await rig.grant('80.00');
    const process = await rig.start();
    process.database.mode = 'loses answers';
    expect(await serve(process.ledger, holdOf('0.25'))).toBe('unavailable');
    process.database.mode = 'works';
    expect(await leasedInDatabase()).toBe(usd('10'));
    await untilLeased(process, 0n);
  });

  it('is served from as before when it is used again first', async () => {
    await rig.grant('80.00');
    const process = await rig.start();
    await serve(process.ledger, holdOf('0.25'));
    await failToReturn(process, 'gone');
    expect(await serve(process.ledger, holdOf('79.75'))).toBe('served');
    await process.ledger.flush();
    await untilLeased(process, 0n);
  });
});

async function leasedInDatabase(): Promise<bigint> {
  return (await readCredit(rig.database, RIG_ORGANIZATION, 'live')).leased;
}

describe('the limit of a key', () => {
  it('promise 1: holds for parallel requests, whatever the credit', async () => {
    await rig.grant('100.00');
    await limitedTo('0.50');
    const { ledger } = await rig.start();
    const requests = Array.from({ length: 200 }, () =>
      serve(ledger, holdOf('0.01', { keyLimited: true })),
    );
    expect(await countServed(requests)).toEqual({ served: 50, key_limit_exceeded: 150 });
    const usage = await ledger.keyUsage(RIG_KEY);
    expect(usage).toMatchObject({ ok: true, value: { limit: usd('0.5'), total: usd('0.5') } });
  });

  it('promise 1: counts both books (decision 7), also when they ask at the same time', async () => {
    await rig.grant('100.00');
    await rig.grant('100.00', RIG_ORGANIZATION, 'test');
    await limitedTo('1.00');
    const { ledger } = await rig.start();
    const requests = Array.from({ length: 60 }, (_, index) =>
      serve(ledger, holdOf('0.05', { keyLimited: true, book: index % 2 === 0 ? 'live' : 'test' })),
    );
    expect(await countServed(requests)).toEqual({ served: 20, key_limit_exceeded: 40 });
    expect(await ledger.keyUsage(RIG_KEY)).toMatchObject({ value: { total: usd('1') } });
    await ledger.close();
    expect(await rig.database.run(sql`SELECT sum(amount)::text AS amount FROM leases`)).toEqual([
      { amount: '0' },
    ]);
  });

  it('gives a request of one book what lies free since one of the other', async () => {
    await rig.grant('100.00');
    await rig.grant('100.00', RIG_ORGANIZATION, 'test');
    await limitedTo('1.00');
    const { ledger } = await rig.start();
    ledger.release(await holdNow(ledger, holdOf('1.00', { keyLimited: true })));
    await holdNow(ledger, holdOf('0.60', { keyLimited: true, book: 'test' }));
    expect(await refusalOf(ledger, holdOf('0.50', { keyLimited: true }))).toMatchObject({
      reason: 'key_limit_exceeded',
      available: usd('0.40'),
      held: usd('0.60'),
    });
  });

  it('names the limit and what is left of it', async () => {
    await rig.grant('100.00');
    await limitedTo('0.50');
    const { ledger } = await rig.start();
    await holdNow(ledger, holdOf('0.30', { keyLimited: true }));
    expect(await refusalOf(ledger, holdOf('0.21', { keyLimited: true }))).toEqual({
      reason: 'key_limit_exceeded',
      required: usd('0.21'),
      available: usd('0.20'),
      held: usd('0.30'),
      limit: usd('0.50'),
    });
  });

  it('takes nothing from the credit when the key may not', async () => {
    await rig.grant('100.00');
    await limitedTo('0');
    const { ledger } = await rig.start();
    await refusalOf(ledger, holdOf('0.01', { keyLimited: true }));
    expect(await leasedInDatabase()).toBe(0n);
  });

  it('can be raised and takes effect at once', async () => {
    await rig.grant('100.00');
    await limitedTo('0.01');
    const { ledger } = await rig.start();
    const request = () => holdOf('0.01', { keyLimited: true });
    expect(await serve(ledger, request())).toBe('served');
    expect(await serve(ledger, request())).toBe('key_limit_exceeded');
    await limitedTo('0.02');
    await ledger.budgetChanged(RIG_KEY);
    expect(await serve(ledger, request())).toBe('served');
    await ledger.flush();
  });

  it('can be lowered below what was spent, and then refuses at once', async () => {
    await rig.grant('100.00');
    await limitedTo('80');
    const { ledger } = await rig.start();
    expect(await serve(ledger, holdOf('0.02', { keyLimited: true }))).toBe('served');
    await limitedTo('0.01');
    await ledger.budgetChanged(RIG_KEY);
    expect(await refusalOf(ledger, holdOf('0.01', { keyLimited: true }))).toMatchObject({
      reason: 'key_limit_exceeded',
      available: 0n,
      limit: usd('0.01'),
    });
    await ledger.flush();
  });

  it('counts what a key without limit spends, for the day when it gets one', async () => {
    await rig.grant('100.00');
    const { ledger } = await rig.start();
    await serve(ledger, holdOf('0.40'));
    await ledger.flush();
    await limitedTo('0.50');
    const refusal = await refusalOf(ledger, holdOf('0.11', { keyLimited: true }));
    expect(refusal).toMatchObject({ reason: 'key_limit_exceeded', available: usd('0.10') });
  });

  it('fails closed for a key whose budget nobody set up', async () => {
    await rig.grant('100.00');
    const { ledger } = await rig.start();
    const refusal = await refusalOf(ledger, holdOf('0.01', { keyLimited: true }));
    expect(refusal.reason).toBe('unavailable');
  });

  it('is none when it was taken away', async () => {
    await rig.grant('100.00');
    await limitedTo(null);
    const { ledger } = await rig.start();
    expect(await serve(ledger, holdOf('60', { keyLimited: true }))).toBe('served');
    await ledger.flush();
  });
});
