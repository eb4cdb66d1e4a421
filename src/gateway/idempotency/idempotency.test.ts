/**
 * The life of idempotency records against a model of it: two processes over one database that
 * claim, end, die, fail to reach it and let time pass, in any order.
 */
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toBytes } from '#base/bytes.ts';
import { systemClock } from '#base/clock.ts';
import { Deadlines } from '#base/deadlines.ts';
import { newId } from '#base/ids.ts';
import { silentLog } from '#base/log.ts';
import { GatewayError } from '#wire/errors.ts';
import { FaultyDatabase } from '#testing/ledger-rig.ts';
import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts';
import { Idempotency, type AskedOnce, type Claim } from './idempotency.ts';
import type { KeptAnswer } from './kept-answer.ts';

const HOUR_MS = 3_600_000;
const NOW_MS = Date.UTC(2026, 10, 21);
const OWNERS = ['owner_a', 'owner_b'] as const;
type OwnerName = (typeof OWNERS)[number];
const ENDS = ['keep', 'release', 'left', 'too_large', 'interrupted'] as const;
const FAULTS = ['works', 'gone', 'loses answers'] as const;

type Step =
  | {
      readonly do: 'begin';
      readonly owner: OwnerName;
      readonly key: string;
      readonly body: string;
      readonly fault: (typeof FAULTS)[number];
    }
  | {
      readonly do: 'end';
      readonly owner: OwnerName;
      readonly key: string;
      readonly how: (typeof ENDS)[number];
    }
  | { readonly do: 'restart'; readonly owner: OwnerName }
  | { readonly do: 'sweep'; readonly owner: OwnerName }
  | { readonly do: 'pass'; readonly ms: number };

const owner = fc.constantFrom(...OWNERS);
const key = fc.constantFrom('k', 'l');
const begin = fc.record({
  do: fc.constant('begin' as const),
  owner,
  key,
  body: fc.constantFrom('x', 'x', 'y'),
  fault: fc.constantFrom('works' as const, 'works' as const, ...FAULTS),
});
const end = fc.record({
  do: fc.constant('end' as const),
  owner,
  key,
  how: fc.constantFrom('keep' as const, ...ENDS),
});
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: begin },
  { weight: 5, arbitrary: end },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), owner }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sweep' as const), owner }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(60_000, HOUR_MS, 24 * HOUR_MS),
    }),
  },
);

let test: TestDatabase;
let database: FaultyDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
  database = new FaultyDatabase(test.database);
});
afterAll(() => test.drop());

/** What the model knows of a record. `ghost`: its claim was lost on the way, and never runs. */
interface Known {
  readonly request: string;
  readonly owner: OwnerName;
  readonly body: string;
  readonly atMs: number;
  state: 'claimed' | 'ghost' | 'kept' | 'lost';
}

interface Open {
  readonly claim: Claim;
  readonly request: string;
  readonly body: string;
}

const answerOf = (request: string): KeptAnswer => ({
  status: 200,
  headers: [['x-of', request]],
  streamed: false,
  body: toBytes(`answer\nof ${request}`),
});

/** One run: real processes, and beside them what is to be expected of each step. */
class World {
  readonly came: string[] = [];
  readonly expected: string[] = [];
  readonly #run = newId('key_');
  #nowMs = NOW_MS;
  readonly #records = new Map<string, Known>();
  readonly #open: Record<OwnerName, Map<string, Open>> = { owner_a: new Map(), owner_b: new Map() };
  readonly #processes: Record<OwnerName, Idempotency>;

  constructor() {
    this.#processes = { owner_a: this.#start('owner_a'), owner_b: this.#start('owner_b') };
  }

