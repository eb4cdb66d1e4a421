/**
 * The ledger of one organization on Workers (money.md, rule 14): it lives in a Durable Object, and
 * requests in isolates all over the world hold, open and settle by calling it. Leases, allowances
 * and postings are those of a process; what differs is that requests outlive this object, and that
 * it must find out by itself which of them have died. Every call may be repeated: an answer that
 * was lost changes nothing.
 */
import { nanoUsd } from '#base/money.ts';
import { err, ok, type Result } from '#base/result.ts';
import { findLeases } from '#store/durable-leases.ts';
import type { OpenedHold } from '#store/durable-journal.ts';
import type { UsageEvent } from '#store/ledger-post.ts';

import { ActiveHold } from './active-hold.ts';
import type { Allowance } from './allowance.ts';
import { causeOf } from './cause.ts';
import { boundCost } from './create-ledger.ts';
import { CreditAccounts } from './credit-accounts.ts';
import { DatabaseClock } from './database-clock.ts';
import {
  DurableOutcomes,
  type DurableOutcomesOptions,
  type OutcomeNews,
} from './durable-outcomes.ts';
import { covers, Leasing } from './leasing.ts';
import { LedgerReads } from './ledger-reads.ts';
import type {
  Book,
  CreditSummary,
  Hold,
  HoldRefusal,
  HoldRequest,
  LedgerFailure,
  LedgerUnavailable,
  Outcome,
  Receipt,
} from './ledger.ts';
import { toSweep } from './recovery.ts';

export interface DurableLedgerOptions extends Omit<DurableOutcomesOptions, 'onPosted'> {
  /** Asks for a `tick` at this wall-clock time, also if the object dies before. */
  readonly wakeAt: (ms: number) => void;
}

interface Running {
  readonly hold: ActiveHold;
  /** Null: nothing was dispatched yet, and nothing stands in the journal. */
  opened: OpenedHold | null;
  /** Wall clock of its last sign of life. */
  seenAtMs: number;
}

/** A hold that nothing was heard of again: its request died before it sent anything. */
const UNOPENED_MS = 60_000;
/** Isolates say every minute that a request lives (`ALIVE_MS` in worker-ledger.ts). */
const ORPHAN_MS = 180_000;
/** How soon what failed is tried again, and how soon it is looked whether a lease lies idle. */
const RETRY_MS = 5_000;
const IDLE_LOOK_MS = 2_500;
const RUNNING_MAX = 10_000;
const DONE: Result<void, LedgerFailure> = ok(undefined);

export class DurableLedger {
  readonly #options: DurableLedgerOptions;
  readonly #accounts = new CreditAccounts();
  readonly #running = new Map<string, Running>();
  readonly #time: DatabaseClock;
  readonly #leasing: Leasing;
  readonly #outcomes: DurableOutcomes;
  readonly #reads: LedgerReads;
  /** Whether Postgres says that nothing is leased but what is held or spent. */
  #tidy = false;
  #wakeAtMs = Number.POSITIVE_INFINITY;

