/**
 * The way of outcomes from a Durable Object into Postgres: they are handed to a queue, whose
 * consumer posts them and tells the object so; only then are they forgotten here. Whatever is lost
 * in between is sent again, and posted once all the same (`ledger-post.ts`).
 */
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Database } from '#store/database.ts';
import { type DurableJournal, eventId } from '#store/durable-journal.ts';
import type { UsageEvent } from '#store/ledger-post.ts';

import { causeOf } from './cause.ts';
import { postEvents } from './posting.ts';

/** Outcomes on their way, and whose leases pay for them. */
export interface OutcomeBatch {
  readonly organizationId: string;
  readonly ownerId: string;
  readonly events: readonly UsageEvent[];
}

/** What of a batch is posted: ids as `eventId` makes them. The rest is sent again. */
export interface OutcomeNews {
  readonly posted: readonly string[];
}

export interface DurableOutcomesOptions {
  readonly ownerId: string;
  readonly journal: DurableJournal;
  readonly database: Database;
  /** Hands outcomes to the queue. Rejects if it could not. */
  readonly send: (batch: OutcomeBatch) => Promise<void>;
  /** It is in Postgres, and what was set aside for it is spent. */
  readonly onPosted: (event: UsageEvent) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Whoever posts must have said so by then; after that it is lost, or not taken: sent again. */
const RESEND_MS = 300_000;
/** One message of a queue holds 128 KB, and the detail is most of it. */
const BATCH_LENGTH_MAX = 60_000;
const BATCH_MAX = 100;

export class DurableOutcomes {
  readonly #options: DurableOutcomesOptions;
  readonly #journal: DurableJournal;
  #sending = false;

  constructor(options: DurableOutcomesOptions) {
    this.#options = options;
    this.#journal = options.journal;
  }

  /** Sends all that was not sent, or so long ago that it must be lost. Never rejects. */
  async send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    const { clock, log } = this.#options;
    try {
      for (let events = this.#next(); events.length > 0; events = this.#next()) {
        if (isTooLong(events)) {
          // Before it is tried: the others must not wait for one that fails again and again.
          this.#journal.markSent(events, clock.nowMs());
          await this.#postThese(events);
        } else {
          await this.#sendThese(events);
          this.#journal.markSent(events, clock.nowMs());
        }
      }
    } catch (error) {
      log.write('warn', 'outcomes_not_sent', { cause: causeOf(error) });
    } finally {
      this.#sending = false;
    }
  }

  async #sendThese(events: readonly UsageEvent[]): Promise<void> {
    const { send, ownerId } = this.#options;
    const organizationId = events[0]?.organizationId ?? '';
    await send({ organizationId, ownerId, events });
  }

  /** A batch that fits into a message, or one event that fits into none. */
  #next(): readonly UsageEvent[] {
    const since = this.#options.clock.nowMs() - RESEND_MS;
    const batch: UsageEvent[] = [];
    let length = 0;
    for (const event of this.#journal.unsent(since, BATCH_MAX)) {
      length += event.detail.length;
      if (length > BATCH_LENGTH_MAX && batch.length > 0) break;
      batch.push(event);
    }
    return batch;
  }

  /** When `send` has something to do again; null: nothing waits. */
  dueMs(): number | null {
    const { count, sentAtMs } = this.#journal.waiting();
    return count === 0 ? null : sentAtMs + RESEND_MS;
  }

  /**
   * Posts everything now, past the queue: for reads that must see it. The queue's consumer finds it
   * done. False: the database could not be reached, or there is something that it does not take.
   */
  async post(): Promise<boolean> {
    try {
      return await this.#postThese(this.#journal.outcomes());
    } catch (error) {
      this.#options.log.write('warn', 'posting_failed', { cause: causeOf(error) });
      return false;
    }
  }

  async #postThese(events: readonly UsageEvent[]): Promise<boolean> {
    if (events.length === 0) return true;
    const news = await postBatch(this.#options, events);
    this.learn(news);
    return news.posted.length === events.length;
  }

  /** What the queue's consumer says; hearing it twice changes nothing. */
  learn({ posted }: OutcomeNews): void {
    for (const id of posted) {
      const event = this.#journal.takePosted(id);
      if (event !== null) this.#options.onPosted(event);
    }
  }
}

function isTooLong(events: readonly UsageEvent[]): boolean {
  return events.some(({ detail }) => detail.length > BATCH_LENGTH_MAX);
}

/** Posts what came out of the queue. Rejects with `DatabaseUnavailable`: then try it again. */
export async function postBatch(
  options: { readonly database: Database; readonly ownerId: string; readonly log: Log },
  events: readonly UsageEvent[],
): Promise<OutcomeNews> {
  const unposted = new Set(await postEvents(options, events));
  return { posted: events.filter((event) => !unposted.has(event)).map(eventId) };
}
