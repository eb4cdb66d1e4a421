/**
 * The ledger of a Durable Object against random histories: the object dies at any moment, messages
 * are lost and come twice, Postgres goes away and loses answers. In the end every cost is in the
 * books once, nothing is held or leased, and the object sleeps.
 */
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { newId } from '#base/ids.ts';
import { silentLog } from '#base/log.ts';
import { nanoUsd } from '#base/money.ts';
import type { Database, Row } from '#store/database.ts';
import { DurableJournal, type ObjectSql } from '#store/durable-journal.ts';
import { grantCredit, setBudgetLimit } from '#store/ledger-grants.ts';
import { verifyLedger } from '#store/ledger-verify.ts';
import {
  createLedgerRig,
  FaultyDatabase,
  HandClock,
  holdOf,
  RIG_ORGANIZATION,
} from '#testing/ledger-rig.ts';
import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts';

import { DurableLedger } from './durable-ledger.ts';
import { type OutcomeBatch, postBatch } from './durable-outcomes.ts';
import type { Book, Hold, HoldRequest } from './ledger.ts';

const CREDIT = 1_000_000n;
const HOUR_MS = 3_600_000;
const SLEEPS_WITHIN = 20;

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());

/** A real SQLite as the runtime's: what a statement returns is there when it returns. */
function openSql(): ObjectSql {
  const sqlite = new DatabaseSync(':memory:');
  return {
    exec: (statement, ...bindings): Iterable<Row> => sqlite.prepare(statement).all(...bindings),
  };
}

/** Its first statement is done at once, and answered when the test says so. */
class SlowDatabase implements Database {
  readonly first = Promise.withResolvers<void>();
  readonly second = Promise.withResolvers<void>();
  readonly #answered = Promise.withResolvers<void>();
  readonly #real: Database;
  #count = 0;

  constructor(real: Database) {
    this.#real = real;
  }

  async run(...statement: Parameters<Database['run']>): Promise<readonly Row[]> {
    this.#count += 1;
    const count = this.#count;
    const rows = await this.#real.run(...statement);
    if (count === 2) this.second.resolve();
    if (count > 1) return rows;
    this.first.resolve();
    await this.#answered.promise;
    return rows;
  }