  #start(name: OwnerName): Idempotency {
    return new Idempotency({
      database,
      secret: 'a secret',
      ownerId: `${name} ${this.#run}`,
      clock: { nowMs: () => this.#nowMs },
      deadlines: new Deadlines(systemClock),
      log: silentLog,
    });
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'begin') await this.#begin(step);
    else if (step.do === 'end') await this.#end(step);
    else if (step.do === 'restart') await this.#restart(step.owner);
    else if (step.do === 'sweep') await this.#sweep(step.owner);
    else this.#nowMs += step.ms;
  }

  /** Null: none, or it has expired. */
  #recordOf(name: string): Known | null {
    const known = this.#records.get(name);
    return known === undefined || known.atMs + 24 * HOUR_MS <= this.#nowMs ? null : known;
  }

  #expect(asked: Extract<Step, { do: 'begin' }>): string {
    const running = this.#open[asked.owner].get(asked.key);
    if (running !== undefined) return 'idempotency_key_reused';
    if (asked.fault !== 'works') return 'service_unavailable';
    const known = this.#recordOf(asked.key);
    const mine = known?.owner === asked.owner;
    if (known === null || (known.state === 'ghost' && mine)) return 'first';
    if (known.body !== asked.body) return 'idempotency_key_reused';
    if (known.state === 'kept') return `replay of ${known.request}`;
    const isYoung = this.#nowMs - known.atMs < HOUR_MS;
    return known.state !== 'lost' && !mine && isYoung
      ? 'idempotency_in_progress'
      : 'idempotency_outcome_unknown';
  }

  async #begin(asked: Extract<Step, { do: 'begin' }>): Promise<void> {
    const { owner: name, key: clientKey, body, fault } = asked;
    const open = this.#open[name];
    // It would wait for its twin: that is for the tests over sockets.
    if (open.get(clientKey)?.body === body) return;
    const expected = this.#expect(asked);
    const before = this.#recordOf(clientKey);
    const request = newId('req_');
    database.mode = fault;
    const { came, claim } = await turnOf(this.#processes[name], {
      requestId: request,
      keyId: this.#run,
      clientKey,
      method: 'POST',
      path: '/v1/chat/completions',
      body: toBytes(body),
      receipted: true,
      client: null,
    });
    database.mode = 'works';
    this.expected.push(expected);
    this.came.push(came);
    const record = { request, owner: name, body, atMs: this.#nowMs };
    if (claim !== null) {
      open.set(clientKey, { claim, request, body });
      this.#records.set(clientKey, { ...record, state: 'claimed' });
    } else if (fault === 'loses answers' && expected === 'service_unavailable') {
      const free = before === null || (before.state === 'ghost' && before.owner === name);
      if (free) this.#records.set(clientKey, { ...record, state: 'ghost' });
    }
  }

  async #end({ owner: name, key: clientKey, how }: Extract<Step, { do: 'end' }>): Promise<void> {
    const open = this.#open[name].get(clientKey);
    if (open === undefined) return;
    this.#open[name].delete(clientKey);
    if (how === 'keep') await open.claim.keep(answerOf(open.request));
    else if (how === 'release') await open.claim.release();
    else await open.claim.lose(how);
    const known = this.#records.get(clientKey);
    // Another request may have claimed it since: then this end changes nothing.
    if (known?.request !== open.request) return;
    if (how === 'release') this.#records.delete(clientKey);
    else known.state = how === 'keep' ? 'kept' : 'lost';
  }

  async #restart(name: OwnerName): Promise<void> {
    this.#open[name].clear();
    this.#processes[name] = this.#start(name);
    await this.#processes[name].recover();
    for (const known of this.#records.values()) {
      const wasOpen = known.state === 'claimed' || known.state === 'ghost';
      if (known.owner === name && wasOpen) known.state = 'lost';
    }
  }

  async #sweep(name: OwnerName): Promise<void> {
    await this.#processes[name].sweep();
    for (const [clientKey, known] of this.#records) {
      const isGhost = known.owner === name && known.state === 'ghost';
      if (isGhost || this.#recordOf(clientKey) === null) this.#records.delete(clientKey);
    }
  }
}

