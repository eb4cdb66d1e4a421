/**
 * The pool against connections that are none: whatever happens in whatever order, no request is
 * left waiting for nothing, none is served twice, and no more connections are open than may be.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TransportFailure } from '../transport.ts';
import { ClientExchange } from './exchange.ts';
import { ConnectionPool, PoolPlace, type ConnectionOwner, type PooledConnection } from './pool.ts';
import type { ResponseHead } from './response-head.ts';

const REFUSED: TransportFailure = { kind: 'connect_refused', message: 'nobody is there' };
const HEAD: ResponseHead = {
  status: 200,
  headers: {},
  framing: 'none',
  length: 0,
  persistent: true,
  idleMsMax: Number.POSITIVE_INFINITY,
};
const REST_MS = 1_000;

class FakeConnection implements PooledConnection {
  readonly place = new PoolPlace();
  readonly restMsMax = REST_MS;
  readonly #owner: ConnectionOwner;
  made = false;
  closed = false;
  exchange: ClientExchange | null = null;

  constructor(owner: ConnectionOwner) {
    this.#owner = owner;
  }

  /** It stands; or the response is over. */
  free(): void {
    const { made, exchange } = this;
    this.made = true;
    this.exchange = null;
    exchange?.carriedBy(null);
    if (made) this.#owner.onFree(this);
    else this.#owner.onMade(this);
    exchange?.hear(HEAD, null, true);
  }

  run(exchange: ClientExchange): void {
    if (this.exchange !== null || this.closed || !this.made) throw new Error('it cannot run that');
    this.exchange = exchange;
    exchange.carriedBy(this);
  }

  pause(): void {}

  resume(): void {}

  abandon(): void {
    this.exchange = null;
    this.close(REFUSED);
  }

  close(failure: TransportFailure): void {
    if (this.closed) return;
    this.closed = true;
    const { exchange } = this;
    this.exchange = null;
    this.#owner.onClosed(this, failure);
    exchange?.fail(failure);
  }
}

class Sent {
  outcome: 'open' | 'end' | 'fail' | 'aborted' = 'open';
  failure: TransportFailure | null = null;
  readonly exchange: ClientExchange;

  constructor() {
    this.exchange = new ClientExchange({ head: '', body: null }, this);
  }

  onHead(): void {}

  onData(): void {}

  onEnd(): void {
    this.#over('end');
  }

  onFail(failure: TransportFailure): void {
    this.failure = failure;
    this.#over('fail');
  }

  abort(): void {
    if (this.outcome === 'open') this.outcome = 'aborted';
    this.exchange.abort();
  }

  #over(outcome: 'end' | 'fail'): void {
    if (this.outcome !== 'open') throw new Error(`told of ${outcome} after ${this.outcome}`);
    this.outcome = outcome;
  }
}

class Rig {
  readonly #all: FakeConnection[] = [];
  readonly sent: Sent[] = [];
  nowMs = 0;
  #unread: (() => void)[] = [];
  readonly pool: ConnectionPool;

  constructor(connectionsMax: number) {
    const connect = (owner: ConnectionOwner): FakeConnection => {
      const connection = new FakeConnection(owner);
      this.#all.push(connection);
      return connection;
    };
    this.pool = new ConnectionPool({
      connectionsMax,
      connect,
      nowMs: () => this.nowMs,
      whenRead: (work) => void this.#unread.push(work),
    });
  }

  /** All that has come was read. */
  read(): void {
    const unread = this.#unread;
    this.#unread = [];
    for (const work of unread) work();
  }

  /** The responses on these connections are over, and nothing came after them. */
  answer(...connections: readonly (FakeConnection | undefined)[]): void {
    for (const connection of connections) connection?.free();
    this.read();
  }

  get open(): FakeConnection[] {
    return this.#all.filter(({ closed }) => !closed);
  }

  get begun(): FakeConnection[] {
    return this.open.filter(({ made }) => !made);
  }

  get running(): FakeConnection[] {
    return this.open.filter(({ exchange }) => exchange !== null);
  }

  get waiting(): number {
    const running = new Set(this.running.map(({ exchange }) => exchange));
    return this.sent.filter((each) => each.outcome === 'open' && !running.has(each.exchange))
      .length;
  }

  send(): Sent {
    const sent = new Sent();
    this.sent.push(sent);
    this.pool.send(sent.exchange);
    return sent;
  }

  /** What is wrong: nothing, at best. */
  faults(connectionsMax: number): string[] {
    const { open, begun, running, waiting } = this;
    const { counts } = this.pool;
    const resting = open.length - begun.length - running.length - counts.unread;
    const missing = waiting > begun.length + counts.unread;
    return [
      open.length > connectionsMax ? 'more are open than may be' : '',
      counts.open !== open.length || counts.resting !== resting || counts.waiting !== waiting
        ? 'it counts what is not there'
        : '',
      waiting > 0 && resting > 0 ? 'a request waits beside a connection that rests' : '',
      missing && open.length < connectionsMax ? 'a request waits for a connection of nobody' : '',
    ].filter((fault) => fault !== '');
  }
}

