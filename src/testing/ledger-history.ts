/**
 * Random histories of a ledger: requests that come, run and end in any order while grants arrive,
 * limits change, the database fails, the disk fills and the process is killed. `runHistory` plays
 * one and checks after it what must always be true.
 */
import { sql } from 'drizzle-orm';
import fc from 'fast-check';

import { newId } from '#base/ids.ts';
import { nanoUsd } from '#base/money.ts';
import type { Book, Hold, PrepaidLedger, Receipt } from '#ledger/ledger.ts';
import { setBudgetLimit } from '#store/ledger-grants.ts';
import { readCredit } from '#store/ledger-reads.ts';
import { verifyLedger } from '#store/ledger-verify.ts';

import { holdOf, type LedgerProcess, type LedgerRig, RIG_ORGANIZATION } from './ledger-rig.ts';

type Step =
  | { readonly do: 'grant'; readonly amount: bigint }
  | { readonly do: 'limit'; readonly amount: bigint }
  | {
      readonly do: 'request';
      readonly amount: bigint;
      readonly limited: boolean;
      readonly book: Book;
      readonly wait: boolean;
    }
  | {
      readonly do: 'settle';
      readonly pick: number;
      readonly percent: bigint;
      readonly wait: boolean;
    }
  | { readonly do: 'release' | 'open'; readonly pick: number }
  | { readonly do: 'flush' | 'idle' | 'kill' | 'nothing' }
  /** Faults pass after so many steps. */
  | { readonly do: 'database'; readonly mode: 'gone' | 'loses answers'; readonly steps: number }
  | { readonly do: 'disk'; readonly steps: number };

/** Mostly poor accounts, sometimes rich ones. */
const amount = fc.oneof(
  { weight: 4, arbitrary: fc.bigInt({ min: 0n, max: 2_000_000_000n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: 5_000_000_000n, max: 90_000_000_000n }) },
);
/** Mostly small, sometimes nearly all that a rich account has. */
const requested = fc.oneof(
  { weight: 3, arbitrary: fc.bigInt({ min: 0n, max: 1_500_000_000n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: 1_500_000_000n, max: 60_000_000_000n }) },
);
const pick = fc.nat({ max: 50 });
const faultSteps = fc.integer({ min: 1, max: 6 });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ do: fc.constant('grant' as const), amount }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('limit' as const), amount }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('request' as const),
      amount: requested,
      limited: fc.boolean(),
      book: fc.constantFrom('live' as const, 'live', 'test'),
      wait: fc.boolean(),
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      pick,
      percent: fc.constantFrom(0n, 1n, 40n, 100n, 100n, 130n),
      wait: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('open' as const, 'release'), pick }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('flush' as const, 'idle', 'idle', 'kill', 'nothing', 'nothing'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('database' as const),
      mode: fc.constantFrom('gone' as const, 'loses answers'),
      steps: faultSteps,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('disk' as const), steps: faultSteps }),
  },
);

/** A history of up to 80 steps. */
export const history = fc.array(step, { minLength: 1, maxLength: 80, size: 'max' });

interface Ended {
  readonly requestId: string;
  readonly hold: bigint;
  readonly cost: bigint;
  /** The ledger said that it is safe. */
  readonly promised: boolean;
  readonly limited: boolean;
  readonly book: Book;
}

/** What must be true is kept here, apart from the ledger. */
class Player {
  readonly rig: LedgerRig;
  process: LedgerProcess;
  granted = 0n;
  limitMax = 0n;
  databaseFaultSteps = 0;
  diskFaultSteps = 0;
  readonly running: Hold[] = [];
  readonly ended: Ended[] = [];
  readonly pending: Promise<unknown>[] = [];

  constructor(rig: LedgerRig, process: LedgerProcess) {
    this.rig = rig;
    this.process = process;
  }

  get ledger(): PrepaidLedger {
    return this.process.ledger;
  }

