/**
 * Carries settled outcomes into the database: some 512 in one statement, at the latest after a
 * second, one statement at a time. While the database is away it keeps them and tries again; the
 * journal has them too. What the database does not take even alone waits apart from the others, and
 * is tried now and then.
 */
import type { Log } from '#base/log.ts';
import { StatementTooHeavy } from '#store/database.ts';

import { causeOf } from './cause.ts';
import type { JournalBatch } from './journal.ts';
import {
  BATCH_MAX,
  type BatchFault,
  fewerThan,
  moreThan,
  postBatch,
  postEvents,
  type PostingOptions,
} from './posting.ts';
import type { Cancel, Schedule } from './schedule.ts';
import { toBatch, type WaitingOutcomes } from './waiting-outcomes.ts';

export interface PosterOptions extends PostingOptions {
  readonly schedule: Schedule;
  /** So many outcomes of the batch are posted and need no journal any more. */
  readonly onPosted: (batch: JournalBatch, count: number) => void;
}

/** Outcomes and where the journal has them. */
export interface Journalled {
  readonly outcomes: WaitingOutcomes;
  readonly batch: JournalBatch;
}

interface FlushWaiter {
  /** Number of outcomes that must be dealt with. */
  readonly target: number;
  readonly resolve: (posted: boolean) => void;
}

/** Receipts may be large; a statement should not be. */
const BATCH_BYTES_MAX = 4_000_000;
/**
 * A statement costs Postgres as much as 30 outcomes, and whatever shares a core with it waits
 * meanwhile: few and full ones hold up fewer requests than one in a hundred.
 */
const LINGER_MS = 1_000;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5000;
/** How often those are tried that the database did not take. */
const APART_MS = 60_000;

export class Poster {
  readonly #options: PosterOptions;
  readonly #log: Log;
  readonly #queue: Journalled[] = [];
  /** Each is one outcome that the database did not take alone. */
  readonly #apart: Journalled[] = [];
  readonly #stopTrying: Cancel;
  #trying = false;
  /** Outcomes in the queue. */
  #queued = 0;
  /** Outcomes in the next statement: fewer after one that was not taken. */
  #size = BATCH_MAX;
  #enqueued = 0;
  /** Posted, or set apart. */
  #done = 0;
  #sending = false;
  #cancelTimer: Cancel | null = null;
  #retryMs = 0;
  #flushWaiters: FlushWaiter[] = [];

  constructor(options: PosterOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#stopTrying = options.schedule.every(APART_MS, () => void this.#tryApart());
  }

  /** Outcomes that are not posted yet. */
  get backlog(): number {
    return this.#enqueued - this.#done + this.#apart.length;
  }

