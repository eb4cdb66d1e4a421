/**
 * Posts outcomes, whatever their history: repeated ones change nothing, belated ones become
 * corrections.
 */
import type { Log } from '#base/log.ts';
import { formatUsd, nanoUsd } from '#base/money.ts';
import {
  type Database,
  DatabaseUnavailable,
  StatementRefused,
  StatementTooHeavy,
} from '#store/database.ts';
import { findSwept, postUsage, postUsageLines, toUsageLine } from '#store/ledger-post.ts';
import type { PostedBatch, SweptRequest, UsageEvent } from '#store/ledger-post.ts';

import { causeOf } from './cause.ts';
import { RECORD_SEPARATOR } from './journal.ts';

export interface PostingOptions {
  readonly database: Database;
  readonly ownerId: string;
  readonly log: Log;
}

/** Events for one statement. */
export interface PostingBatch {
  readonly count: number;
  /** In the form of `toUsageLine`, with `RECORD_SEPARATOR` between them. */
  readonly lines: () => string;
  readonly events: () => readonly UsageEvent[];
}

/** How far posting has come; it says so also where it rejected. */
export interface PostingProgress {
  /** Events that are known to be posted. */
  posted: number;
  /** How many of the last ones were too heavy alone. */
  heavy: number;
}

/** Why a batch cannot be posted that fewer events at once may be posted without. */
export type BatchFault = StatementRefused | StatementTooHeavy;

/** Events in a statement. */
export const BATCH_MAX = 512;
/** A batch with a fault is divided by eight: after three times each event is alone. */
const DIVISOR_BITS = 3;
/**
 * What is wrong with a value, a constraint or a limit of the program is wrong with an event. All
 * else that makes Postgres refuse (a table that is not there yet, a right that we lack, a deadlock)
 * is wrong for the moment, with any event.
 */
const EVENT_STATES = /^(?:22|23|54)/;
/** So many alone that are too heavy, one after the other: then it is the database. */
const HEAVY_MAX = 3;
const REPLACEMENT = '\u{fffd}';

/** How many events are tried together after a batch of so many had a fault. */
export function fewerThan(count: number): number {
  return Math.max(1, count >> DIVISOR_BITS);
}

/** How many are tried together after so many could be posted. */
export function moreThan(count: number): number {
  return Math.min(count << DIVISOR_BITS, BATCH_MAX);
}

/**
 * Posts the events, together as far as that is possible, and returns those that could not be
 * posted: one of them must not keep the others back. Rejects with `DatabaseUnavailable`, also where
 * one after the other is too heavy, and then some may be posted that are not in the progress;
 * repeat it all. Calls that belong together share their progress.
 */
export async function postEvents(
  options: PostingOptions,
  events: readonly UsageEvent[],
  progress: PostingProgress = { posted: 0, heavy: 0 },
): Promise<readonly UsageEvent[]> {
  const unposted: UsageEvent[] = [];
  let size = BATCH_MAX;
  for (let start = 0; start < events.length;) {
    const part = events.slice(start, start + size);
    const fault = await postBatch(options, toBatch(part));
    if (fault !== null && part.length > 1) {
      size = fewerThan(part.length);
      continue;
    }
    start += part.length;
    progress.heavy = fault instanceof StatementTooHeavy ? progress.heavy + 1 : 0;
    if (fault !== null) {
      // Nobody may take them for events that only have a fault of their own.
      if (progress.heavy >= HEAVY_MAX) throw fault;
      unposted.push(...part);
      continue;
    }
    progress.posted += part.length;
    size = moreThan(size);
  }
  return unposted;
}

function toBatch(events: readonly UsageEvent[]): PostingBatch {
  return {
    count: events.length,
    lines: () => events.map(toUsageLine).join(RECORD_SEPARATOR),
    events: () => events,
  };
}

/**
 * Posts a batch. Returns why not, where fewer events at once may do; of a single event that is said
 * loudly. Rejects where nothing can be posted at the moment.
 */
export async function postBatch(
  options: PostingOptions,
  batch: PostingBatch,
): Promise<BatchFault | null> {
  const [only] = batch.count === 1 ? batch.events() : [];
  if (only === undefined) return await tryBatch(options, batch);
  const fault = await tryBatch(options, toBatch([toPlainEvent(only)]));
  if (fault !== null) {
    const fields = { request_id: only.requestId, organization_id: only.organizationId };
    options.log.write('error', 'posting_refused', { ...fields, cause: causeOf(fault) });
  }
  return fault;
}

/** Without what Postgres cannot store in the detail: half a surrogate pair, or a NUL. */
function toPlainEvent(event: UsageEvent): UsageEvent {
  return { ...event, detail: event.detail.replaceAll(/\p{Surrogate}|\0/gu, REPLACEMENT) };
}

async function tryBatch(options: PostingOptions, batch: PostingBatch): Promise<BatchFault | null> {
  try {
    const result = await postUsageLines(options.database, options.ownerId, batch.lines());
    tellLoss(options, result);
    if (result.posted < batch.count) await correct(options, batch.events());
    return null;
  } catch (error) {
    if (error instanceof StatementTooHeavy) return error;
    if (!(error instanceof StatementRefused)) throw error;
    if (EVENT_STATES.test(error.code)) return error;
    throw new DatabaseUnavailable(error.message);
  }
}

function tellLoss({ log }: PostingOptions, { badDebt }: PostedBatch): void {
  if (badDebt === 0n) return;
  log.write('warn', 'usage_beyond_credit', { cost_usd: formatUsd(nanoUsd(badDebt)) });
}

/**
 * Some were there already. A statement of its own sees what another process has swept in the
 * meantime.
 */
async function correct(options: PostingOptions, events: readonly UsageEvent[]): Promise<void> {
  const { database, ownerId } = options;
  const outcomes = new Map(
    events.filter(({ kind }) => kind === 'outcome').map((event) => [event.requestId, event]),
  );
  if (outcomes.size === 0) return;
  const swept = await findSwept(database, [...outcomes.keys()]);
  const corrections = swept.flatMap((sweep) => {
    const outcome = outcomes.get(sweep.requestId);
    return outcome === undefined ? [] : [toCorrection(outcome, sweep)];
  });
  if (corrections.length > 0) await postUsage(database, ownerId, corrections);
}

/**
 * The difference between what a sweep assumed and what the request really came to; its hold is long
 * gone.
 */
function toCorrection(outcome: UsageEvent, swept: SweptRequest): UsageEvent {
  return {
    ...outcome,
    kind: 'correction',
    cost: outcome.cost - swept.cost,
    creditClaim: 0n,
    budgetClaim: 0n,
    platformCost: -swept.platformCost,
  };
}