  /** Lets the faults pass whose time has come. */
  heal(): void {
    this.databaseFaultSteps -= 1;
    if (this.databaseFaultSteps <= 0) this.process.database.mode = 'works';
    this.diskFaultSteps -= 1;
    if (this.diskFaultSteps <= 0) this.process.files.failure = null;
  }

  async play(taken: Step): Promise<void> {
    switch (taken.do) {
      case 'grant':
        return this.grant(taken.amount);
      case 'limit':
        return this.limit(taken.amount);
      case 'request':
        return this.perhapsWait(this.request(taken), taken.wait);
      case 'settle':
        return this.perhapsWait(this.settle(taken.pick, taken.percent), taken.wait);
      case 'open':
      case 'release':
        return this.touch(taken.do, taken.pick);
      case 'database':
        this.process.database.mode = taken.mode;
        this.databaseFaultSteps = taken.steps;
        return undefined;
      case 'disk':
        this.process.files.failure = 'ENOSPC';
        this.diskFaultSteps = taken.steps;
        return undefined;
      case 'idle':
        this.process.schedule.tick();
        this.process.clock.passedMs += 2000;
        this.process.schedule.tick();
        return undefined;
      case 'flush':
        await this.ledger.flush();
        return undefined;
      case 'kill':
        return this.kill();
      case 'nothing':
        await Promise.all(this.pending.splice(0));
        return undefined;
    }
  }

  async perhapsWait(running: Promise<void>, wait: boolean): Promise<void> {
    this.pending.push(running);
    if (wait) await running;
  }

  async grant(granted: bigint): Promise<void> {
    if (granted === 0n) return;
    const dollars = `${granted / 1_000_000_000n}.${String(granted % 1_000_000_000n).padStart(9, '0')}`;
    this.granted += granted;
    await this.rig.grant(dollars);
  }

  async limit(limit: bigint): Promise<void> {
    if (limit > this.limitMax) this.limitMax = limit;
    const key = { keyId: 'key_limited', organizationId: RIG_ORGANIZATION, limit };
    await setBudgetLimit(this.rig.database, key);
    await this.ledger.budgetChanged('key_limited');
  }

  async request({ amount: held, limited, book }: Step & { do: 'request' }): Promise<void> {
    const keyId = limited ? 'key_limited' : 'key_free';
    const { process } = this;
    const answer = await process.ledger.hold({
      ...holdOf('0', { requestId: newId('req_'), keyId, keyLimited: limited, book }),
      amount: nanoUsd(held),
    });
    if (!answer.ok || process !== this.process) return;
    this.running.push(answer.value);
    this.checkNotOverdrawn();
  }

  /** What runs and what was surely charged can never be more than what was granted. */
  checkNotOverdrawn(): void {
    let committed = 0n;
    for (const { book, amount: held } of this.running) if (book === 'live') committed += held;
    const kept = this.ended.filter(({ book, promised }) => book === 'live' && promised);
    for (const { cost, hold } of kept) committed += cost < hold ? cost : hold;
    if (committed > this.granted) throw new Error('overdrawn');
  }

  take(at: number): Hold | undefined {
    return this.running.splice(at % Math.max(1, this.running.length), 1)[0];
  }

  async settle(at: number, percent: bigint): Promise<void> {
    const hold = this.take(at);
    if (hold === undefined) return;
    const cost = (hold.amount * percent) / 100n;
    const { process } = this;
    await process.ledger.open(hold, 0, nanoUsd(7n));
    const settled = await process.ledger.settle(hold, {
      attempt: 0,
      cost: nanoUsd(cost),
      detail: '{}',
    });
    this.ended.push({
      requestId: hold.requestId,
      hold: hold.amount,
      cost,
      promised: settled.ok,
      limited: hold.keyLimited,
      book: hold.book,
    });
  }