  answerFirst(): void {
    this.#answered.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** One object over its whole life, its deaths included. */
class World {
  readonly organizationId: string;
  readonly database: FaultyDatabase;
  readonly clock = new HandClock();
  readonly queue: OutcomeBatch[] = [];
  readonly #sql = openSql();
  wakeAtMs = Number.POSITIVE_INFINITY;
  /** The queue takes nothing. */
  deaf = false;
  ledger: DurableLedger;

  constructor(organizationId = newId('org_'), database = test.database) {
    this.organizationId = organizationId;
    this.database = new FaultyDatabase(database);
    this.ledger = this.#live();
  }

  /** Born again over the same storage. */
  die(): void {
    this.ledger = this.#live();
  }

  #live(): DurableLedger {
    const journal = new DurableJournal(this.#sql);
    return new DurableLedger({
      ownerId: journal.ownerId(() => newId('owner_')),
      journal,
      database: this.database,
      send: async (batch) => {
        if (this.deaf) throw new Error('the queue is away');
        this.queue.push(batch);
        return Promise.resolve();
      },
      wakeAt: (ms) => {
        this.wakeAtMs = ms;
      },
      clock: this.clock,
      log: silentLog,
    });
  }

  /** What the object would remember if it died now. */
  get remembered(): readonly object[] {
    const journal = new DurableJournal(this.#sql);
    return [...journal.holds(), ...journal.outcomes()];
  }

  pass(ms: number): void {
    this.clock.wallMs += ms;
    this.clock.passedMs += ms;
  }

  async wake(): Promise<void> {
    this.wakeAtMs = Number.POSITIVE_INFINITY;
    await this.ledger.tick();
  }

  /** The queue's consumer; `lose`: the object does not hear of it. */
  async deliver({ keep, lose }: { readonly keep: boolean; readonly lose: boolean }): Promise<void> {
    const [batch] = keep ? this.queue : this.queue.splice(0, 1);
    if (batch === undefined) return;
    const options = { database: this.database, ownerId: batch.ownerId, log: silentLog };
    const news = await postBatch(options, batch.events).catch(() => null);
    if (news === null) this.queue.push(batch);
    else if (!lose) this.ledger.learn(news);
  }

  async grant(amount: bigint, book: Book = 'live'): Promise<void> {
    const { organizationId } = this;
    const id = newId('grant_');
    const from = { fundedBy: 'promo', source: 'test', sourceId: id } as const;
    const what = { organizationId, book, amount, reason: 'test' };
    await grantCredit(test.database, { id, ...what, ...from });
  }

  async hold(amount: bigint, more: Partial<HoldRequest> = {}): Promise<Hold | null> {
    const { organizationId } = this;
    const requestId = newId('req_');
    const of = { keyId: `key_${organizationId}`, keyLimited: false, book: 'live' } as const;
    const request = { requestId, organizationId, ...of, amount: nanoUsd(amount), ...more };
    const held = await this.ledger.hold(request);
    return held.ok ? held.value : null;
  }

  /** Until it asks for no alarm any more. */
  async untilAsleep(): Promise<void> {
    for (let look = 0; look < SLEEPS_WITHIN; look += 1) {
      this.pass(HOUR_MS);
      while (this.queue.length > 0) await this.deliver({ keep: false, lose: false });
      await this.wake();
      while (this.queue.length > 0) await this.deliver({ keep: false, lose: false });
      if (this.wakeAtMs === Number.POSITIVE_INFINITY) return;
    }
    throw new Error('it never sleeps');
  }

  async charged(): Promise<bigint> {
    const [row] = await test.database.run(sql`SELECT coalesce(sum(cost_nano), 0)::text AS cost
      FROM usage_records WHERE organization_id = ${this.organizationId}`);
    return BigInt(String(row?.['cost']));
  }

  async leased(): Promise<string> {
    const [row] = await test.database.run(sql`SELECT coalesce(sum(amount), 0)::text AS amount
      FROM leases WHERE organization_id = ${this.organizationId}`);
    return String(row?.['amount']);
  }
}

const amount = fc.bigInt(1n, 300_000n);
const which = fc.nat(30);
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('hold' as const),
      amount,
      book: fc.constantFrom('live' as const, 'test'),
      keyLimited: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('open' as const), which }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('settle' as const), which, amount }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('die' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wake' as const), ms: fc.nat(400_000) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('deliver' as const),
      keep: fc.boolean(),
      lose: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('post' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('database' as const),
      mode: fc.constantFrom('works' as const, 'gone' as const, 'loses answers' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('queue' as const), deaf: fc.boolean() }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Requests of a history: what each was settled with, if it was. */
interface Asked {
  readonly hold: Hold;
  cost: bigint | null;
  released: boolean;
}

async function onRequest(world: World, asked: Asked, what: Step): Promise<void> {
  const { hold } = asked;
  if (asked.released) return;
  if (what.do === 'open' && asked.cost === null) await world.ledger.open(hold, 0, nanoUsd(5n));
  if (what.do === 'release' && asked.cost === null) {
    world.ledger.release(hold.requestId);
    asked.released = true;
  }
  if (what.do !== 'settle') return;
  // Told again it is told the same.
  asked.cost ??= what.amount < hold.amount ? what.amount : hold.amount;
  const detail = '{"a":1}';
  world.ledger.settle(hold, { attempt: 0, cost: nanoUsd(asked.cost), detail });
}

async function act(world: World, asked: Asked[], what: Step): Promise<void> {
  switch (what.do) {
    case 'hold': {
      const { book, keyLimited } = what;
      const keyId = `key_${world.organizationId}_${keyLimited ? 'limited' : 'free'}`;
      const hold = await world.hold(what.amount, { book, keyLimited, keyId });
      if (hold !== null) asked.push({ hold, cost: null, released: false });
      return;
    }
    case 'die':
      return world.die();
    case 'wake':
      world.pass(what.ms);
      return world.wake();
    case 'deliver':
      return world.deliver(what);
    case 'post':
      await world.ledger.creditSummary(world.organizationId, 'live');
      return;
    case 'database':
      world.database.mode = what.mode;
      return;
    case 'queue':
      world.deaf = what.deaf;
      return;
    default: {
      const chosen = asked[what.which % Math.max(1, asked.length)];
      if (chosen !== undefined) await onRequest(world, chosen, what);
    }
  }
}

describe('promises 2 and 4, with an object that dies', () => {
  it('every cost is charged once, nothing is left behind, the books balance', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const world = new World();
        await world.grant(CREDIT);
        await world.grant(CREDIT, 'test');
        const { organizationId } = world;
        const keyId = `key_${organizationId}_limited`;
        await setBudgetLimit(test.database, { keyId, organizationId, limit: CREDIT });
        const asked: Asked[] = [];
        for (const what of steps) await act(world, asked, what);
        world.database.mode = 'works';
        world.deaf = false;
        await world.untilAsleep();
        const costs = asked.reduce((sum, { cost }) => sum + (cost ?? 0n), 0n);
        expect(await world.charged()).toBe(costs);
        expect(await world.leased()).toBe('0');
        expect(world.remembered).toEqual([]);
        expect(await verifyLedger(test.database)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('promise 1: what is held by the living and the dead never exceeds the credit', async () => {
    const world = new World();
    await world.grant(CREDIT);
    const holds: Hold[] = [];
    for (let turn = 0; turn < 12; turn += 1) {
      const hold = await world.hold(150_000n);
      if (hold === null) continue;
      await world.ledger.open(hold, 0, nanoUsd(5n));
      holds.push(hold);
      world.die();
      await world.wake();
    }
    expect(holds).toHaveLength(6);
  });

  it('promise 1: a process and an object on one account never hold more than it has', async () => {
    const rig = await createLedgerRig();
    await rig.grant('0.001');
    const { ledger } = await rig.start();
    const world = new World(RIG_ORGANIZATION, rig.database);
    const answers = await Promise.all(
      Array.from({ length: 12 }, async (_, turn) => {
        if (turn % 2 === 0) return (await world.hold(150_000n)) !== null;
        return (await ledger.hold(holdOf('0.00015'))).ok;
      }),
    );
    expect(answers.filter(Boolean)).toHaveLength(6);
    await rig.drop();
  });

  it('a hold that was lost before anything was dispatched is taken again', async () => {
    const world = new World();
    await world.grant(CREDIT);
    const hold = await world.hold(900_000n);
    if (hold === null) throw new Error('refused');
    world.die();
    expect(await world.ledger.open(hold, 0, nanoUsd(5n))).toEqual({ ok: true, value: undefined });
    expect(await world.hold(200_000n)).toBeNull();
  });

  it('... and not where its credit was spent meanwhile', async () => {
    const world = new World();
    await world.grant(CREDIT);
    const hold = await world.hold(900_000n);
    if (hold === null) throw new Error('refused');
    world.die();
    expect(await world.hold(900_000n)).not.toBeNull();
    expect(await world.ledger.open(hold, 0, nanoUsd(5n))).toMatchObject({ ok: false });
  });

  it('credit that was leased by a statement whose answer was lost goes back', async () => {
    const world = new World();
    await world.grant(CREDIT);
    await world.hold(1_000n);
    await world.untilAsleep();
    world.database.mode = 'loses answers';
    expect(await world.hold(1_000n)).toBeNull();
    world.database.mode = 'works';
    expect(await world.leased()).toBe('1000');
    await world.untilAsleep();
    expect(await world.leased()).toBe('0');
  });

  it('... and what a request gives back that the object knew in a former life', async () => {
    const world = new World();
    await world.grant(CREDIT);
    const hold = await world.hold(1_000n);
    if (hold === null) throw new Error('refused');
    await world.ledger.open(hold, 0, nanoUsd(5n));
    world.die();
    await world.wake();
    world.ledger.release(hold.requestId);
    await world.untilAsleep();
    expect(await world.leased()).toBe('0');
  });

  it('... and not what is leased by a statement whose answer is still on its way', async () => {
    const slow = new SlowDatabase(test.database);
    const world = new World(newId('org_'), slow);
    await world.grant(CREDIT);
    const holding = world.hold(1_000n);
    await slow.first.promise;
    const waking = world.wake();
    await slow.second.promise;
    // Whatever the look at the leases leads to at once is under way after this turn.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    slow.answerFirst();
    await waking;
    expect(await holding).not.toBeNull();
    expect(await world.leased()).toBe('1000');
  });

  it('a key has one limit in both books, in its next life too', async () => {
    const world = new World();
    const { organizationId } = world;
    const keyId = `key_${organizationId}`;
    await world.grant(CREDIT);
    await world.grant(CREDIT, 'test');
    await setBudgetLimit(test.database, { keyId, organizationId, limit: 1_000n });
    const of = { keyLimited: true } as const;
    const live = await world.hold(600n, of);
    const sandbox = await world.hold(400n, { ...of, book: 'test' });
    if (live === null || sandbox === null) throw new Error('refused');
    for (const hold of [live, sandbox]) await world.ledger.open(hold, 0, nanoUsd(5n));
    expect(await world.hold(1n, of)).toBeNull();
    world.die();
    await world.wake();
    expect(await world.hold(1n, { ...of, book: 'test' })).toBeNull();
    world.ledger.settle(live, { attempt: 0, cost: nanoUsd(600n), detail: '{}' });
    world.ledger.release(sandbox.requestId);
    expect(await world.hold(401n, of)).toBeNull();
    expect(await world.hold(400n, of)).not.toBeNull();
    await world.untilAsleep();
    expect(await world.leased()).toBe('0');
    expect(await verifyLedger(test.database)).toEqual([]);
  });

  it('asking twice for the same request holds once', async () => {
    const world = new World();
    await world.grant(CREDIT);
    const { organizationId } = world;
    const of = {
      keyId: 'key_a',
      keyLimited: false,
      book: 'live',
      requestId: newId('req_'),
    } as const;
    const request = { organizationId, ...of, amount: nanoUsd(300_000n) };
    const [first, second] = await Promise.all([
      world.ledger.hold(request),
      world.ledger.hold(request),
    ]);
    expect(first).toEqual(second);
    const summary = await world.ledger.creditSummary(organizationId, 'live');
    expect(summary).toMatchObject({ ok: true, value: { held: 300_000n, available: 700_000n } });
  });

  it('a request that shows that it lives is not given up', async () => {
    const world = new World();
    await world.grant(CREDIT);
    const hold = await world.hold(1_000n);
    if (hold === null) throw new Error('refused');
    await world.ledger.open(hold, 0, nanoUsd(5n));
    for (let minute = 0; minute < 10; minute += 1) {
      world.pass(60_000);
      world.ledger.alive(hold.requestId);
      await world.wake();
    }
    const summary = await world.ledger.creditSummary(world.organizationId, 'live');
    expect(summary).toMatchObject({ ok: true, value: { held: 1_000n } });
  });

  it('an outcome that fits into no message is posted all the same', async () => {
    const world = new World();
    await world.grant(CREDIT);
    const hold = await world.hold(1_000n);
    if (hold === null) throw new Error('refused');
    const detail = JSON.stringify({ a: 'x'.repeat(200_000) });
    world.ledger.settle(hold, { attempt: 0, cost: nanoUsd(700n), detail });
    await world.untilAsleep();
    expect(await world.charged()).toBe(700n);
  });
});
