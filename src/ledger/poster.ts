/**
 * Carries settled outcomes into the database: some 512 in one statement, at the latest after a
 * second, one statement at a time. While the database is away it keeps them and tries again; the
 * journal has them too. What the database refuses even alone, or again and again does not take in
 * time, waits apart from the others, and is tried now and then.
 */
import type { Log } from '#base/log.ts';
import { StatementTooHeavy } from '#store/database.ts';

import { causeOf } from './cause.ts';
import type { JournalBatch } from './journal.ts';
import {
  BATCH_MAX,
  fewerThan,
  moreThan,
  postBatch,
  postEvents,
  type PostingOptions,
  type PostingProgress,
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

interface Waiting extends Journalled {
  /** How often it was too heavy alone. */
  readonly timesHeavy: number;
}

interface FlushWaiter {
  /** Number of outcomes that must be dealt with. */
  readonly target: number;
  readonly resolve: (dealtWith: boolean) => void;
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
/** An outcome that was too heavy so often is so itself: once, it may have been the database. */
const TIMES_HEAVY_MAX = 3;
/** So many that are still refused end a round of those that wait apart: whoever flushes waits. */
const REFUSED_MAX = 8;

export class Poster {
  readonly #options: PosterOptions;
  readonly #log: Log;
  readonly #queue: Waiting[] = [];
  /** Each is one outcome that the database did not take alone. */
  readonly #apart: Waiting[] = [];
  readonly #stopTrying: Cancel;
  #trying: Promise<void> | null = null;
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
    this.#queue.push({ ...journalled, timesHeavy: 0 });
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
    const progress: PostingProgress = { posted: 0, heavy: 0 };
    let cause = 'the database did not take it';
    try {
      await postEvents(this.#options, outcomes.events(), progress);
    } catch (error) {
      cause = causeOf(error);
    }
    const lost = count - progress.posted;
    // What was set aside for those that are lost is found again as a surplus of the lease.
    outcomes.forget();
    if (lost > 0) this.#log.write('error', 'outcome_lost', { count: lost, cause });
    return lost === 0;
  }

  /**
   * Resolves when all that was enqueued before is posted, and what waits apart was tried; false as
   * soon as a try of the others fails, or if any wait apart then.
   */
  async flush(): Promise<boolean> {
    const [dealtWith] = await Promise.all([this.#flushQueue(), this.#tryApart()]);
    return dealtWith && this.#apart.length === 0;
  }

  /** True: each is posted, or set apart. */
  #flushQueue(): Promise<boolean> {
    if (this.#done >= this.#enqueued) return Promise.resolve(true);
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

  /** One that was too heavy goes alone: it would only be so again with others. */
  #nextBatch(): readonly Waiting[] {
    let taken = 0;
    let count = 0;
    let bytes = 0;
    for (const { outcomes, timesHeavy } of this.#queue) {
      if (count >= this.#size || bytes >= BATCH_BYTES_MAX) break;
      if (timesHeavy > 0 && taken > 0) break;
      taken += 1;
      count += outcomes.count;
      bytes += outcomes.records.length;
      if (timesHeavy > 0) break;
    }
    return this.#queue.slice(0, taken);
  }

  /** False: nothing can be posted at the moment. */
  async #sendBatch(waiting: readonly Waiting[]): Promise<boolean> {
    const batch = toBatch(waiting.map(({ outcomes }) => outcomes));
    try {
      const fault = await postBatch(this.#options, batch);
      const isHeavy = fault instanceof StatementTooHeavy;
      // Those who wait must not wait for each of its parts to take too long.
      if (isHeavy) this.#failWaiters();
      if (fault === null) this.#settle(waiting, batch.count);
      else if (batch.count > 1) this.#divide(waiting, batch.count);
      else if (isHeavy) return this.#putLast(waiting);
      else this.#setApart(waiting);
      this.#retryMs = 0;
      return true;
    } catch (error) {
      this.#tellFailure(error);
      this.#failWaiters();
      return this.#backOff();
    }
  }

  #backOff(): false {
    this.#retryMs = Math.min(Math.max(this.#retryMs * 2, RETRY_MS_MIN), RETRY_MS_MAX);
    return false;
  }

  #tellFailure(error: unknown): void {
    this.#log.write('error', 'posting_failed', { count: this.backlog, cause: causeOf(error) });
  }

  #settle(waiting: readonly Waiting[], count: number): void {
    this.#size = moreThan(this.#size);
    this.#queue.splice(0, waiting.length);
    for (const posted of waiting) this.#forget(posted);
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
      if (waiter.target <= this.#done) waiter.resolve(true);
      else waiting.push(waiter);
    }
    this.#flushWaiters = waiting;
  }

  /** Fewer go next. */
  #divide(waiting: readonly Waiting[], count: number): void {
    this.#size = fewerThan(count);
    const parts = waiting.flatMap(({ outcomes, ...rest }) =>
      outcomes.split(this.#size).map((part) => ({ ...rest, outcomes: part })),
    );
    this.#queue.splice(0, waiting.length, ...parts);
  }

  /**
   * One that was too heavy alone: the others go first, after a pause, for it may be the database
   * that is slow. Nobody waits for a place in the queue now: all were told that it failed.
   */
  #putLast(waiting: readonly Waiting[]): false {
    const counted = waiting.map((one) => ({ ...one, timesHeavy: one.timesHeavy + 1 }));
    if (counted.some(({ timesHeavy }) => timesHeavy >= TIMES_HEAVY_MAX)) {
      this.#setApart(counted);
    } else {
      this.#queue.splice(0, counted.length);
      this.#queue.push(...counted);
    }
    return this.#backOff();
  }

  /** One that was alone waits apart, and what is set aside for it stays so. */
  #setApart(waiting: readonly Waiting[]): void {
    this.#queue.splice(0, waiting.length);
    this.#apart.push(...waiting);
    this.#leaveQueue(1);
  }

  #failWaiters(): void {
    for (const waiter of this.#flushWaiters.splice(0)) waiter.resolve(false);
  }

  /** Tries those that wait apart, or waits for a round that is under way. */
  #tryApart(): Promise<void> {
    this.#trying ??= this.#tryRound().finally(() => {
      this.#trying = null;
    });
    return this.#trying;
  }

  /** Each once; those that are still not taken come last from now on. */
  async #tryRound(): Promise<void> {
    let refused = 0;
    try {
      for (let left = this.#apart.length; left > 0 && refused < REFUSED_MAX; left -= 1) {
        const [first] = this.#apart;
        if (first === undefined) return;
        const fault = await postBatch(this.#options, toBatch([first.outcomes]));
        this.#apart.shift();
        if (fault === null) {
          this.#forget(first);
          continue;
        }
        this.#apart.push(first);
        if (fault instanceof StatementTooHeavy) return;
        refused += 1;
      }
    } catch (error) {
      this.#tellFailure(error);
    }
  }
}
