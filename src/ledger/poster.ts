/**
 * Carries settled outcomes into the database: some 512 in one statement, at the latest after a
 * second, one statement at a time. While the database is away it keeps them and tries again; the
 * journal has them too.
 */
import type { Log } from '#base/log.ts';
import type { UsageEvent } from '#store/ledger-post.ts';

import { causeOf } from './cause.ts';
import type { JournalBatch } from './journal.ts';
import { type PostingOptions, postEvents, postWaiting } from './posting.ts';
import type { Cancel, Schedule } from './schedule.ts';
import type { WaitingOutcomes } from './waiting-outcomes.ts';

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

/** Outcomes in a statement; those of one turn of the event loop stay together. */
const BATCH_MAX = 512;
/** Receipts may be large; a statement should not be. */
const BATCH_BYTES_MAX = 4_000_000;
/**
 * A statement costs Postgres as much as 30 outcomes, and whatever shares a core with it waits
 * meanwhile: few and full ones hold up fewer requests than one in a hundred.
 */
const LINGER_MS = 1_000;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5000;

export class Poster {
  readonly #options: PosterOptions;
  readonly #log: Log;
  readonly #queue: Journalled[] = [];
  /** Outcomes in the queue. */
  #queued = 0;
  /** The database would not take them; they stay in the journal, for people to look at. */
  #refused = 0;
  #enqueued = 0;
  #done = 0;
  #sending = false;
  #cancelTimer: Cancel | null = null;
  #retryMs = 0;
  #flushWaiters: FlushWaiter[] = [];

  constructor(options: PosterOptions) {
    this.#options = options;
    this.#log = options.log;
  }

  /** Outcomes that are not posted yet. */
  get backlog(): number {
    return this.#enqueued - this.#done + this.#refused;
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
    const posted = await postEvents(this.#options, outcomes.events()).then(
      (refused) => refused.length === 0,
      (error: unknown) => {
        this.#log.write('error', 'outcome_lost', { count, cause: causeOf(error) });
        return false;
      },
    );
    // If they were not posted, what was set aside for them is found again as a surplus of the
    // lease.
    outcomes.forget([]);
    return posted;
  }

  /** Resolves when all that was enqueued before is posted; false as soon as a try fails. */
  flush(): Promise<boolean> {
    if (this.#done >= this.#enqueued) return Promise.resolve(this.#refused === 0);
    const flushed = new Promise<boolean>((resolve) => {
      this.#flushWaiters.push({ target: this.#enqueued, resolve });
    });
    if (!this.#sending) void this.#send();
    return flushed;
  }

  stop(): void {
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
    this.stop();
    let more = true;
    while (more) {
      const posted = await this.#sendBatch(this.#nextBatch());
      more = posted && (this.#queued >= BATCH_MAX || this.#flushWaiters.length > 0);
    }
    this.#sending = false;
    if (this.#queue.length > 0) this.#sendAfter(this.#retryMs === 0 ? LINGER_MS : this.#retryMs);
  }

  #nextBatch(): readonly Journalled[] {
    let taken = 0;
    let count = 0;
    let bytes = 0;
    for (const { outcomes } of this.#queue) {
      if (count >= BATCH_MAX || bytes >= BATCH_BYTES_MAX) break;
      taken += 1;
      count += outcomes.count;
      bytes += outcomes.records.length;
    }
    return this.#queue.slice(0, taken);
  }

  async #sendBatch(batch: readonly Journalled[]): Promise<boolean> {
    try {
      const waiting = batch.map(({ outcomes }) => outcomes);
      this.#settle(batch, await postWaiting(this.#options, waiting));
      this.#retryMs = 0;
      return true;
    } catch (error) {
      this.#log.write('error', 'posting_failed', { count: this.backlog, cause: causeOf(error) });
      const doubled = this.#retryMs * 2;
      this.#retryMs = Math.min(Math.max(doubled, RETRY_MS_MIN), RETRY_MS_MAX);
      for (const waiter of this.#flushWaiters.splice(0)) waiter.resolve(false);
      return false;
    }
  }

  #settle(settled: readonly Journalled[], refusedOfEach: readonly (readonly UsageEvent[])[]): void {
    this.#queue.splice(0, settled.length);
    for (const [at, { outcomes, batch }] of settled.entries()) {
      const refused = refusedOfEach[at] ?? [];
      this.#queued -= outcomes.count;
      this.#done += outcomes.count;
      this.#refused += refused.length;
      outcomes.forget(refused);
      this.#options.onPosted(batch, outcomes.count - refused.length);
    }
    const waiting: FlushWaiter[] = [];
    for (const waiter of this.#flushWaiters) {
      if (waiter.target <= this.#done) waiter.resolve(this.#refused === 0);
      else waiting.push(waiter);
    }
    this.#flushWaiters = waiting;
  }
}
