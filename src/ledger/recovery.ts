/**
 * What a process does before it serves: it brings to an end what its predecessor over the same data
 * directory left, whenever and however that one died. Each step may itself be cut off by kill -9
 * and is then simply done again.
 */
import { ZERO_USD } from '#base/money.ts';
import { returnAllLeases } from '#store/ledger-leases.ts';
import { toUsageLine, type UsageEvent } from '#store/ledger-post.ts';

import { ActiveHold } from './active-hold.ts';
import { Allowance } from './allowance.ts';
import type { Journal, JournalRecord, OpenRecord, PastSegment } from './journal.ts';
import { postEvents, type PostingOptions, type PostingProgress } from './posting.ts';

export interface RecoveryOptions extends PostingOptions {
  readonly journal: Pick<Journal<ActiveHold>, 'readPast' | 'dropPast' | 'appendOutcome'>;
}

/** What a recovery found and did. */
export interface RecoveryReport {
  /** Outcomes in the journal; most of them will have been posted before. */
  readonly outcomes: number;
  /** Requests that were running when the process died: nothing is charged for them. */
  readonly swept: number;
  /** Leases of credit and budget that were given back. */
  readonly leasesReturned: number;
  /** Records that could not be read, although records after them could. */
  readonly damaged: number;
}

const SWEPT_DETAIL = '{"swept":true}';

/**
 * Rejects with `DatabaseUnavailable`, or with what reading a file throws; then it must be run
 * again.
 */
export async function recoverJournal(options: RecoveryOptions): Promise<RecoveryReport> {
  const opened = new Map<string, OpenRecord>();
  const keepAside = new Set<string>();
  const unposted: (readonly UsageEvent[])[] = [];
  // Of all segments: each may end with the few that a slow database does not take.
  const progress: PostingProgress = { posted: 0, heavy: 0 };
  let outcomes = 0;
  let damaged = 0;
  for await (const segment of options.journal.readPast()) {
    damaged += segment.content.damaged;
    const events = readEvents(segment.content.records, opened);
    outcomes += events.length;
    unposted.push(await postEvents(options, events, progress));
    if (segment.content.damaged > 0) keepAside.add(segment.name);
    tell(options, segment);
  }
  const sweeps = [...opened.values()].map(toSweep);
  unposted.push(await postEvents(options, sweeps, progress));
  const leasesReturned = await returnAllLeases(options.database, options.ownerId);
  if (await journalAgain(options, unposted.flat())) await options.journal.dropPast(keepAside);
  const report = { outcomes, swept: sweeps.length, leasesReturned, damaged };
  if (outcomes + sweeps.length > 0) {
    options.log.write('info', 'journal_recovered', { count: outcomes, attempts: sweeps.length });
  }
  return report;
}

/** The outcomes; what is opened and not ended stays in `opened`. */
function readEvents(
  records: readonly JournalRecord[],
  opened: Map<string, OpenRecord>,
): readonly UsageEvent[] {
  const events: UsageEvent[] = [];
  for (const record of records) {
    switch (record.type) {
      case 'open':
        opened.set(record.open.requestId, record.open);
        break;
      case 'outcome':
        opened.delete(record.event.requestId);
        events.push(record.event);
        break;
      case 'void':
        opened.delete(record.requestId);
        break;
    }
  }
  return events;
}

/**
 * What could not be posted goes into the new journal, as if it had just come about: it is tried
 * again while this process serves, and by the next one. False: it could not be written, so that it
 * is only in the old one.
 */
async function journalAgain(
  { journal, log }: RecoveryOptions,
  unposted: readonly UsageEvent[],
): Promise<boolean> {
  if (unposted.length === 0) return true;
  log.write('error', 'recovered_unposted', { count: unposted.length });
  const batches = unposted.map((event) => {
    // Its lease went back with the others: it must not be paid from what is leased from now on.
    const line = toUsageLine({ ...event, creditClaim: 0n, budgetClaim: 0n });
    return journal.appendOutcome(line, toEndedHold(event));
  });
  const kept = await Promise.all(batches.map((batch) => batch.kept()));
  return kept.every(({ ok }) => ok);
}

/** Nothing is held or set aside for it. */
function toEndedHold({ requestId, organizationId, keyId, book, admittedAtMs }: UsageEvent) {
  const of = { requestId, organizationId, keyId, book: book === 'live' ? 'live' : 'test' } as const;
  const credit = new Allowance(`${book}:credit:${organizationId}`);
  const request = { ...of, keyLimited: false, amount: ZERO_USD };
  return new ActiveHold(request, { credit, budget: null }, admittedAtMs);
}

function tell(options: PostingOptions, { name, content }: PastSegment): void {
  const { damaged, tornBytes } = content;
  if (damaged > 0) options.log.write('error', 'journal_damaged', { path: name, count: damaged });
  if (tornBytes > 0)
    options.log.write('info', 'journal_torn_tail', { path: name, bytes: tornBytes });
}

/** Void for the customer; what the upstream was given is the platform's cost. */
export function toSweep(open: Omit<OpenRecord, 'hold'>): UsageEvent {
  const { requestId, attempt, organizationId, keyId, book, inputCost, admittedAtMs } = open;
  return {
    requestId,
    attempt,
    organizationId,
    keyId,
    book,
    kind: 'swept',
    cost: 0n,
    creditClaim: 0n,
    budgetClaim: 0n,
    platformCost: inputCost,
    admittedAtMs,
    detail: SWEPT_DETAIL,
  };
}