  /** Takes up what the journal has: the object may have died, its requests need not have. */
  constructor(options: DurableLedgerOptions) {
    const { journal, database, clock, log, ownerId } = options;
    this.#options = options;
    this.#time = new DatabaseClock(clock);
    const accounts = this.#accounts;
    this.#leasing = new Leasing({ database, accounts, clock, log, ownerId, time: this.#time });
    this.#outcomes = new DurableOutcomes({
      ...options,
      onPosted: (event) => this.#posted(event),
    });
    const flush = (): Promise<boolean> => this.#outcomes.post();
    this.#reads = new LedgerReads({ database, accounts, flush });
    for (const opened of journal.holds()) this.#restore(opened);
    for (const event of journal.outcomes()) this.#settleClaims(event, 1n);
    this.#wakeWithin(RETRY_MS);
  }

  #restore(opened: OpenedHold): void {
    const request = { ...opened, amount: nanoUsd(opened.amount) };
    const source = this.#sourceOf(request);
    source.credit.free += request.amount;
    if (source.budget !== null) source.budget.free += request.amount;
    const hold = new ActiveHold(request, source, opened.admittedAtMs);
    this.#running.set(hold.requestId, { hold, opened, seenAtMs: this.#options.clock.nowMs() });
  }

  #sourceOf(request: HoldRequest): {
    readonly credit: Allowance;
    readonly budget: Allowance | null;
  } {
    const account = this.#accounts.get(request.organizationId, request.book);
    return { credit: account.credit, budget: account.budgetOf(request) };
  }

  /** Sets aside what is spent and not posted, or lets go of it. */
  #settleClaims(event: UsageEvent, sign: 1n | -1n): void {
    const { organizationId, keyId, creditClaim, budgetClaim } = event;
    const book = bookOf(event);
    const account = this.#accounts.get(organizationId, book);
    account.credit.settle(-sign * creditClaim);
    if (budgetClaim === 0n) return;
    const request = { organizationId, keyId, book, keyLimited: true, requestId: '' } as const;
    account.budgetOf({ ...request, amount: nanoUsd(0n) })?.settle(-sign * budgetClaim);
  }

  #posted(event: UsageEvent): void {
    this.#settleClaims(event, -1n);
    // What was set aside for it may be more than the posting took.
    this.#tidy = false;
    this.#wakeWithin(IDLE_LOOK_MS);
  }

  async hold(request: HoldRequest): Promise<Result<Hold, HoldRefusal>> {
    const known = this.#running.get(request.requestId);
    if (known !== undefined) return ok(toHold(known.hold));
    if (this.#running.size >= RUNNING_MAX) {
      return err({ reason: 'unavailable', cause: 'too many requests of this organization run' });
    }
    this.#tidy = false;
    this.#wakeWithin(IDLE_LOOK_MS);
    const taken = await this.#take(request);
    if (!taken.ok) return taken;
    const hold = taken.value;
    const twin = this.#running.get(hold.requestId);
    if (twin !== undefined) {
      giveBack(hold);
      return ok(toHold(twin.hold));
    }
    this.#running.set(hold.requestId, {
      hold,
      opened: null,
      seenAtMs: this.#options.clock.nowMs(),
    });
    return ok(toHold(hold));
  }

  async #take(request: HoldRequest): Promise<Result<ActiveHold, HoldRefusal>> {
    const account = this.#accounts.get(request.organizationId, request.book);
    const source = this.#sourceOf(request);
    if (account.waiters.length === 0 && covers(source, request.amount)) {
      const hold = new ActiveHold(request, source, this.#time.nowMs());
      this.#leasing.restock(account, source.budget);
      return ok(hold);
    }
    const waited = await this.#leasing.wait(account, request);
    if (!waited.ok) return waited;
    if (!(waited.value instanceof ActiveHold)) throw new TypeError('not a hold of this ledger');
    return ok(waited.value);
  }

  /**
   * An attempt is about to be dispatched. A hold that this object forgot, because it died before
   * anything was dispatched, is taken again.
   */
  async open(hold: Hold, attempt: number, inputCost: bigint): Promise<Result<void, LedgerFailure>> {
    if (!this.#running.has(hold.requestId)) {
      const again = await this.hold(hold);
      if (!again.ok)
        return err({ reason: 'journal_unwritable', cause: causeOfRefusal(again.error) });
    }
    const running = this.#running.get(hold.requestId);
    if (running === undefined)
      return err({ reason: 'journal_unwritable', cause: 'the hold ended' });
    const { requestId, organizationId, keyId, keyLimited, book, amount, admittedAtMs } = hold;
    const of = { requestId, organizationId, keyId, keyLimited, book, amount, admittedAtMs };
    running.opened = { ...of, attempt, inputCost };
    this.#options.journal.open(running.opened);
    this.#seen(running);
    return DONE;
  }

  /** The request still runs. */
  alive(requestId: string): void {
    const running = this.#running.get(requestId);
    if (running !== undefined) this.#seen(running);
  }

  #seen(running: Running): void {
    running.seenAtMs = this.#options.clock.nowMs();
    this.#wakeWithin(ORPHAN_MS);
  }

  /**
   * What a request came to. One that was given up in the meantime, or settled before, has nothing
   * set aside any more: the posting finds that out, and corrects or ignores it.
   */
  settle(hold: Hold, outcome: Outcome): Result<void, LedgerFailure> {
    const { requestId, organizationId, keyId, book, admittedAtMs } = hold;
    const active = this.#running.get(requestId)?.hold ?? null;
    const cost = boundCost(outcome.cost);
    const creditClaim = active?.credit.spend(active.amount, cost) ?? 0n;
    const budgetClaim = active?.budget?.spend(active.amount, cost) ?? 0n;
    const of = { requestId, organizationId, keyId, book, admittedAtMs };
    this.#end({
      ...of,
      cost,
      creditClaim,
      budgetClaim,
      attempt: outcome.attempt,
      kind: 'outcome',
      platformCost: 0n,
      detail: outcome.detail,
    });
    return DONE;
  }

  #end(event: UsageEvent): void {
    this.#running.delete(event.requestId);
    this.#options.journal.settle(event);
    this.#wakeWithin(RETRY_MS);
    void this.#outcomes.send();
  }

  /** Gives a hold back of which nothing was dispatched. */
  release(requestId: string): void {
    const running = this.#running.get(requestId);
    if (running === undefined) return;
    this.#running.delete(requestId);
    giveBack(running.hold);
    if (running.opened !== null) this.#options.journal.forget(requestId);
  }

  /** What became of outcomes that were sent. */
  learn(news: OutcomeNews): void {
    this.#outcomes.learn(news);
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

  /**
   * The alarm: ends what has died, gives back what lies idle, sends what nobody posted, and says
   * when it wants to be called again. Nothing is asked for when nothing is left to do.
   */
  async tick(): Promise<void> {
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#options.clock.nowMs();
    for (const running of this.#running.values()) {
      if (nowMs >= deadOf(running)) this.#bury(running);
    }
    await this.#outcomes.send();
    // What a former life leased may not be known well enough to be given back by the way.
    if (this.#hasFree()) this.#tidy = false;
    await this.#leasing.returnIdle();
    if (!this.#tidy && !this.#hasFree()) await this.#tidyUp();
    this.#wakeAgain();
  }

  #bury({ hold, opened }: Running): void {
    const { requestId, organizationId } = hold;
    const fields = { request_id: requestId, organization_id: organizationId };
    this.#options.log.write('warn', 'request_lost', fields);
    if (opened === null) {
      this.release(requestId);
      return;
    }
    giveBack(hold);
    this.#end(toSweep(opened));
  }

  #allowances(): readonly Allowance[] {
    return [...this.#accounts.all()].flatMap((account) => account.allowances());
  }

  #hasFree(): boolean {
    return this.#allowances().some(({ free }) => free > 0n);
  }

  /**
   * Gives back what Postgres says is leased and nobody here knows of: this object died, or an
   * answer was lost. Not while a lease is being taken: what was gained and not heard of yet would
   * look like that.
   */
  async #tidyUp(): Promise<void> {
    const { database, ownerId, log } = this.#options;
    // Before anything is asked: what is held meanwhile makes it untidy again.
    this.#tidy = true;
    try {
      for (const lease of await findLeases(database, ownerId)) {
        const account = this.#accounts.get(lease.organizationId, bookOf(lease));
        account.allowanceOf(lease.resourceId).unsure = true;
      }
      await this.#leasing.returnUnsure();
      if (this.#allowances().some(({ unsure }) => unsure)) this.#tidy = false;
    } catch (error) {
      this.#tidy = false;
      log.write('warn', 'lease_not_returned', { cause: causeOf(error) });
    }
  }

  #wakeAgain(): void {
    if (this.#hasFree()) this.#wakeWithin(IDLE_LOOK_MS);
    else if (!this.#tidy) this.#wakeWithin(RETRY_MS);
    for (const running of this.#running.values()) this.#wakeAt(deadOf(running));
    const dueMs = this.#outcomes.dueMs();
    if (dueMs !== null) this.#wakeAt(Math.max(dueMs, this.#options.clock.nowMs() + RETRY_MS));
  }

  #wakeWithin(ms: number): void {
    this.#wakeAt(this.#options.clock.nowMs() + ms);
  }

  #wakeAt(ms: number): void {
    if (ms >= this.#wakeAtMs) return;
    this.#wakeAtMs = ms;
    this.#options.wakeAt(ms);
  }
}

function bookOf({ book }: { readonly book: string }): Book {
  return book === 'live' ? 'live' : 'test';
}

/** Wall clock at which it counts as dead. */
function deadOf({ opened, seenAtMs }: Running): number {
  return seenAtMs + (opened === null ? UNOPENED_MS : ORPHAN_MS);
}

function giveBack(hold: ActiveHold): void {
  hold.credit.release(hold.amount);
  hold.budget?.release(hold.amount);
}

/** What an isolate needs of it. */
function toHold(hold: ActiveHold): Hold {
  const { requestId, organizationId, keyId, keyLimited, book, amount, admittedAtMs } = hold;
  return { requestId, organizationId, keyId, keyLimited, book, amount, admittedAtMs };
}

function causeOfRefusal(refusal: HoldRefusal): string {
  return refusal.reason === 'unavailable'
    ? refusal.cause
    : 'the hold was lost, and the credit is spent';
}
