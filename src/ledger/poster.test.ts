/** What the database does not take, for a moment or for ever, and all the others meanwhile. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { toBytes } from '#base/bytes.ts';
import type { Log } from '#base/log.ts';
import { type Database, type Row, StatementTooHeavy } from '#store/database.ts';
import { setBudgetLimit } from '#store/ledger-grants.ts';
import { postUsage, toUsageLine, type UsageEvent } from '#store/ledger-post.ts';
import { readCredit } from '#store/ledger-reads.ts';
import {
  createLedgerRig,
  FaultyDatabase,
  holdNow,
  holdOf,
  type LedgerRig,
  RIG_KEY,
  RIG_ORGANIZATION,
  serve,
  usd,
} from '#testing/ledger-rig.ts';

import { RECORD_SEPARATOR } from './journal.ts';
import type { PrepaidLedger } from './ledger.ts';
import { Poster } from './poster.ts';
import { postEvents } from './posting.ts';
import { WaitingOutcomes } from './waiting-outcomes.ts';

let rig: LedgerRig;

beforeEach(async () => {
  rig = await createLedgerRig();
  await rig.grant('4.00');
  const limit = usd('4.00');
  await setBudgetLimit(rig.database, { keyId: RIG_KEY, organizationId: RIG_ORGANIZATION, limit });
});

// Also looks whether the books balance.
afterEach(() => rig.drop());

const UNTIL_POSTED = 5000;
const silent = { write: () => undefined };

/** From now on Postgres refuses every record with this word in its detail. */
async function refuse(word: string, state: string): Promise<void> {
  const body = sql.raw(`'BEGIN RAISE EXCEPTION USING ERRCODE = ''${state}''; END'`);
  await rig.database.run(sql`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS ${body}`);
  const condition = sql.raw(`NEW.detail LIKE '%${word}%'`);
  await rig.database.run(sql`CREATE TRIGGER refusing BEFORE INSERT ON usage_records
    FOR EACH ROW WHEN (${condition}) EXECUTE FUNCTION refuse()`);
}

async function takeAgain(): Promise<void> {
  await rig.database.run(sql`DROP FUNCTION refuse CASCADE`);
}

/** Settles them in one turn, so that they wait together; the words stand in their details. */
async function settleAll(ledger: PrepaidLedger, words: readonly string[]): Promise<void> {
  const holds = await Promise.all(
    words.map(() => holdNow(ledger, holdOf('0.01', { keyLimited: true }))),
  );
  await Promise.all(
    holds.map((hold, at) =>
      ledger.settle(hold, { attempt: 0, cost: usd('0.01'), detail: `{"is":"${words[at]}"}` }),
    ),
  );
}

async function countOf(word: string): Promise<unknown> {
  const [row] = await rig.database.run(
    sql`SELECT count(*)::int AS n FROM usage_records WHERE detail LIKE ${`%${word}%`}`,
  );
  return row?.['n'];
}

/** What is left, and what is leased of the credit and of the key's limit together. */
async function creditNow(): Promise<{ readonly available: bigint; readonly leased: bigint }> {
  const { available } = await readCredit(rig.database, RIG_ORGANIZATION, 'live');
  const [row] = await rig.database.run(
    sql`SELECT coalesce(sum(amount), 0)::text AS leased FROM leases`,
  );
  return { available, leased: BigInt(String(row?.['leased'])) };
}

const journalFiles = (): string[] => readdirSync(join(rig.directory, 'journal'));

function logged(): { readonly log: Log; readonly errors: string[] } {
  const errors: string[] = [];
  const write: Log['write'] = (level, event) => {
    if (level === 'error') errors.push(event);
  };
  return { log: { write }, errors };
}

/** So many, of which these are something else than good. */
function words(count: number, others: Readonly<Record<number, string>>): readonly string[] {
  return Array.from({ length: count }, (_, at) => others[at] ?? 'good');
}

