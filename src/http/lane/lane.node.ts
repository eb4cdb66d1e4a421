/**
 * The fast lane: stands before node:http at the client's socket and serves plain requests of hot
 * routes by itself; all else is handed to node:http, which keeps every other duty of a server
 * (docs/decisions, 23).
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '#base/clock.ts';
import { Deadlines } from '#base/deadlines.ts';
import type { HotRoutes } from '../app.ts';
import { DateLine } from './answer-head.node.ts';
import { LaneConnection, type LaneHouse } from './connection.node.ts';

export interface Lane {
  /** Closes the connections that wait for a request; the others close after their answer. */
  drain(): void;
  closeAll(): void;
}

class OpenLane implements Lane, LaneHouse {
  readonly #served: { readonly hot: HotRoutes };
  /** Every connection of the lane is watched for as long as it is open. */
  readonly #deadlines: Deadlines<LaneConnection>;
  readonly #date: DateLine;
  readonly giveAway: (socket: Socket) => void;
  draining = false;

  constructor(
    served: { readonly hot: HotRoutes },
    clock: Clock,
    giveAway: (socket: Socket) => void,
  ) {
    this.#served = served;
    this.#deadlines = new Deadlines(clock);
    this.#date = new DateLine(clock);
    this.giveAway = giveAway;
  }

  get dateLine(): string {
    return this.#date.line;
  }

  nowMs(): number {
    return this.#deadlines.now();
  }

  find(route: string): ReturnType<HotRoutes['get']> {
    return this.#served.hot.get(route);
  }

  watch(connection: LaneConnection): void {
    this.#deadlines.add(connection);
  }

  forget(connection: LaneConnection): void {
    this.#deadlines.remove(connection);
  }

  accept(socket: Socket): void {
    if (this.draining) this.giveAway(socket);
    else void new LaneConnection(this, socket);
  }

  drain(): void {
    this.draining = true;
    for (const connection of this.#deadlines.watched) connection.closeIdle();
  }

  closeAll(): void {
    for (const connection of this.#deadlines.watched) connection.socket.destroy();
  }
}

/**
 * Puts a lane before a server. The routes are looked up anew for each request. On Bun the lane
 * stays empty: its node:http reads no bytes from the sockets that it shows, so nothing can stand
 * before it, and whoever tried would write into answers that others send.
 */
export function openLane(server: Server, served: { readonly hot: HotRoutes }, clock: Clock): Lane {
  const listeners = server.listeners('connection');
  const lane = new OpenLane(served, clock, (socket) => {
    for (const listener of listeners) Reflect.apply(listener, server, [socket]);
  });
  if (!('bun' in process.versions)) {
    server.removeAllListeners('connection');
    server.on('connection', (socket) => lane.accept(socket));
  }
  return lane;
}
