/**
 * The ledger of one gateway process: holds from its leases in memory, journals what is dispatched
 * and what came of it, and posts in batches. Nothing on the way of a request waits for the database
 * while the leases last.
 */
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import { nanoUsd, type NanoUsd, ZERO_USD } from '#base/money.ts';
import { type Awaitable, err, ok, type Result } from '#base/result.ts';
import type { Database } from '#store/database.ts';
import { readDatabaseMs } from '#store/ledger-leases.ts';
import { toUsageLine } from '#store/ledger-post.ts';

import { ActiveHold } from './active-hold.ts';
import { causeOf } from './cause.ts';
import { CreditAccounts } from './credit-accounts.ts';
import { DatabaseClock } from './database-clock.ts';
import { type Journal, type JournalBatch, toOpenJson, toVoidJson } from './journal.ts';
import { covers, Leasing } from './leasing.ts';
import { LedgerReads } from './ledger-reads.ts';
import type {
  Book,
  CreditSummary,
  Hold,
  HoldRefusal,
  HoldRequest,
  KeyUsage,
  LedgerFailure,
  LedgerSnapshot,
  LedgerUnavailable,
  Outcome,
  PrepaidLedger,
  Receipt,
} from './ledger.ts';
import { Poster } from './poster.ts';
import { recoverJournal, type RecoveryReport } from './recovery.ts';
import type { Cancel, Schedule } from './schedule.ts';
import { WaitingOutcomes } from './waiting-outcomes.ts';

export interface LedgerOptions {
  readonly database: Database;
  readonly journal: Journal<ActiveHold>;
  readonly clock: Clock;
  readonly log: Log;
  readonly schedule: Schedule;
  /**
   * Whose leases these are: stable for the data directory that holds the journal (`readOwnerId`).
   */
  readonly ownerId: string;
  /** So many outcomes may wait for the database before new holds are refused. Default 50,000. */
  readonly unpostedMax?: number;
}

const UNPOSTED_MAX = 50_000;
const IDLE_LOOK_MS = 1000;
/**
 * A cost beyond a million dollars is a mistake upstream of us; an int8 must hold the sum of many.
 */
const COST_MAX = 1_000_000_000_000_000n;
const DONE: Result<void, LedgerFailure> = ok(undefined);

/** Creates the ledger of this process. Call `recover` before the first hold. */
export function createLedger(options: LedgerOptions): PrepaidLedger {
  return new ProcessLedger(options);
}

class ProcessLedger implements PrepaidLedger {
  readonly #options: LedgerOptions;
  readonly #journal: Journal<ActiveHold>;
  readonly #log: Log;
  readonly #accounts = new CreditAccounts();
  readonly #time: DatabaseClock;
  readonly #leasing: Leasing;
  readonly #poster: Poster;
  readonly #reads: LedgerReads;
  readonly #unpostedMax: number;
  readonly #stopLooking: Cancel;
  /** Why no hold is given; null when all is well. */
  #closedBecause: string | null = 'the ledger has not recovered yet';

