/**
 * Carries settled outcomes into the database: up to 500 in one statement, at the latest after 50
 * ms, one statement at a time. While the database is away it keeps them and tries again; the
 * journal has them too.
 */
import type { Log } from '#base/log.ts';
import type { UsageEvent } from '#store/ledger-post.ts';

import type { ActiveHold } from './active-hold.ts';
import { causeOf } from './cause.ts';
import { type PostingOptions, postEvents } from './posting.ts';
import type { Cancel, Schedule } from './schedule.ts';

export interface PosterOptions extends PostingOptions {
  readonly schedule: Schedule;
  /** These are posted and need no journal any more. */
  readonly onPosted: (holds: readonly ActiveHold[]) => void;
}

interface FlushWaiter {
  /** Number of outcomes that must be dealt with. */
  readonly target: number;
  readonly resolve: (posted: boolean) => void;
}

const BATCH_MAX = 500;
/** Receipts may be large; a statement should not be. Characters. */
const BATCH_DETAIL_MAX = 4_000_000;
const LINGER_MS = 50;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5000;

export class Poster {
  readonly #options: PosterOptions;
  readonly #log: Log;
  readonly #queue: ActiveHold[] = [];
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

  enqueue(holds: readonly ActiveHold[]): void {
    for (const hold of holds) this.#queue.push(hold);
    this.#enqueued += holds.length;
    if (this.#sending) return;
    if (this.#queue.length >= BATCH_MAX && this.#retryMs === 0) void this.#send();
    else this.#sendAfter(LINGER_MS);
  }

  /**
   * Posts these now, past the queue, because the journal could not take them. False: not known to
   * be posted.
   */
  async rescue(holds: readonly ActiveHold[]): Promise<boolean> {
    if (holds.length === 0) return true;
    const posted = await postEvents(this.#options, eventsOf(holds)).then(
      (refused) => refused.length === 0,
      (error: unknown) => {
        this.#log.write('error', 'outcome_lost', { count: holds.length, cause: causeOf(error) });
        return false;
      },
    );
    // If they were not posted, what was set aside for them is found again as a surplus of the
    // lease.
    for (const hold of holds) hold.forget();
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
      more = posted && (this.#queue.length >= BATCH_MAX || this.#flushWaiters.length > 0);
    }
    this.#sending = false;
    if (this.#queue.length > 0) this.#sendAfter(this.#retryMs === 0 ? LINGER_MS : this.#retryMs);
  }

  #nextBatch(): readonly ActiveHold[] {
    let size = 0;
    let characters = 0;
    while (size < BATCH_MAX && size < this.#queue.length && characters < BATCH_DETAIL_MAX) {
      characters += this.#queue[size]?.event?.detail.length ?? 0;
      size += 1;
    }
    return this.#queue.slice(0, size);
  }

  async #sendBatch(batch: readonly ActiveHold[]): Promise<boolean> {
    try {
      const refused = new Set(await postEvents(this.#options, eventsOf(batch)));
      this.#settle(batch, refused);
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

  #settle(batch: readonly ActiveHold[], refused: ReadonlySet<UsageEvent>): void {
    this.#queue.splice(0, batch.length);
    this.#done += batch.length;
    this.#refused += refused.size;
    this.#options.onPosted(batch.filter(({ event }) => event !== null && !refused.has(event)));
    const waiting: FlushWaiter[] = [];
    for (const waiter of this.#flushWaiters) {
      if (waiter.target <= this.#done) waiter.resolve(this.#refused === 0);
      else waiting.push(waiter);
    }
    this.#flushWaiters = waiting;
  }
}

function eventsOf(holds: readonly ActiveHold[]): readonly UsageEvent[] {
  return holds.flatMap(({ event }) => (event === null ? [] : [event]));
}