  async touch(what: 'open' | 'release', at: number): Promise<void> {
    const hold =
      what === 'open' ? this.running[at % Math.max(1, this.running.length)] : this.take(at);
    if (hold === undefined) return;
    if (what === 'open') await this.ledger.open(hold, 0, nanoUsd(7n));
    else this.ledger.release(hold);
  }

  /** Ends the process in good order, with a database that works. */
  async end(): Promise<void> {
    this.process.database.mode = 'works';
    await Promise.all(this.pending.splice(0));
    for (const hold of this.running.splice(0)) this.ledger.release(hold);
    await this.ledger.close();
  }

  async kill(): Promise<void> {
    this.process.kill();
    this.running.length = 0;
    const dead = this.process;
    // What was under way fails; a hold that it still gives is the dead process's.
    await Promise.all(this.pending.splice(0));
    this.running.length = 0;
    dead.schedule.tick();
    this.process = await this.rig.start();
  }
}

/**
 * Plays the history on an empty rig; resolves to what is wrong in the end, an empty list when
 * nothing is.
 */
export async function runHistory(rig: LedgerRig, steps: readonly Step[]): Promise<string[]> {
  const player = new Player(rig, await rig.start());
  await player.limit(1_000_000_000n);
  await player.grant(2_000_000_000n);
  await rig.grant('100', RIG_ORGANIZATION, 'test');
  for (const taken of steps) {
    player.heal();
    await player.play(taken);
  }
  await player.end();
  // What neither disk nor database took is known to nobody before the next start.
  const isOrderly = !steps.some((taken) => taken.do === 'disk');
  const left = isOrderly ? await leaseFaults(rig, 'after a clean end') : [];
  await player.kill();
  return [
    ...left,
    ...(await leaseFaults(rig, 'after a start')),
    ...(await bookFaults(rig, player)),
    ...(await receiptFaults(player)),
  ];
}

async function leaseFaults(rig: LedgerRig, when: string): Promise<string[]> {
  const rows = await rig.database.run(sql`SELECT resource_id FROM leases WHERE amount > 0`);
  return rows.map((row) => `still leased ${when}: ${String(row['resource_id'])}`);
}

/** Nothing is held, the books balance, and what was granted is available or was charged. */
async function bookFaults(rig: LedgerRig, player: Player): Promise<string[]> {
  const faults = (await verifyLedger(rig.database)).map(
    ({ check, id, stored, recomputed }) => `${check} ${id}: ${stored} but ${recomputed}`,
  );
  const credit = await readCredit(rig.database, RIG_ORGANIZATION, 'live');
  if (credit.granted !== player.granted) faults.push('grants are missing');
  if (credit.available < 0n) faults.push('overdrawn');
  const used = await player.ledger.keyUsage('key_limited');
  const excess = player.ended
    .filter(({ limited }) => limited)
    .reduce((sum, { cost, hold }) => sum + (cost > hold ? cost - hold : 0n), 0n);
  if (!used.ok || used.value.total > player.limitMax + excess) faults.push('beyond the key limit');
  return faults;
}

/** What was promised is posted once and in full; what was not is posted in full or not at all. */
async function receiptFaults(player: Player): Promise<string[]> {
  const faults: string[] = [];
  for (const ended of player.ended) {
    const receipt = await player.ledger.readReceipt(RIG_ORGANIZATION, ended.requestId);
    if (!receipt.ok) throw new Error(receipt.error.cause);
    const fault = receiptFault(ended, receipt.value);
    if (fault !== null) faults.push(`${ended.requestId}: ${fault}`);
  }
  return faults;
}

function receiptFault({ cost, hold, promised }: Ended, posted: Receipt | null): string | null {
  if (promised && posted?.kind !== 'outcome') return 'it is not posted';
  if (posted === null) return null;
  if (posted.kind === 'outcome' && posted.cost !== cost) return 'its cost is another one';
  return posted.badDebt > 0n && posted.badDebt > cost - hold ? 'its hold did not pay' : null;
}
