/** The way of outcomes out of a Durable Object: what fails is tried again and keeps nobody back. */
import { DatabaseSync } from 'node:sqlite';

import { beforeEach, describe, expect, it } from 'vitest';

import { silentLog } from '#base/log.ts';
import { type Database, type Row, StatementRefused, StatementTooHeavy } from '#store/database.ts';
import { DurableJournal } from '#store/durable-journal.ts';
import type { UsageEvent } from '#store/ledger-post.ts';
import { HandClock } from '#testing/ledger-rig.ts';

import { DurableOutcomes, type OutcomeBatch, postBatch } from './durable-outcomes.ts';

const FIVE_MINUTES_MS = 300_000;
const FITS_INTO_NO_MESSAGE = 'x'.repeat(100_000);

/** Fails as it is told for statements in which this is; posts all others, and forgets them. */
class PickyDatabase implements Database {
  readonly #picky: string;
  readonly #error: Error;
  patient = false;

  constructor(picky: string, error: Error) {
    this.#picky = picky;
    this.#error = error;
  }

  run(...[, values]: Parameters<Database['run']>): Promise<readonly Row[]> {
    const { lines } = values ?? {};
    if (typeof lines !== 'string') return Promise.resolve([]);
    if (!this.patient && lines.includes(this.#picky)) return Promise.reject(this.#error);
    return Promise.resolve([{ posted: lines.split('\n').length, bad_debt: '0' }]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

let journal: DurableJournal;
let clock: HandClock;
let queue: OutcomeBatch[];
let posted: string[];

beforeEach(() => {
  const sqlite = new DatabaseSync(':memory:');
  journal = new DurableJournal({
    exec: (statement, ...bindings): Iterable<Row> => sqlite.prepare(statement).all(...bindings),
  });
  clock = new HandClock();
  queue = [];
  posted = [];
});

function outcomesOver(database: Database): DurableOutcomes {
  return new DurableOutcomes({
    ownerId: 'owner_a',
    journal,
    database,
    send: (batch) => {
      queue.push(batch);
      return Promise.resolve();
    },
    onPosted: ({ requestId }) => posted.push(requestId),
    clock,
    log: silentLog,
  });
}

function settle(requestId: string, detail: string, admittedAtMs: number): void {
  const of = { organizationId: 'org_a', keyId: 'key_a', book: 'live', attempt: 0 };
  const costs = { cost: 1n, creditClaim: 0n, budgetClaim: 0n, platformCost: 0n };
  const event: UsageEvent = {
    ...of,
    ...costs,
    requestId,
    kind: 'outcome',
    admittedAtMs,
    detail,
  };
  journal.settle(event);
}

async function consume(outcomes: DurableOutcomes, database: Database): Promise<void> {
  for (const { ownerId, events } of queue.splice(0)) {
    outcomes.learn(await postBatch({ database, ownerId, log: silentLog }, events));
  }
}

describe('promise 2: an outcome', () => {
  it('that fits into no message and takes too long keeps no later one back', async () => {
    const database = new PickyDatabase('xxx', new StatementTooHeavy('too long'));
    const outcomes = outcomesOver(database);
    settle('req_large', FITS_INTO_NO_MESSAGE, 1);
    settle('req_small', '{}', 2);
    await outcomes.send();
    await outcomes.send();
    await consume(outcomes, database);
    expect(posted).toEqual(['req_small']);
    expect(outcomes.dueMs()).toBe(clock.nowMs() + FIVE_MINUTES_MS);
    database.patient = true;
    clock.wallMs += FIVE_MINUTES_MS + 1;
    await outcomes.send();
    expect(posted).toEqual(['req_small', 'req_large']);
    expect(outcomes.dueMs()).toBeNull();
  });

  it('that the database refuses is sent again later, and its neighbours are posted', async () => {
    const database = new PickyDatabase('bad', new StatementRefused('refused', '23514', null));
    const outcomes = outcomesOver(database);
    settle('req_1', '{}', 1);
    settle('req_2', '{"bad":true}', 2);
    settle('req_3', '{}', 3);
    await outcomes.send();
    await consume(outcomes, database);
    expect(posted).toEqual(['req_1', 'req_3']);
    await outcomes.send();
    expect(queue).toEqual([]);
    expect(await outcomes.post()).toBe(false);
    database.patient = true;
    clock.wallMs += FIVE_MINUTES_MS + 1;
    await outcomes.send();
    await consume(outcomes, database);
    expect(posted).toEqual(['req_1', 'req_3', 'req_2']);
  });

  it('is never given up for a fault that is not its own', async () => {
    const database = new PickyDatabase('req_', new StatementRefused('no table', '42P01', null));
    const outcomes = outcomesOver(database);
    settle('req_1', '{}', 1);
    await outcomes.send();
    await expect(consume(outcomes, database)).rejects.toThrow('no table');
    expect(await outcomes.post()).toBe(false);
    database.patient = true;
    expect(await outcomes.post()).toBe(true);
    expect(posted).toEqual(['req_1']);
  });
});