async function turnOf(
  idempotency: Idempotency,
  asked: AskedOnce,
): Promise<{ readonly came: string; readonly claim: Claim | null }> {
  try {
    const turn = await idempotency.begin(asked);
    if (turn.kind === 'first') return { came: 'first', claim: turn.claim };
    if (turn.kind === 'gone') return { came: 'gone', claim: null };
    const request = turn.answer.headers[0]?.[1] ?? '';
    expect(turn.answer).toEqual(answerOf(request));
    return { came: `replay of ${request}`, claim: null };
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    return { came: thrown.code, claim: null };
  }
}

const HOUSE = {
  requestId: 'req_1',
  keyId: 'key_waits',
  method: 'POST',
  path: '/v1/chat/completions',
  body: toBytes('x'),
  receipted: true,
  client: null,
} as const;

function startHouse(monotonicMs: () => number): Idempotency {
  const clock = { nowMs: () => NOW_MS, monotonicMs };
  const deadlines = new Deadlines(clock);
  const ownerId = newId('owner_');
  return new Idempotency({ database, secret: 's', ownerId, clock, deadlines, log: silentLog });
}

describe('a twin', () => {
  it('waits for a minute at the most, and is told to come again', async () => {
    let elapsedMs = 0;
    // Whenever it looks at the time, ten seconds have passed.
    const house = startHouse(() => (elapsedMs += 10_000));
    const first = await turnOf(house, { ...HOUSE, clientKey: 'late' });
    const second = await turnOf(house, { ...HOUSE, clientKey: 'late' });
    expect(second.came).toBe('idempotency_in_progress');
    await first.claim?.release();
    expect((await turnOf(house, { ...HOUSE, clientKey: 'late' })).came).toBe('first');
  });
});

describe('who was refused', () => {
  it('may put it right under the same key before the claim is gone', async () => {
    const house = startHouse(systemClock.monotonicMs);
    const wrong = { ...HOUSE, clientKey: 'mended' };
    const right = { ...wrong, body: toBytes('y') };
    const first = await turnOf(house, wrong);
    expect((await turnOf(house, right)).came).toBe('idempotency_key_reused');
    const released = first.claim?.release();
    const second = await turnOf(house, right);
    expect(second.came).toBe('first');
    await released;
    await second.claim?.keep(answerOf('req_1'));
    expect((await turnOf(house, wrong)).came).toBe('idempotency_key_reused');
    expect((await turnOf(house, right)).came).toBe('replay of req_1');
  });

  it('and who asks for something else while an answer is being kept gets none of it', async () => {
    const house = startHouse(systemClock.monotonicMs);
    const asked = { ...HOUSE, clientKey: 'kept' };
    const first = await turnOf(house, asked);
    const kept = first.claim?.keep(answerOf('req_1'));
    const other = await turnOf(house, { ...asked, body: toBytes('y') });
    expect(other.came).toBe('idempotency_key_reused');
    await kept;
  });
});

describe('records that have expired', () => {
  it('are removed, in batches, and no other', async () => {
    const house = startHouse(systemClock.monotonicMs);
    await database.run(sql`delete from idempotency_records`);
    await database.run(sql`
      insert into idempotency_records
        (id, request_id, owner, fingerprint, state, claimed_at, expires_at)
      select sha256(n::text::bytea), 'req_' || n, 'owner', sha256('x'), 'left', now(),
        ${new Date(NOW_MS)}::timestamptz + (n - 1200) * interval '1 s'
      from generate_series(1, 1250) n`);
    await house.sweep();
    const left = await database.run(sql`select request_id from idempotency_records`);
    expect(left).toHaveLength(50);
    database.mode = 'gone';
    await house.sweep();
    database.mode = 'works';
  });
});

describe('idempotency records (promise 5)', () => {
  it('run once, whatever ends, dies, fails or expires in between', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 40, size: 'max' }), async (steps) => {
        const world = new World();
        for (const each of steps) await world.take(each);
        expect(world.came).toEqual(world.expected);
      }),
      { numRuns: 100 },
    );
  });
});
