/**
 * The connections to one origin, and the requests that wait for one. A request takes the connection
 * that rested last; where none rests it begins one of its own and waits for the first that is free,
 * its own or another's. A connection that could not be made fails the request that it was begun
 * for, so that nobody waits for a host that is not there, and nobody fails for another's wait.
 *
 * A connection whose response has just ended, or that has rested for a while, is looked at before
 * it carries a request: the end of the connection, or bytes that nobody asked for, may have come
 * and not been read yet. They would lose the request, or be taken for its answer.
 */
import type { TransportFailure } from '../transport.ts';
import type { Carrier, ClientExchange } from './exchange.ts';

/** A request without a connection, and the connection that was begun for it, if it may have one. */
interface Waiting {
  readonly exchange: ClientExchange;
  begun: PooledConnection | null;
}

/** The pool's own notes on a connection. */
export class PoolPlace {
  /** Among all that are open; -1 when it is not. */
  slot = -1;
  /** Who waits for it. */
  waiting: Waiting | null = null;
  /** Monotonic times: since when it rests, and from when it is not used again. */
  restedMs = 0;
  restUntilMs = 0;
}

export interface PooledConnection {
  readonly place: PoolPlace;
  /** How long it may rest, by the server's word and ours. */
  readonly restMsMax: number;
  run(exchange: ClientExchange): void;
  /** Tells `onClosed`, as every other end does. */
  close(failure: TransportFailure): void;
}

/** What a connection tells its pool. */
export interface ConnectionOwner {
  onMade(connection: PooledConnection): void;
  /** Its response is over and it may carry another request. */
  onFree(connection: PooledConnection): void;
  /** Once, whatever the reason. Nothing after it. */
  onClosed(connection: PooledConnection, failure: TransportFailure): void;
}

export interface PoolOptions {
  readonly connectionsMax: number;
  /** Begins a connection and tells the owner later, never within the call. */
  readonly connect: (owner: ConnectionOwner) => PooledConnection;
  readonly nowMs: () => number;
  /** Runs the work once all that has come for any connection until now was read. */
  readonly whenRead: (work: () => void) => void;
}

/** After so long a rest a connection is looked at before it is used. */
const LOOK_AFTER_MS = 50;
const RESTED: TransportFailure = { kind: 'aborted', message: 'the connection rested too long' };
const CLOSED: TransportFailure = { kind: 'aborted', message: 'the transport was closed' };

function remove<T>(list: T[], one: T): void {
  const at = list.indexOf(one);
  if (at >= 0) list.splice(at, 1);
}

export class ConnectionPool implements ConnectionOwner, Carrier {
  readonly #options: PoolOptions;
  /** Arrays, which keep nothing of what has left them (decision 12). */
  readonly #open: PooledConnection[] = [];
  readonly #resting: PooledConnection[] = [];
  /** Free, but not looked at yet; they serve those that wait. */
  readonly #unread: PooledConnection[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #offerAll = (): void => this.#offerUnread();
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** What it holds now, for whoever looks after it. */
  get counts(): {
    readonly open: number;
    readonly resting: number;
    readonly unread: number;
    readonly waiting: number;
  } {
    return {
      open: this.#open.length,
      resting: this.#resting.length,
      unread: this.#unread.length,
      waiting: this.#waiting.length,
    };
  }

