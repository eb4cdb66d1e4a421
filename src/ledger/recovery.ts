/**
 * What a process does before it serves: it brings to an end what its predecessor over the same data
 * directory left, whenever and however that one died. Each step may itself be cut off by kill -9
 * and is then simply done again.
 */
import { returnAllLeases } from '#store/ledger-leases.ts';
import type { UsageEvent } from '#store/ledger-post.ts';

import type { Journal, JournalRecord, OpenRecord, PastSegment } from './journal.ts';
import { postEvents, type PostingOptions } from './posting.ts';

export interface RecoveryOptions extends PostingOptions {
  readonly journal: Pick<Journal<unknown>, 'readPast' | 'dropPast'>;
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

const BATCH = 500;
const SWEPT_DETAIL = '{"swept":true}';

/**
 * Rejects with `DatabaseUnavailable`, or with what reading a file throws; then it must be run
 * again.
 */
export async function recoverJournal(options: RecoveryOptions): Promise<RecoveryReport> {
  const opened = new Map<string, OpenRecord>();
  const keepAside = new Set<string>();
  let outcomes = 0;
  let damaged = 0;
  for await (const segment of options.journal.readPast()) {
    damaged += segment.content.damaged;
    const events = readEvents(segment.content.records, opened);
    outcomes += events.length;
    const refused = await postAll(options, events);
    if (refused > 0 || segment.content.damaged > 0) keepAside.add(segment.name);
    tell(options, segment, refused);
  }
  const sweeps = [...opened.values()].map(toSweep);
  await postAll(options, sweeps);
  const leasesReturned = await returnAllLeases(options.database, options.ownerId);
  await options.journal.dropPast(keepAside);
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

/** Returns how many the database would not take. */
async function postAll(options: PostingOptions, events: readonly UsageEvent[]): Promise<number> {
  let refused = 0;
  for (let start = 0; start < events.length; start += BATCH) {
    refused += (await postEvents(options, events.slice(start, start + BATCH))).length;
  }
  return refused;
}

function tell(options: PostingOptions, { name, content }: PastSegment, refused: number): void {
  const { damaged, tornBytes } = content;
  if (damaged > 0) options.log.write('error', 'journal_damaged', { path: name, count: damaged });
  if (refused > 0) options.log.write('error', 'journal_kept_aside', { path: name, count: refused });
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