describe('promise 2: a fault of the moment', () => {
  it('that the database refuses every posting for takes nothing out of the queue', async () => {
    const { log, errors } = logged();
    const { ledger, database } = await rig.start({ log });
    await settleAll(ledger, words(40, {}));
    await rig.database.run(sql`ALTER TABLE usage_days RENAME TO usage_days_away`);
    const before = database.statements;
    expect(await ledger.flush()).toBe(false);
    // It is not looked for among the events.
    expect(database.statements - before).toBe(1);
    expect(errors).toEqual(['posting_failed']);
    await rig.database.run(sql`ALTER TABLE usage_days_away RENAME TO usage_days`);
    expect(await ledger.flush()).toBe(true);
    expect(await countOf('good')).toBe(40);
    await ledger.close();
    expect(await creditNow()).toEqual({ available: usd('3.60'), leased: 0n });
    expect(journalFiles()).toEqual([]);
  });

  it('leaves nothing leased, although the lease went back in between', async () => {
    const { ledger, database, schedule, clock } = await rig.start();
    const hold = await holdNow(ledger, holdOf('0.01', { keyLimited: true }));
    database.mode = 'loses answers';
    await ledger.settle(hold, { attempt: 0, cost: usd('0.01'), detail: '{"is":"good"}' });
    expect(await ledger.flush()).toBe(false);
    expect(await countOf('good')).toBe(1);
    database.mode = 'works';
    const other = await holdNow(ledger, holdOf('0.02', { keyLimited: true }));
    ledger.release(other);
    schedule.tick();
    clock.passedMs += 2000;
    schedule.tick();
    await ledger.close();
    expect(await creditNow()).toEqual({ available: usd('3.99'), leased: 0n });
  });

  it('lets no start believe that the journal is done with', async () => {
    const first = await rig.start();
    await serve(first.ledger, holdOf('0.10'));
    first.kill();
    const files = journalFiles();
    await rig.database.run(sql`ALTER TABLE usage_days RENAME TO usage_days_away`);
    const { ledger } = await rig.start({ recover: false });
    expect(await ledger.recover()).toMatchObject({ ok: false, error: { reason: 'unavailable' } });
    expect(journalFiles()).toEqual(files);
    await rig.database.run(sql`ALTER TABLE usage_days_away RENAME TO usage_days`);
    expect(await ledger.recover()).toMatchObject({ ok: true, value: { outcomes: 1 } });
    expect(journalFiles()).toEqual([]);
  });
});

describe.each([
  { fault: 'takes too long', state: '57014' },
  { fault: 'takes too much memory', state: '53200' },
  { fault: 'violates a constraint', state: '23514' },
])('promise 2: what $fault again and again', ({ state }) => {
  const mixed = words(100, { 0: 'bad', 37: 'bad', 38: 'bad', 99: 'bad' });

  it('keeps nobody back, and is posted once it can be', async () => {
    const { log, errors } = logged();
    const { ledger, schedule } = await rig.start({ log });
    await refuse('bad', state);
    await settleAll(ledger, mixed);
    await vi.waitFor(async () => {
      expect(await ledger.flush()).toBe(false);
      expect(await countOf('good')).toBe(96);
    }, UNTIL_POSTED);
    expect(new Set(errors)).toEqual(new Set(['posting_refused']));
    // Later ones go their way, and the next try changes nothing.
    schedule.tick();
    await settleAll(ledger, words(3, {}));
    await vi.waitFor(async () => {
      expect(await ledger.flush()).toBe(false);
      expect(await countOf('good')).toBe(99);
    }, UNTIL_POSTED);
    expect(await countOf('bad')).toBe(0);
    await takeAgain();
    schedule.tick();
    await vi.waitFor(async () => expect(await ledger.flush()).toBe(true), UNTIL_POSTED);
    expect(await countOf('bad')).toBe(4);
    await ledger.close();
    expect(await creditNow()).toEqual({ available: usd('2.97'), leased: 0n });
    expect(journalFiles()).toEqual([]);
  });

  it('is tried by the next flush, and by the close, with no tick in between', async () => {
    const { ledger } = await rig.start();
    await refuse('bad', state);
    await settleAll(ledger, ['bad']);
    for (let times = 0; times < 4; times += 1) expect(await ledger.flush()).toBe(false);
    await takeAgain();
    expect(await ledger.flush()).toBe(true);
    await refuse('bad', state);
    await settleAll(ledger, ['bad']);
    for (let times = 0; times < 4; times += 1) expect(await ledger.flush()).toBe(false);
    await takeAgain();
    await ledger.close();
    expect(await countOf('bad')).toBe(2);
    expect(journalFiles()).toEqual([]);
  });

  it('stays paid for until then: nobody else may spend it', async () => {
    const { ledger } = await rig.start();
    await refuse('bad', state);
    await settleAll(ledger, ['bad']);
    await vi.waitFor(async () => expect(await ledger.flush()).toBe(false), UNTIL_POSTED);
    await ledger.close();
    expect(await creditNow()).toEqual({ available: usd('3.99'), leased: usd('0.02') });
    await takeAgain();
    await rig.start();
    expect(await creditNow()).toEqual({ available: usd('3.99'), leased: 0n });
  });

  it('lets a process start, which goes on trying, and the one after it', async () => {
    const first = await rig.start();
    await settleAll(first.ledger, words(100, { 37: 'bad', 38: 'bad' }));
    first.kill();
    await refuse('bad', state);
    const second = await rig.start();
    expect(await countOf('good')).toBe(98);
    expect(await serve(second.ledger, holdOf('3.00'))).toBe('served');
    second.kill();
    const { ledger, schedule } = await rig.start();
    const hold = await holdNow(ledger, holdOf('0.02'));
    expect(await ledger.flush()).toBe(false);
    await takeAgain();
    schedule.tick();
    await vi.waitFor(async () => expect(await ledger.flush()).toBe(true), UNTIL_POSTED);
    expect(await countOf('bad')).toBe(2);
    await ledger.settle(hold, { attempt: 0, cost: usd('0.02'), detail: '{}' });
    // What yesterday's lease was to pay for was not taken from today's: it came too late.
    expect(await ledger.readReceipt(RIG_ORGANIZATION, hold.requestId)).toMatchObject({
      value: { cost: usd('0.02'), badDebt: 0n },
    });
    await ledger.close();
    expect(await creditNow()).toEqual({ available: 0n, leased: 0n });
    expect(journalFiles()).toEqual([]);
  });
});