  enqueue(journalled: Journalled): void {
    this.#queue.push(journalled);
    this.#queued += journalled.outcomes.count;
    this.#enqueued += journalled.outcomes.count;
    if (this.#sending) return;
    if (this.#queued >= BATCH_MAX && this.#retryMs === 0) void this.#send();
    else this.#sendAfter(LINGER_MS);
  }

  /**
   * Posts these now, past the queue, because the journal could not take them. False: not known to
   * be posted.
   */
  async rescue(outcomes: WaitingOutcomes): Promise<boolean> {
    const { count } = outcomes;
    if (count === 0) return true;
    let lost = count;
    let cause = 'the database did not take it';
    try {
      lost = (await postEvents(this.#options, outcomes.events())).length;
    } catch (error) {
      cause = causeOf(error);
    }
    // What was set aside for those that are lost is found again as a surplus of the lease.
    outcomes.forget();
    if (lost > 0) this.#log.write('error', 'outcome_lost', { count: lost, cause });
    return lost === 0;
  }

  /** Resolves when all that was enqueued before is posted; false as soon as a try fails. */
  flush(): Promise<boolean> {
    if (this.#done >= this.#enqueued) return Promise.resolve(this.#apart.length === 0);
    const flushed = new Promise<boolean>((resolve) => {
      this.#flushWaiters.push({ target: this.#enqueued, resolve });
    });
    if (!this.#sending) void this.#send();
    return flushed;
  }

  stop(): void {
    this.#stopTrying();
    this.#stopTimer();
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  #sendAfter(delayMs: number): void {
    this.#cancelTimer ??= this.#options.schedule.after(delayMs, () => {
      this.#cancelTimer = null;
      if (!this.#sending) void this.#send();
    });
  }

  async #send(): Promise<void> {
    this.#sending = true;
    this.#stopTimer();
    let more = true;
    while (more) {
      const posted = await this.#sendBatch(this.#nextBatch());
      more = posted && (this.#queued >= this.#size || this.#flushWaiters.length > 0);
    }
    this.#sending = false;
    if (this.#queue.length > 0) this.#sendAfter(this.#retryMs === 0 ? LINGER_MS : this.#retryMs);
  }

  #nextBatch(): readonly Journalled[] {
    let taken = 0;
    let count = 0;
    let bytes = 0;
    for (const { outcomes } of this.#queue) {
      if (count >= this.#size || bytes >= BATCH_BYTES_MAX) break;
      taken += 1;
      count += outcomes.count;
      bytes += outcomes.records.length;
    }
    return this.#queue.slice(0, taken);
  }

  /** False: nothing can be posted at the moment. */
  async #sendBatch(journalled: readonly Journalled[]): Promise<boolean> {
    const batch = toBatch(journalled.map(({ outcomes }) => outcomes));
    try {
      const fault = await postBatch(this.#options, batch);
      this.#retryMs = 0;
      if (fault === null) this.#settle(journalled, batch.count);
      else this.#divide(journalled, batch.count, fault);
      return true;
    } catch (error) {
      this.#tellFailure(error);
      const doubled = this.#retryMs * 2;
      this.#retryMs = Math.min(Math.max(doubled, RETRY_MS_MIN), RETRY_MS_MAX);
      this.#failWaiters();
      return false;
    }
  }

  #tellFailure(error: unknown): void {
    this.#log.write('error', 'posting_failed', { count: this.backlog, cause: causeOf(error) });
  }

  #settle(journalled: readonly Journalled[], count: number): void {
    this.#size = moreThan(this.#size);
    this.#queue.splice(0, journalled.length);
    for (const posted of journalled) this.#forget(posted);
    this.#leaveQueue(count);
  }

  #forget({ outcomes, batch }: Journalled): void {
    outcomes.forget();
    this.#options.onPosted(batch, outcomes.count);
  }

  /** So many are dealt with. */
  #leaveQueue(count: number): void {
    this.#queued -= count;
    this.#done += count;
    const waiting: FlushWaiter[] = [];
    for (const waiter of this.#flushWaiters) {
      if (waiter.target <= this.#done) waiter.resolve(this.#apart.length === 0);
      else waiting.push(waiter);
    }
    this.#flushWaiters = waiting;
  }

  /** Fewer go next; one that was alone waits apart, and what is set aside for it stays so. */
  #divide(journalled: readonly Journalled[], count: number, fault: BatchFault): void {
    // Those who wait must not wait for each of its parts to take too long.
    if (fault instanceof StatementTooHeavy) this.#failWaiters();
    if (count === 1) {
      this.#apart.push(...this.#queue.splice(0, journalled.length));
      this.#leaveQueue(count);
      return;
    }
    this.#size = fewerThan(count);
    const parts = journalled.flatMap(({ outcomes, batch }) =>
      outcomes.split(this.#size).map((part) => ({ outcomes: part, batch })),
    );
    this.#queue.splice(0, journalled.length, ...parts);
  }

  #failWaiters(): void {
    for (const waiter of this.#flushWaiters.splice(0)) waiter.resolve(false);
  }

  /** Tries those that wait apart, until one is still not taken: that one comes last from now on. */
  async #tryApart(): Promise<void> {
    if (this.#trying) return;
    this.#trying = true;
    try {
      for (let [first] = this.#apart; first !== undefined; [first] = this.#apart) {
        const fault = await postBatch(this.#options, toBatch([first.outcomes]));
        this.#apart.shift();
        if (fault === null) {
          this.#forget(first);
          continue;
        }
        this.#apart.push(first);
        break;
      }
    } catch (error) {
      this.#tellFailure(error);
    } finally {
      this.#trying = false;
    }
  }
}
