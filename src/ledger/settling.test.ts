/** Settling: each cost posted once, whatever it is and whatever fails meanwhile. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { newId } from '#base/ids.ts';
import { setBudgetLimit } from '#store/ledger-grants.ts';
import { readCredit } from '#store/ledger-reads.ts';
import {
  createLedgerRig,
  holdNow,
  holdOf,
  type LedgerRig,
  refusalOf,
  RIG_KEY,
  RIG_ORGANIZATION,
  serve,
  usd,
} from '#testing/ledger-rig.ts';

import type { PrepaidLedger, Receipt } from './ledger.ts';

let rig: LedgerRig;

beforeEach(async () => {
  rig = await createLedgerRig();
});

// Also looks whether the books balance.
afterEach(() => rig.drop());

async function receiptOf(ledger: PrepaidLedger, requestId: string): Promise<Receipt | null> {
  const receipt = await ledger.readReceipt(RIG_ORGANIZATION, requestId);
  if (!receipt.ok) throw new Error(receipt.error.cause);
  return receipt.value;
}

const DONE = { ok: true, value: undefined };

describe('the receipt', () => {
  it('is there as soon as the request has ended, letter by letter', async () => {
    await rig.grant('1.00');
    const { ledger } = await rig.start();
    const hold = await holdNow(ledger, holdOf('0.10'));
    await ledger.open(hold, 1, usd('0.01'));
    const detail = String.raw`{"a": 1.0,  "text":"\u0000 \ud83d \n é","a":2}`;
    await ledger.settle(hold, { attempt: 1, cost: usd('0.02'), detail });
    expect(await receiptOf(ledger, hold.requestId)).toEqual({
      requestId: hold.requestId,
      keyId: RIG_KEY,
      book: 'live',
      kind: 'outcome',
      cost: usd('0.02'),
      badDebt: 0n,
      admittedAtMs: hold.admittedAtMs,
      detail,
    });
  });

  it('promise 11: exists for a request that cost nothing, and nothing is moved for it', async () => {
    await rig.grant('1.00');
    const { ledger } = await rig.start();
    const hold = await holdNow(ledger, holdOf('0.10'));
    await ledger.settle(hold, { attempt: 0, cost: usd('0'), detail: '{"failed":true}' });
    expect(await receiptOf(ledger, hold.requestId)).toMatchObject({ cost: 0n, kind: 'outcome' });
    await ledger.close();
    expect(await readCredit(rig.database, RIG_ORGANIZATION, 'live')).toMatchObject({
      available: usd('1'),
    });
  });

  it('promise 27: is not shown to another organization', async () => {
    await rig.grant('1.00');
    const { ledger } = await rig.start();
    const hold = await holdNow(ledger, holdOf('0.10'));
    await ledger.settle(hold, { attempt: 0, cost: usd('0.1'), detail: '{}' });
    expect(await ledger.readReceipt('org_other', hold.requestId)).toEqual({
      ok: true,
      value: null,
    });
  });

  it('does not exist for a hold that was released', async () => {
    await rig.grant('1.00');
    const { ledger } = await rig.start();
    const hold = await holdNow(ledger, holdOf('1.00'));
    await ledger.open(hold, 0, usd('0.5'));
    ledger.release(hold);
    expect(await receiptOf(ledger, hold.requestId)).toBeNull();
    expect(await serve(ledger, holdOf('1.00'))).toBe('served');
    await ledger.flush();
  });

  it('keeps a line break in the detail from breaking the journal', async () => {
    await rig.grant('1.00');
    const first = await rig.start();
    const hold = await holdNow(first.ledger, holdOf('0.10'));
    await first.ledger.open(hold, 0, usd('0'));
    first.database.mode = 'gone';
    await first.ledger.settle(hold, { attempt: 0, cost: usd('0.1'), detail: '{\n"a":1}' });
    first.kill();
    const { ledger } = await rig.start();
    expect(await receiptOf(ledger, hold.requestId)).toMatchObject({ detail: '{ "a":1}' });
  });
});

describe('a hold ends once', () => {
  it('promise 2: settled twice is charged once', async () => {
    await rig.grant('1.00');
    const { ledger } = await rig.start();
    const hold = await holdNow(ledger, holdOf('0.10'));
    const outcome = { attempt: 0, cost: usd('0.1'), detail: '{}' };
    expect(await ledger.settle(hold, outcome)).toEqual(DONE);
    expect(await ledger.settle(hold, outcome)).toEqual(DONE);
    ledger.release(hold);
    expect(ledger.snapshot(RIG_ORGANIZATION, 'live').held).toBe(0n);
    expect(await ledger.keyUsage(RIG_KEY)).toMatchObject({ value: { total: usd('0.1') } });
  });
});

describe('a cost beyond the hold', () => {
  it('is taken from what is free here, and from what the account has, and then is ours', async () => {
    await rig.grant('1.00');
    const { ledger } = await rig.start();
    const hold = await holdNow(ledger, holdOf('0.10'));
    await ledger.settle(hold, { attempt: 0, cost: usd('0.70'), detail: '{}' });
    expect(await receiptOf(ledger, hold.requestId)).toMatchObject({
      cost: usd('0.7'),
      badDebt: 0n,
    });
    const last = await holdNow(ledger, holdOf('0.10'));
    await ledger.settle(last, { attempt: 0, cost: usd('0.70'), detail: '{}' });
    expect(await receiptOf(ledger, last.requestId)).toMatchObject({
      cost: usd('0.7'),
      badDebt: usd('0.4'),
    });
    expect(await ledger.creditSummary(RIG_ORGANIZATION, 'live')).toMatchObject({
      value: { available: 0n, held: 0n, totalUsage: usd('1') },
    });
  });

  it('never takes what other running requests hold', async () => {
    await rig.grant('1.00');
    const { ledger } = await rig.start();
    const other = await holdNow(ledger, holdOf('0.90'));
    const hold = await holdNow(ledger, holdOf('0.10'));
    await ledger.settle(hold, { attempt: 0, cost: usd('0.50'), detail: '{}' });
    expect(await receiptOf(ledger, hold.requestId)).toMatchObject({ badDebt: usd('0.4') });
    await ledger.settle(other, { attempt: 0, cost: usd('0.90'), detail: '{}' });
    expect(await receiptOf(ledger, other.requestId)).toMatchObject({ badDebt: 0n });
  });

  it('is counted in full against the limit of the key', async () => {
    await rig.grant('10.00');
    await setBudgetLimit(rig.database, {
      keyId: RIG_KEY,
      organizationId: RIG_ORGANIZATION,
      limit: usd('1'),
    });
    const { ledger } = await rig.start();
    const hold = await holdNow(ledger, holdOf('0.90', { keyLimited: true }));
    await ledger.settle(hold, { attempt: 0, cost: usd('1.50'), detail: '{}' });
    await ledger.flush();
    expect(await refusalOf(ledger, holdOf('0.01', { keyLimited: true }))).toMatchObject({
      reason: 'key_limit_exceeded',
      available: 0n,
    });
  });

  it('promise 26: is cut to what is possible at all when it is absurd or negative', async () => {
    await rig.grant('1.00');
    const { ledger } = await rig.start();
    const absurd = await holdNow(ledger, holdOf('0.10'));
    await ledger.settle(absurd, { attempt: 0, cost: usd('9999999999'), detail: '{}' });
    const negative = await holdNow(ledger, holdOf('0'));
    await ledger.settle(negative, { attempt: 0, cost: usd('-5'), detail: '{}' });
    expect(await receiptOf(ledger, absurd.requestId)).toMatchObject({ cost: usd('1000000') });
    expect(await receiptOf(ledger, negative.requestId)).toMatchObject({ cost: 0n });
  });
});

describe('the database comes and goes', () => {
  it('promise 23: serves from the lease, then refuses, and posts everything when it is back', async () => {
    await rig.grant('80.00');
    const { ledger, database } = await rig.start();
    await serve(ledger, holdOf('1.00'));
    await ledger.flush();
    database.mode = 'gone';
    for (let count = 0; count < 9; count += 1) {
      expect(await serve(ledger, holdOf('1.00'))).toBe('served');
    }
    expect(await serve(ledger, holdOf('1.00'))).toBe('unavailable');
    expect(await ledger.flush()).toBe(false);
    expect(await ledger.keyUsage(RIG_KEY)).toMatchObject({ ok: false });
    database.mode = 'works';
    expect(await ledger.keyUsage(RIG_KEY)).toMatchObject({ value: { total: usd('10') } });
    expect(await serve(ledger, holdOf('60.00'))).toBe('served');
    await ledger.flush();
  });

  it('promise 23: posts by itself when the database is back', async () => {
    await rig.grant('1.00');
    const { ledger, database } = await rig.start();
    const hold = await holdNow(ledger, holdOf('0.10'));
    database.mode = 'gone';
    await ledger.settle(hold, { attempt: 0, cost: usd('0.1'), detail: '{}' });
    await ledger.flush();
    database.mode = 'works';
    await vi.waitFor(async () => {
      const posted = await readCredit(rig.database, RIG_ORGANIZATION, 'live');
      expect(posted.leased).toBe(0n);
    }, 5000);
  });

  it('promise 2: a posting whose answer was lost is not posted again', async () => {
    await rig.grant('1.00');
    const { ledger, database } = await rig.start();
    const holds = await Promise.all([1, 2, 3].map(() => holdNow(ledger, holdOf('0.10'))));
    database.mode = 'loses answers';
    for (const hold of holds) {
      await ledger.settle(hold, { attempt: 0, cost: usd('0.1'), detail: '{}' });
    }
    expect(await ledger.flush()).toBe(false);
    database.mode = 'works';
    expect(await ledger.flush()).toBe(true);
    expect(await ledger.keyUsage(RIG_KEY)).toMatchObject({ value: { total: usd('0.3') } });
  });

  it('finds credit again that was leased by a statement whose answer was lost', async () => {
    await rig.grant('1.00');
    const { ledger, database } = await rig.start();
    database.mode = 'loses answers';
    expect(await serve(ledger, holdOf('0.70'))).toBe('unavailable');
    database.mode = 'works';
    expect(await serve(ledger, holdOf('1.00'))).toBe('served');
    await ledger.flush();
  });

  it('refuses when too much waits to be posted', async () => {
    await rig.grant('80.00');
    const { ledger, database } = await rig.start({ unpostedMax: 3 });
    await serve(ledger, holdOf('0.01'));
    await ledger.flush();
    database.mode = 'gone';
    const outcomes = [];
    for (let count = 0; count < 5; count += 1) outcomes.push(await serve(ledger, holdOf('0.01')));
    expect(outcomes).toEqual(['served', 'served', 'served', 'unavailable', 'unavailable']);
    database.mode = 'works';
    await ledger.flush();
    expect(await serve(ledger, holdOf('0.01'))).toBe('served');
    await ledger.flush();
  });
});

describe('what the database will not take', () => {
  it('does not keep the others back', async () => {
    await rig.grant('1.00');
    const { ledger } = await rig.start();
    const good = await holdNow(ledger, holdOf('0.10'));
    const bad = await holdNow(ledger, holdOf('0.10', { requestId: 'req_\0' }));
    const later = await holdNow(ledger, holdOf('0.10'));
    for (const hold of [good, bad, later]) {
      await ledger.settle(hold, { attempt: 0, cost: usd('0.1'), detail: '{}' });
    }
    expect(await ledger.flush()).toBe(false);
    expect(await receiptOf(ledger, good.requestId)).toMatchObject({ cost: usd('0.1') });
    expect(await receiptOf(ledger, later.requestId)).toMatchObject({ cost: usd('0.1') });
  });

  it('is stored without the characters that Postgres cannot keep', async () => {
    await rig.grant('1.00');
    const { ledger } = await rig.start();
    const hold = await holdNow(ledger, holdOf('0.10'));
    const detail = '{"raw":"\0 \ud800"}';
    await ledger.settle(hold, { attempt: 0, cost: usd('0.1'), detail });
    expect(await receiptOf(ledger, hold.requestId)).toMatchObject({
      detail: '{"raw":"\u{fffd} \u{fffd}"}',
    });
  });
});

describe('the day that a cost belongs to', () => {
  it('promise 25: is that of the admission by the clock of the database', async () => {
    await rig.grant('1.00');
    const { ledger, clock } = await rig.start();
    clock.wallMs += 86_400_000 * 40;
    const hold = await holdNow(ledger, holdOf('0.10', { requestId: newId('req_') }));
    clock.wallMs -= 86_400_000 * 400;
    await ledger.settle(hold, { attempt: 0, cost: usd('0.1'), detail: '{}' });
    expect(await ledger.keyUsage(RIG_KEY)).toMatchObject({
      value: { total: usd('0.1'), daily: usd('0.1'), weekly: usd('0.1'), monthly: usd('0.1') },
    });
  });
});
