/**
 * Posts outcomes, whatever their history: repeated ones change nothing, belated ones become
 * corrections.
 */
import type { Log } from '#base/log.ts';
import { formatUsd, nanoUsd } from '#base/money.ts';
import { type Database, DatabaseUnavailable, StatementRefused } from '#store/database.ts';
import { findSwept, postUsage, type SweptRequest, type UsageEvent } from '#store/ledger-post.ts';

import { causeOf } from './cause.ts';

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
    if (!(error instanceof StatementRefused)) throw error;
    if (TRANSIENT_STATES.has(error.code)) throw new DatabaseUnavailable(error.message);
    return await postSeparately(options, events, error);
  }
}

/** Halves the batch until the event is found that the database does not take. */
async function postSeparately(
  options: PostingOptions,
  events: readonly UsageEvent[],
  refusal: StatementRefused,
): Promise<readonly UsageEvent[]> {
  const [event] = events;
  if (event === undefined) return [];
  if (events.length > 1) {
    const middle = events.length >> 1;
    const first = await postEvents(options, events.slice(0, middle));
    return [...first, ...(await postEvents(options, events.slice(middle)))];
  }
  const storable = toStorable(event);
  if (storable !== event) {
    const stillRefused = await postEvents(options, [storable]);
    return stillRefused.length === 0 ? [] : [event];
  }
  const fields = { request_id: event.requestId, organization_id: event.organizationId };
  options.log.write('error', 'posting_refused', { ...fields, cause: causeOf(refusal) });
  return [event];
}

/**
 * The event with what Postgres cannot store replaced in its detail: half a surrogate pair, or a
 * NUL.
 */
function toStorable(event: UsageEvent): UsageEvent {
  const detail = event.detail.replaceAll(/\p{Surrogate}|\0/gu, REPLACEMENT);
  return detail === event.detail ? event : { ...event, detail };
}

async function postBatch(options: PostingOptions, events: readonly UsageEvent[]): Promise<void> {
  const { database, ownerId } = options;
  const { posted, badDebt } = await postUsage(database, ownerId, events);
  if (badDebt > 0n) {
    const loss = formatUsd(nanoUsd(badDebt));
    options.log.write('warn', 'usage_beyond_credit', { cost_usd: loss });
  }
  if (posted === events.length) return;
  // Some were there already. A statement of its own sees what another process has swept in the
  // meantime.
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
    id: outcome.id.replace(/:outcome$/, ':correction'),
    kind: 'correction',
    cost: outcome.cost - swept.cost,
    creditClaim: 0n,
    budgetClaim: 0n,
    platformCost: -swept.platformCost,
  };
}
