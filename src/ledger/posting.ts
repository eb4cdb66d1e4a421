/**
 * Posts outcomes, whatever their history: repeated ones change nothing, belated ones become
 * corrections.
 */
import { concatBytes, toBytes, toText } from '#base/bytes.ts';
import type { Log } from '#base/log.ts';
import { formatUsd, nanoUsd } from '#base/money.ts';
import { type Database, DatabaseUnavailable, StatementRefused } from '#store/database.ts';
import { findSwept, postUsage, postUsageLines } from '#store/ledger-post.ts';
import type { PostedBatch, SweptRequest, UsageEvent } from '#store/ledger-post.ts';

import { causeOf } from './cause.ts';
import { RECORD_SEPARATOR } from './journal.ts';
import type { WaitingOutcomes } from './waiting-outcomes.ts';

export interface PostingOptions {
  readonly database: Database;
  readonly ownerId: string;
  readonly log: Log;
}

/**
 * Deadlock and serialization failure: nothing is wrong with the statement, and nothing was done.
 */
const TRANSIENT_STATES: ReadonlySet<string> = new Set(['40P01', '40001']);
const REPLACEMENT = '\u{fffd}';

/**
 * Posts the events and returns those that the database will not take, each logged: one of them must
 * not keep the others back. Rejects with `DatabaseUnavailable`, and then what was posted is not
 * known; repeat it all.
 */
export async function postEvents(
  options: PostingOptions,
  events: readonly UsageEvent[],
): Promise<readonly UsageEvent[]> {
  try {
    await postBatch(options, events);
    return [];
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return await postSeparately(options, events);
  }
}

/** Something in the batch cannot be stored. Throws where only the moment was wrong. */
function isRefusal(error: unknown): error is StatementRefused {
  if (!(error instanceof StatementRefused)) return false;
  if (TRANSIENT_STATES.has(error.code)) throw new DatabaseUnavailable(error.message);
  return true;
}

/** Halves the batch until the event is found that the database does not take. */
async function postSeparately(
  options: PostingOptions,
  events: readonly UsageEvent[],
): Promise<readonly UsageEvent[]> {
  const [event] = events;
  if (event === undefined) return [];
  if (events.length > 1) {
    const middle = events.length >> 1;
    const first = await postEvents(options, events.slice(0, middle));
    return [...first, ...(await postEvents(options, events.slice(middle)))];
  }
  return (await isTaken(options, toPlainEvent(event))) ? [] : [event];
}

/** Whether the database takes it; says so loudly if not. */
async function isTaken(options: PostingOptions, event: UsageEvent): Promise<boolean> {
  try {
    await postBatch(options, [event]);
    return true;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const fields = { request_id: event.requestId, organization_id: event.organizationId };
    options.log.write('error', 'posting_refused', { ...fields, cause: causeOf(error) });
    return false;
  }
}

/** Without what Postgres cannot store in the detail: half a surrogate pair, or a NUL. */
function toPlainEvent(event: UsageEvent): UsageEvent {
  return { ...event, detail: event.detail.replaceAll(/\p{Surrogate}|\0/gu, REPLACEMENT) };
}

async function postBatch(options: PostingOptions, events: readonly UsageEvent[]): Promise<void> {
  const result = await postUsage(options.database, options.ownerId, events);
  tellLoss(options, result);
  if (result.posted < events.length) await correct(options, events);
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

const BETWEEN = toBytes(RECORD_SEPARATOR);

/**
 * Posts what waits as the bytes that it waits in. Returns, for each, the events that the database
 * will not take; rejects as `postEvents`.
 */
export async function postWaiting(
  options: PostingOptions,
  waiting: readonly WaitingOutcomes[],
): Promise<readonly (readonly UsageEvent[])[]> {
  const pieces = waiting.flatMap(({ records }, at) => (at === 0 ? [records] : [BETWEEN, records]));
  const lines = toText(concatBytes(pieces));
  const count = waiting.reduce((sum, outcomes) => sum + outcomes.count, 0);
  try {
    const result = await postUsageLines(options.database, options.ownerId, lines);
    tellLoss(options, result);
    const known = result.posted === count;
    if (!known)
      await correct(
        options,
        waiting.flatMap((outcomes) => outcomes.events()),
      );
    return waiting.map(() => []);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const refused: (readonly UsageEvent[])[] = [];
    for (const outcomes of waiting) refused.push(await postEvents(options, outcomes.events()));
    return refused;
  }
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
