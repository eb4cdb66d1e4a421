/** Deadlines against a plain model: whatever is added, moved and removed, each expires once. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { type Deadline, Deadlines } from './deadlines.ts';
import { WebDeadlines } from './deadlines.web.ts';

const TICK_MS = 50;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const KINDS = [
  { name: 'one timer for all', Kind: Deadlines },
  { name: 'a timer each', Kind: WebDeadlines },
];

function open(Kind = Deadlines) {
  const deadlines = new Kind({ nowMs: () => Date.now(), monotonicMs: () => Date.now() });
  const expired: number[] = [];
  const make = (name: number, dueMs: number): Deadline => ({
    dueMs,
    expire: () => expired.push(name),
  });
  return { deadlines, expired, make };
}

const COUNT = 8;
const which = fc.nat(COUNT - 1);
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), which, byMs: fc.nat(300) }),
  fc.record({ do: fc.constant('remove' as const), which, byMs: fc.constant(0) }),
  fc.record({ do: fc.constant('move' as const), which, byMs: fc.nat(300) }),
  fc.record({ do: fc.constant('wait' as const), which, byMs: fc.nat(200) }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** What went wrong; empty if the deadlines did what a set of them would do. */
function faultsOf(Kind: typeof Deadlines, steps: readonly Step[]): readonly string[] {
  const { deadlines, expired, make } = open(Kind);
  const all = Array.from({ length: COUNT }, (_, name) => make(name, 0));
  const watched = new Set<number>();
  const faults: string[] = [];
  const dueMs = (name: number): number => all[name]?.dueMs ?? 0;
  const look = (): void => {
    for (const name of expired.splice(0)) {
      if (!watched.delete(name)) faults.push(`${name} expired without being watched`);
      if (dueMs(name) > Date.now()) faults.push(`${name} expired early`);
    }
    // One tick late is allowed.
    for (const name of watched) {
      if (dueMs(name) < Date.now() - TICK_MS) faults.push(`${name} has not expired`);
    }
  };
  for (const { do: what, which: name, byMs } of steps) {
    const deadline = all[name];
    if (deadline === undefined) continue;
    if (what === 'add' || what === 'move') deadline.dueMs = Date.now() + byMs;
    if (what === 'add') {
      deadlines.add(deadline);
      watched.add(name);
    } else if (what === 'remove') {
      deadlines.remove(deadline);
      watched.delete(name);
    } else if (what === 'wait') {
      for (let ms = 0; ms < byMs; ms += 1) {
        vi.advanceTimersByTime(1);
        look();
      }
    }
  }
  for (const deadline of all) deadlines.remove(deadline);
  vi.advanceTimersByTime(TICK_MS * 2);
  if (vi.getTimerCount() > 0) faults.push('the timer runs on with nothing to watch');
  return faults;
}

describe('a deadline', () => {
  it.each(KINDS)(
    'expires once, when it is due, and only while it is watched ($name)',
    ({ Kind }) => {
      const faults = fc.array(step, { maxLength: 60 }).map((steps) => faultsOf(Kind, steps));
      fc.assert(
        fc.property(faults, (found) => {
          expect(found).toEqual([]);
        }),
      );
    },
  );

  it('may add and remove others when it expires', () => {
    const { deadlines, expired, make } = open();
    const [first, second, third] = [make(1, 0), make(2, 0), make(3, 0)];
    deadlines.add(second);
    deadlines.add({
      dueMs: 0,
      expire: () => {
        deadlines.remove(second);
        deadlines.add(third);
      },
    });
    deadlines.add(first);
    vi.advanceTimersByTime(TICK_MS * 3);
    expect(new Set(expired)).toEqual(new Set([1, 3]));
    expect(expired).toHaveLength(2);
  });
});

describe('at the end of a process', () => {
  it('all expire at once, and each only once', () => {
    const { deadlines, expired, make } = open();
    for (const [name, dueMs] of [5_000, Number.POSITIVE_INFINITY, 10].entries()) {
      deadlines.add(make(name, Date.now() + dueMs));
    }
    deadlines.expireAll();
    vi.advanceTimersByTime(10_000);
    expect(expired.toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
  });
});