  send(exchange: ClientExchange): void {
    if (this.#closed) {
      queueMicrotask(() => exchange.fail(CLOSED));
      return;
    }
    const connection = this.#takeRested();
    if (connection !== null) {
      connection.run(exchange);
      return;
    }
    const waiting: Waiting = { exchange, begun: null };
    // Those that are about to be looked at will do.
    if (this.#unread.length <= this.#waiting.length) this.#beginFor(waiting);
    exchange.carriedBy(this);
    this.#waiting.push(waiting);
  }

  onMade(connection: PooledConnection): void {
    const { place } = connection;
    const own = place.waiting;
    place.waiting = null;
    this.#offer(connection, own);
  }

  onFree(connection: PooledConnection): void {
    if (this.#unread.length === 0) this.#options.whenRead(this.#offerAll);
    this.#unread.push(connection);
  }

  onClosed(connection: PooledConnection, failure: TransportFailure): void {
    const { place } = connection;
    const last = this.#open.pop();
    if (last !== undefined && last !== connection) {
      this.#open[place.slot] = last;
      last.place.slot = place.slot;
    }
    place.slot = -1;
    remove(this.#resting, connection);
    remove(this.#unread, connection);
    const { waiting } = place;
    place.waiting = null;
    if (waiting !== null) remove(this.#waiting, waiting);
    this.#beginMissing();
    waiting?.exchange.fail(failure);
  }

  /** For those that wait: there is nothing to stop yet. */
  pause(): void {}

  resume(): void {}

  abandon(exchange: ClientExchange): void {
    const at = this.#waiting.findIndex((waiting) => waiting.exchange === exchange);
    const begun = this.#waiting[at]?.begun;
    // The connection is made all the same, and serves whoever comes next.
    if (begun) begun.place.waiting = null;
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** Closes what has rested long enough. */
  sweep(): void {
    const nowMs = this.#options.nowMs();
    for (const connection of this.#resting.filter(({ place }) => place.restUntilMs <= nowMs)) {
      connection.close(RESTED);
    }
  }

  /** Fails all requests, running and waiting, and refuses those to come. */
  close(): void {
    this.#closed = true;
    const waiting = this.#waiting.splice(0);
    for (const { begun } of waiting) if (begun !== null) begun.place.waiting = null;
    for (let last = this.#open.at(-1); last !== undefined; last = this.#open.at(-1)) {
      last.close(CLOSED);
    }
    for (const { exchange } of waiting) exchange.fail(CLOSED);
  }

  #takeRested(): PooledConnection | null {
    const nowMs = this.#resting.length === 0 ? 0 : this.#options.nowMs();
    for (;;) {
      const connection = this.#resting.pop();
      if (connection === undefined) return null;
      const { restedMs, restUntilMs } = connection.place;
      // The sweep may be late: a server that closes at the same moment would lose the request.
      if (restUntilMs <= nowMs) {
        connection.close(RESTED);
      } else if (nowMs - restedMs > LOOK_AFTER_MS) {
        this.onFree(connection);
        return null;
      } else {
        return connection;
      }
    }
  }

  /** To whoever has waited longest; else it rests. `own` is who waited for this very one. */
  #offer(connection: PooledConnection, own: Waiting | null): void {
    const first = this.#waiting.shift();
    if (first === undefined) {
      const { place, restMsMax } = connection;
      place.restedMs = this.#options.nowMs();
      place.restUntilMs = place.restedMs + restMsMax;
      this.#resting.push(connection);
      return;
    }
    if (own !== first) this.#swap(own, first);
    connection.run(first.exchange);
  }

  /** What has come for them was read, and they are still open. */
  #offerUnread(): void {
    for (const connection of this.#unread.splice(0)) {
      if (connection.place.slot >= 0) this.#offer(connection, null);
    }
    this.#beginMissing();
  }

  /** Whoever's connection serves another is served by the one that was begun for that other. */
  #swap(own: Waiting | null, first: Waiting): void {
    if (own !== null) own.begun = first.begun;
    if (first.begun !== null) first.begun.place.waiting = own;
  }

  #beginFor(waiting: Waiting): void {
    if (this.#open.length >= this.#options.connectionsMax) return;
    const connection = this.#options.connect(this);
    connection.place.slot = this.#open.length;
    connection.place.waiting = waiting;
    waiting.begun = connection;
    this.#open.push(connection);
  }

  /** There is room again: whoever waited without a connection of its own begins one. */
  #beginMissing(): void {
    if (this.#closed) return;
    for (const waiting of this.#waiting) {
      if (this.#open.length >= this.#options.connectionsMax) return;
      if (waiting.begun === null) this.#beginFor(waiting);
    }
  }
}