function event(at: number, word: string): UsageEvent {
  return {
    requestId: `req_${at}`,
    attempt: 0,
    organizationId: RIG_ORGANIZATION,
    keyId: RIG_KEY,
    book: 'live',
    kind: 'outcome',
    cost: 1n,
    creditClaim: 0n,
    budgetClaim: 0n,
    platformCost: 0n,
    admittedAtMs: Date.now(),
    detail: `{"is":"${word}"}`,
  };
}

describe('a database that is too slow for anything', () => {
  it('is not asked for each event, and none of them is said to be at fault', async () => {
    await refuse('slow', '57014');
    const database = new FaultyDatabase(rig.database);
    const events = Array.from({ length: 2000 }, (_, at) => event(at, 'slow'));
    const options = { database, ownerId: 'owner_x', log: silent };
    await expect(postEvents(options, events)).rejects.toThrow(StatementTooHeavy);
    // 512, 64, 8, and three alone.
    expect(database.statements).toBe(6);
    await takeAgain();
    expect(await postEvents(options, events)).toEqual([]);
    expect(await countOf('slow')).toBe(2000);
    await postUsage(rig.database, 'owner_x', events);
    expect(await countOf('slow')).toBe(2000);
  });
});

/** While it is slow each statement with that word takes too long; all others are posted. */
class SlowDatabase implements Database {
  readonly posted: string[] = [];
  slow = true;
  tries = 0;

  run(...[, values]: Parameters<Database['run']>): Promise<readonly Row[]> {
    const { lines } = values ?? {};
    if (typeof lines !== 'string') return Promise.resolve([]);
    this.tries += 1;
    if (this.slow && lines.includes('slow')) return Promise.reject(new StatementTooHeavy('slow'));
    const all = lines.split(RECORD_SEPARATOR);
    this.posted.push(...all);
    return Promise.resolve([{ posted: all.length, bad_debt: '0' }]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

describe('outcomes over a database that is slow', () => {
  let database: SlowDatabase;
  let due: { readonly delayMs: number; readonly run: () => void }[];
  let told: unknown[];
  let poster: Poster;
  const done = () => Promise.resolve({ ok: true, value: undefined } as const);
  const batch = { written: done, kept: done };

  beforeEach(() => {
    database = new SlowDatabase();
    due = [];
    told = [];
    const after = (delayMs: number, run: () => void) => {
      const one = { delayMs, run };
      due.push(one);
      return () => {
        due = due.filter((other) => other !== one);
      };
    };
    const schedule = { after, every: () => () => undefined };
    const write: Log['write'] = (_level, name, fields) => {
      if (name === 'outcome_lost') told.push(fields?.['count']);
    };
    const options = { database, ownerId: 'owner_x', log: { write }, onPosted: () => undefined };
    poster = new Poster({ ...options, schedule });
  });

  function waiting(...kinds: readonly string[]): WaitingOutcomes {
    const claims = { credit: null, budget: null, creditClaim: 0n, budgetClaim: 0n };
    const lines = kinds.map((word, at) => toUsageLine(event(at, word)));
    const records = toBytes(lines.join(RECORD_SEPARATOR));
    return new WaitingOutcomes(
      kinds.map(() => claims),
      records,
    );
  }

  /** Fires the one timer there is, and returns when all that it led to has come about. */
  async function fire(): Promise<number | undefined> {
    const [next] = due.splice(0);
    next?.run();
    await new Promise(setImmediate);
    return next?.delayMs;
  }

  it('are set apart after several times only, each later than the one before', async () => {
    poster.enqueue({ outcomes: waiting('slow'), batch });
    expect([await fire(), await fire(), await fire(), await fire()]).toEqual([
      1000,
      100,
      200,
      undefined,
    ]);
    expect(poster.backlog).toBe(1);
    database.slow = false;
    expect(await poster.flush()).toBe(true);
    expect(poster.backlog).toBe(0);
  });

  it('let their neighbours go first, and then go alone', async () => {
    poster.enqueue({ outcomes: waiting('slow', 'good', 'good'), batch });
    await fire();
    // All together, and the slow one alone.
    expect(database.tries).toBe(2);
    await fire();
    await fire();
    expect(database.posted).toHaveLength(2);
    expect(database.tries).toBe(4);
    poster.enqueue({ outcomes: waiting('good'), batch });
    await fire();
    expect(database.posted).toHaveLength(2);
    await fire();
    expect(database.posted).toHaveLength(3);
    expect(database.tries).toBe(6);
  });

  it('are lost without a journal, but not those that were posted before', async () => {
    const good = ['good', 'good', 'good', 'good'];
    expect(await poster.rescue(waiting(...good, 'slow', 'slow', 'slow', 'good'))).toBe(false);
    expect(database.posted).toHaveLength(4);
    expect(told).toEqual([4]);
  });
});