describe('works', () => {
  it('uses the connection again that rested last', () => {
    const rig = new Rig(4);
    rig.send();
    rig.send();
    const [first, second] = rig.open;
    first?.free();
    second?.free();
    rig.answer(second, first);
    expect(rig.pool.counts).toEqual({ open: 2, resting: 2, unread: 0, waiting: 0 });
    const third = rig.send();
    expect(first?.exchange).toBe(third.exchange);
  });

  it('serves those that wait in the order in which they came', () => {
    const rig = new Rig(1);
    const all = [rig.send(), rig.send(), rig.send()];
    const [only] = rig.open;
    for (const each of all) {
      rig.answer(only);
      expect(only?.exchange).toBe(each.exchange);
    }
  });

  it('closes what has rested too long, at the sweep or when it is taken', () => {
    const rig = new Rig(2);
    rig.send();
    rig.open[0]?.free();
    rig.answer(rig.open[0]);
    rig.nowMs = REST_MS - 1;
    rig.pool.sweep();
    expect(rig.pool.counts.resting).toBe(1);
    rig.nowMs = REST_MS;
    const late = rig.send();
    expect(rig.open.map(({ made }) => made)).toEqual([false]);
    rig.open[0]?.free();
    expect(rig.open[0]?.exchange).toBe(late.exchange);
    rig.answer(rig.open[0]);
    rig.nowMs = 2 * REST_MS;
    rig.pool.sweep();
    expect(rig.pool.counts.open).toBe(0);
  });

  it('makes the connection all the same whose request was given up', () => {
    const rig = new Rig(1);
    rig.send().abort();
    const next = rig.send();
    rig.open[0]?.free();
    expect(rig.open[0]?.exchange).toBe(next.exchange);
  });
});

describe('looks before it writes', () => {
  it('at a connection whose response has just ended, also where somebody waits for it', () => {
    const rig = new Rig(1);
    const [, second] = [rig.send(), rig.send()];
    const [only] = rig.open;
    only?.free();
    only?.free();
    expect(only?.exchange).toBeNull();
    rig.read();
    expect(only?.exchange).toBe(second?.exchange);
  });

  it('at one that has rested for a while, and takes another where it was at its end', () => {
    const rig = new Rig(1);
    rig.send();
    rig.open[0]?.free();
    rig.answer(rig.open[0]);
    rig.nowMs = 200;
    const late = rig.send();
    const [stale] = rig.open;
    expect(stale?.exchange).toBeNull();
    // What had come was its end.
    stale?.close(REFUSED);
    rig.read();
    expect(late.outcome).toBe('open');
    rig.open[0]?.free();
    expect(rig.open[0]?.exchange).toBe(late.exchange);
  });

  it('and begins none beside one that will do', () => {
    const rig = new Rig(4);
    rig.send();
    rig.open[0]?.free();
    rig.open[0]?.free();
    rig.send();
    expect(rig.open).toHaveLength(1);
    rig.send();
    expect(rig.open).toHaveLength(2);
  });
});

describe('fails', () => {
  it('the request that a connection was begun for, and only that', () => {
    const rig = new Rig(2);
    const [first, second, third] = [rig.send(), rig.send(), rig.send()];
    rig.begun[0]?.close(REFUSED);
    expect([first?.outcome, second?.outcome, third?.outcome]).toEqual(['fail', 'open', 'open']);
    // The third has one of its own from now on.
    expect(rig.begun).toHaveLength(2);
  });

  it('nobody for a connection whose request another one serves', () => {
    const rig = new Rig(2);
    const [first, second] = [rig.send(), rig.send()];
    const [slow, quick] = rig.begun;
    quick?.free();
    expect(quick?.exchange).toBe(first?.exchange);
    rig.answer(quick);
    expect(quick?.exchange).toBe(second?.exchange);
    slow?.close(REFUSED);
    expect([first?.outcome, second?.outcome]).toEqual(['end', 'open']);
  });

  it('all at its end, and those that come later', async () => {
    const rig = new Rig(1);
    const all = [rig.send(), rig.send(), rig.send()];
    rig.open[0]?.free();
    rig.pool.close();
    all.push(rig.send());
    await Promise.resolve();
    expect(all.map(({ failure }) => failure?.kind)).toEqual(Array(4).fill('aborted'));
    expect(rig.pool.counts).toEqual({ open: 0, resting: 0, unread: 0, waiting: 0 });
  });
});

type Pick = (rig: Rig) => readonly { readonly act: () => void }[];

const MOVES: Readonly<Record<string, Pick>> = {
  send: (rig) => [{ act: () => void rig.send() }],
  make: (rig) => rig.begun.map((each) => ({ act: () => each.free() })),
  refuse: (rig) => rig.begun.map((each) => ({ act: () => each.close(REFUSED) })),
  answer: (rig) => rig.running.map((each) => ({ act: () => each.free() })),
  read: (rig) => [{ act: () => rig.read() }],
  close: (rig) => rig.open.map((each) => ({ act: () => each.close(REFUSED) })),
  abort: (rig) => rig.sent.map((each) => ({ act: () => each.abort() })),
  time: (rig) => [
    {
      act: () => {
        rig.nowMs += REST_MS / 2;
        rig.pool.sweep();
      },
    },
  ],
};

const moves = fc.array(
  fc.tuple(
    fc.oneof(
      { weight: 3, arbitrary: fc.constant('send') },
      { weight: 6, arbitrary: fc.constantFrom(...Object.keys(MOVES)) },
    ),
    fc.nat(),
  ),
  { maxLength: 60 },
);

describe('leaves nobody waiting', () => {
  it('whatever happens, in whatever order', () => {
    fc.assert(
      fc.property(moves, fc.integer({ min: 1, max: 4 }), (steps, connectionsMax) => {
        const rig = new Rig(connectionsMax);
        for (const [name, pick] of steps) {
          const choices = MOVES[name]?.(rig) ?? [];
          choices[pick % Math.max(1, choices.length)]?.act();
          expect(rig.faults(connectionsMax)).toEqual([]);
        }
        // The host answers from now on: so is everybody, in as many turns as there are requests.
        for (let turn = 0; turn <= 2 * rig.sent.length; turn += 1) {
          for (const each of [...rig.begun, ...rig.running]) if (!each.closed) each.free();
          rig.read();
        }
        expect(rig.sent.filter(({ outcome }) => outcome === 'open')).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });
});