  constructor(options: LedgerOptions) {
    const { database, journal, clock, log, schedule, ownerId } = options;
    this.#options = options;
    this.#journal = journal;
    this.#log = log;
    this.#unpostedMax = options.unpostedMax ?? UNPOSTED_MAX;
    this.#time = new DatabaseClock(clock);
    this.#leasing = new Leasing({
      database,
      accounts: this.#accounts,
      clock,
      log,
      ownerId,
      time: this.#time,
    });
    this.#poster = new Poster({
      database,
      ownerId,
      log,
      schedule,
      onPosted: (batch, count) => this.#journal.release(batch, count),
    });
    this.#reads = new LedgerReads({
      database,
      accounts: this.#accounts,
      flush: () => this.flush(),
    });
    this.#stopLooking = schedule.every(IDLE_LOOK_MS, () => void this.#leasing.returnIdle());
    journal.listen({
      outcomesWritten: (holds, batch, records) => this.#written(holds, batch, records),
      outcomesUnwritten: (holds, records) =>
        this.#poster.rescue(new WaitingOutcomes(holds, records)),
    });
  }

  async recover(): Promise<Result<RecoveryReport, LedgerUnavailable>> {
    try {
      const report = await recoverJournal(this.#options);
      this.#time.learn(await readDatabaseMs(this.#options.database));
      this.#closedBecause = null;
      return ok(report);
    } catch (error) {
      return err({ reason: 'unavailable', cause: causeOf(error) });
    }
  }

  hold(request: HoldRequest): Awaitable<Result<Hold, HoldRefusal>> {
    if (request.amount < 0n) throw new RangeError('a hold cannot be negative');
    const cause = this.#refusalCause();
    if (cause !== null) return err({ reason: 'unavailable', cause });
    const account = this.#accounts.get(request.organizationId, request.book);
    const source = { credit: account.credit, budget: account.budgetOf(request) };
    if (account.waiters.length > 0 || !covers(source, request.amount)) {
      return this.#leasing.wait(account, request);
    }
    const hold = new ActiveHold(request, source, this.#time.nowMs());
    this.#leasing.restock(account, source.budget);
    return ok(hold);
  }

  #refusalCause(): string | null {
    if (this.#closedBecause !== null) return this.#closedBecause;
    return this.#poster.backlog >= this.#unpostedMax ? 'too much is waiting to be posted' : null;
  }

  open(hold: Hold, attempt: number, inputCost: NanoUsd): Promise<Result<void, LedgerFailure>> {
    const active = this.#active(hold);
    if (active === null) return Promise.resolve(DONE);
    const { requestId, organizationId, keyId, book, amount, admittedAtMs } = active;
    const earlier = active.opened;
    const batch = this.#journal.append(
      toOpenJson({
        requestId,
        attempt,
        organizationId,
        keyId,
        book,
        hold: amount,
        inputCost,
        admittedAtMs,
      }),
    );
    active.opened = batch;
    if (earlier !== null) this.#journal.release(earlier, 1);
    return batch.written();
  }

  settle(hold: Hold, outcome: Outcome): Promise<Result<void, LedgerFailure>> {
    const active = this.#active(hold);
    if (active === null) return Promise.resolve(DONE);
    active.ended = true;
    const cost = boundCost(outcome.cost);
    if (cost !== outcome.cost) this.#report(active, 'cost_clamped');
    active.creditClaim = active.credit.spend(active.amount, cost);
    active.budgetClaim = active.budget?.spend(active.amount, cost) ?? 0n;
    const line = toUsageLine({
      requestId: active.requestId,
      attempt: outcome.attempt,
      organizationId: active.organizationId,
      keyId: active.keyId,
      book: active.book,
      kind: 'outcome',
      cost,
      creditClaim: active.creditClaim,
      budgetClaim: active.budgetClaim,
      platformCost: 0n,
      admittedAtMs: active.admittedAtMs,
      detail: outcome.detail,
    });
    const batch = this.#journal.appendOutcome(line, active);
    return batch.kept();
  }

  release(hold: Hold): void {
    const active = this.#active(hold);
    if (active === null) return;
    active.ended = true;
    active.credit.release(active.amount);
    active.budget?.release(active.amount);
    if (active.opened !== null) {
      this.#journal.appendVoid(toVoidJson(active.requestId), active.opened);
    }
  }

  /** Null, and said loudly, for a hold that has ended before: nothing is done twice. */
  #active(hold: Hold): ActiveHold | null {
    if (!(hold instanceof ActiveHold)) throw new TypeError('not a hold of this ledger');
    if (!hold.ended) return hold;
    this.#report(hold, 'hold_ended_twice');
    return null;
  }

  #report(hold: ActiveHold, event: string): void {
    const { requestId, organizationId } = hold;
    this.#log.write('error', event, { request_id: requestId, organization_id: organizationId });
  }

  #written(holds: readonly ActiveHold[], batch: JournalBatch, records: Uint8Array): void {
    for (const { opened } of holds) if (opened !== null) this.#journal.release(opened, 1);
    this.#poster.enqueue({ outcomes: new WaitingOutcomes(holds, records), batch });
  }

  snapshot(organizationId: string, book: Book): LedgerSnapshot {
    const account = this.#accounts.find(organizationId, book);
    return { held: account === undefined ? ZERO_USD : nanoUsd(account.credit.held) };
  }

  flush(): Promise<boolean> {
    this.#journal.flush();
    return this.#poster.flush();
  }

  budgetChanged(keyId: string): Promise<void> {
    return this.#leasing.recallBudget(keyId);
  }

  readReceipt(
    organizationId: string,
    requestId: string,
  ): Promise<Result<Receipt | null, LedgerUnavailable>> {
    return this.#reads.receipt(organizationId, requestId);
  }

  creditSummary(
    organizationId: string,
    book: Book,
  ): Promise<Result<CreditSummary, LedgerUnavailable>> {
    return this.#reads.credit(organizationId, book);
  }

  keyUsage(keyId: string): Promise<Result<KeyUsage, LedgerUnavailable>> {
    return this.#reads.keyUsage(keyId);
  }

  async close(): Promise<void> {
    this.#closedBecause = 'the ledger is closed';
    this.#stopLooking();
    await this.flush();
    this.#poster.stop();
    await this.#leasing.returnAll();
    await this.#journal.close();
  }
}

/** What can be posted of a cost, however absurd. */
export function boundCost(cost: bigint): bigint {
  if (cost < 0n) return 0n;
  return cost > COST_MAX ? COST_MAX : cost;
}
