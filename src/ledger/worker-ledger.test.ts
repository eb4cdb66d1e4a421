/** The ledger of an isolate: calls that fail are repeated, and in the order that was meant. */
import { describe, expect, it } from 'vitest';

import { silentLog } from '#base/log.ts';
import { nanoUsd } from '#base/money.ts';
import { ok } from '#base/result.ts';

import type { Hold, HoldRequest } from './ledger.ts';
import type { Schedule } from './schedule.ts';
import { type RemoteLedger, WorkerLedger } from './worker-ledger.ts';

const REQUEST: HoldRequest = {
  requestId: 'req_a',
  organizationId: 'org_a',
  keyId: 'key_a',
  keyLimited: false,
  book: 'live',
  amount: nanoUsd(5n),
};
const HOLD: Hold = { ...REQUEST, admittedAtMs: 1 };
const OUTCOME = { attempt: 0, cost: nanoUsd(1n), detail: '{}' };
const DONE = ok(undefined);

/** Timers that fire at once, and periods that fire by hand. */
class Timers implements Schedule {
  readonly periods = new Set<() => void>();

  after(_delayMs: number, run: () => void): () => void {
    queueMicrotask(run);
    return () => undefined;
  }

  every(_periodMs: number, run: () => void): () => void {
    this.periods.add(run);
    return () => void this.periods.delete(run);
  }
}

/** An object that writes down what it was asked, and fails so many times before it answers. */
function rig({ failures = 0 } = {}) {
  const calls: string[] = [];
  const timers = new Timers();
  let left = failures;
  const called = async <Value>(name: string, value: Value): Promise<Value> => {
    calls.push(name);
    left -= 1;
    if (left >= 0) throw new Error('the object was reset');
    return Promise.resolve(value);
  };
  const object: RemoteLedger = {
    hold: () => called('hold', ok(HOLD)),
    open: () => called('open', DONE),
    settle: () => called('settle', DONE),
    release: () => called('release', undefined),
    alive: () => called('alive', undefined),
    learn: () => called('learn', undefined),
    budgetChanged: () => called('budgetChanged', undefined),
    readReceipt: () => called('readReceipt', ok(null)),
    creditSummary: () =>
      called(
        'creditSummary',
        ok({
          totalCredits: nanoUsd(0n),
          totalUsage: nanoUsd(0n),
          held: nanoUsd(0n),
          available: nanoUsd(0n),
        }),
      ),
  };
  const ledger = new WorkerLedger({
    objectOf: () => object,
    waitUntil: () => undefined,
    schedule: timers,
    log: silentLog,
  });
  return { ledger, calls, timers };
}

describe('an object that does not answer', () => {
  it('is asked again, up to three times, and that is seen by nobody', async () => {
    const { ledger, calls } = rig({ failures: 3 });
    expect(await ledger.settle(HOLD, OUTCOME)).toEqual(DONE);
    expect(calls).toEqual(['settle', 'settle', 'settle', 'settle']);
  });

  it('after that nothing runs: holds are unavailable, opened requests unwritable', async () => {
    expect(await rig({ failures: 9 }).ledger.hold(REQUEST)).toMatchObject({
      ok: false,
      error: { reason: 'unavailable' },
    });
    expect(await rig({ failures: 9 }).ledger.open(HOLD, 0, nanoUsd(1n))).toMatchObject({
      ok: false,
      error: { reason: 'journal_unwritable' },
    });
  });
});

describe('a request', () => {
  it('that gives back and holds again is given back first, also where that takes two tries', async () => {
    const { ledger, calls } = rig();
    await ledger.hold(REQUEST);
    ledger.release(HOLD);
    await ledger.hold(REQUEST);
    expect(calls).toEqual(['hold', 'release', 'hold']);
    const slow = rig({ failures: 1 });
    slow.ledger.release(HOLD);
    await slow.ledger.hold(REQUEST);
    expect(slow.calls).toEqual(['release', 'release', 'hold']);
  });

  it('shows that it lives from its hold to its end', async () => {
    for (const end of ['settle', 'release'] as const) {
      const { ledger, calls, timers } = rig();
      await ledger.hold(REQUEST);
      for (const sign of timers.periods) sign();
      expect(calls).toEqual(['hold', 'alive']);
      if (end === 'settle') await ledger.settle(HOLD, OUTCOME);
      else ledger.release(HOLD);
      expect(timers.periods.size).toBe(0);
    }
  });
});
