/**
 * One connection in the lane: plain requests of hot routes are served one after the other, and with
 * the first one that is anything else the connection goes over to node:http for good.
 */
import type { Socket } from 'node:net';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Deadline } from '#base/deadlines.ts';
import { REQUEST_TIMED_OUT, UNREADABLE, refuseSocket } from '../client-error.node.ts';
import type { HttpExchange } from '../exchange.ts';
import {
  CLIENT_STALL_MS,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_MS,
  REFUSED_BODY_MS_MAX,
  REQUEST_TIMEOUT_MS,
} from '../socket-limits.ts';
import { readRequestHead, type RequestHead } from './request-head.ts';
import { SocketInbound } from './socket-inbound.ts';
import { SocketSink, type AnswerWay } from './socket-sink.node.ts';

/** What all connections of a lane share. */
export interface LaneHouse {
  readonly dateLine: string;
  /** No connection is kept for another request. */
  readonly draining: boolean;
  nowMs(): number;
  /** Undefined where the route is not hot. */
  find(route: string): ((exchange: HttpExchange) => void) | undefined;
  watch(connection: LaneConnection): void;
  forget(connection: LaneConnection): void;
  /** To node:http, which reads on from what is in the socket. */
  giveAway(socket: Socket): void;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const HEAD_BYTES_MAX = 16 * 1024;
/** Larger bodies are read by node:http, which stops reading when nobody takes them. */
const BODY_BYTES_MAX = 1024 * 1024;
/** What a client may send ahead of the answer that it waits for. */
const EARLY_BYTES_MAX = 64 * 1024;
/** As node:http adds to what it promises, for a request that is on its way. */
const KEEP_ALIVE_GRACE_MS = 1_000;

function answered(): Response {
  return RESPONSE_ALREADY_SENT;
}

function readEarly(connection: LaneConnection): void {
  connection.readOn();
}

export class LaneConnection implements Deadline, AnswerWay {
  readonly socket: Socket;
  readonly #house: LaneHouse;
  dueMs: number;
  slot = -1;
  /** Of the request whose body or answer is on its way. */
  #inbound: SocketInbound | null = null;
  #sink: SocketSink | null = null;
  /** What came after that request, in order. */
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #hasAnswered = false;
  /** Nothing that comes from now on is read as a request. */
  #closing = false;
  /** The client takes an answer slowly, for longer than it may be silent: Node's timer looks on. */
  #isSlow = false;

  readonly #onData = (bytes: Buffer): void => this.#take(bytes);
  readonly #onEnd = (): void => this.#hangUp();
  readonly #onClose = (): void => this.#close();
  readonly #onDrain = (): void => this.#drained();
  readonly #onStall = (): void => void this.socket.destroy();
  /** 'close' follows, and says all there is to say. */
  readonly #onError = (): void => {};

  constructor(house: LaneHouse, socket: Socket) {
    this.#house = house;
    this.socket = socket;
    this.dueMs = house.nowMs() + HEADERS_TIMEOUT_MS;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    socket.on('drain', this.#onDrain);
    socket.on('error', this.#onError);
    house.watch(this);
  }

  get dateLine(): string {
    return this.#house.dateLine;
  }

  get staysOpen(): boolean {
    return !this.#house.draining && this.#inbound?.complete === true;
  }

  /** The answer has ended, perhaps before the request. */
  answered(): void {
    this.#sink = null;
    this.#hasAnswered = true;
    const now = this.#house.nowMs();
    if (this.#inbound?.complete === false) {
      // Closing while the client still sends would reset the connection, and lose the answer on
      // its way: the rest of the body is taken first, for a while.
      this.#inbound.breakOff();
      this.#closing = true;
      this.dueMs = now + REFUSED_BODY_MS_MAX;
      return;
    }
    this.#inbound = null;
    this.dueMs = now + KEEP_ALIVE_MS + KEEP_ALIVE_GRACE_MS;
    if (this.#house.draining) this.closeIdle();
    else if (this.#early.length > 0 && this.#clientReads) process.nextTick(readEarly, this);
  }

  /** Reads what came while the last request was answered. */
  readOn(): void {
    const mayRead = this.#inbound === null && this.#clientReads;
    if (!mayRead || this.#closing || this.socket.destroyed) return;
    const bytes = Buffer.concat(this.#early);
    this.#early = [];
    this.#earlyBytes = 0;
    if (this.socket.isPaused()) this.socket.resume();
    this.#read(bytes);
  }

  /** Closes unless a request is being read or answered. */
  closeIdle(): void {
    if (this.#inbound !== null) return;
    this.#closing = true;
    this.socket.destroySoon();
  }

  /** A time is over: for the first head, for a body, for the next request or for hanging up. */
  expire(): void {
    if (!this.#clientReads) {
      // Once: each call would add a listener.
      if (!this.#isSlow) this.socket.setTimeout(CLIENT_STALL_MS, this.#onStall);
      this.#isSlow = true;
      this.dueMs = Number.POSITIVE_INFINITY;
      this.#house.watch(this);
      return;
    }
    const waitsOn = this.#inbound === null && this.#hasAnswered;
    if (this.#closing || waitsOn) this.socket.destroy();
    else this.#refuse();
  }

  /** Who takes no answers is asked for no more requests: they would wait here, in our memory. */
  get #clientReads(): boolean {
    return !this.socket.writableNeedDrain;
  }

  #drained(): void {
    if (this.#isSlow) this.#watchAgain();
    this.#sink?.drained();
    if (this.#early.length > 0) this.readOn();
  }

  /** After Node's timer, which knows of a slow client whether it still takes something. */
  #watchAgain(): void {
    this.#isSlow = false;
    this.socket.setTimeout(0, this.#onStall);
    this.dueMs = this.#house.nowMs() + KEEP_ALIVE_MS + KEEP_ALIVE_GRACE_MS;
    if (this.#inbound?.complete === true) this.dueMs = Number.POSITIVE_INFINITY;
  }

  #refuse(): void {
    this.#closing = true;
    this.dueMs = this.#house.nowMs() + REFUSED_BODY_MS_MAX;
    this.#house.watch(this);
    refuseSocket(this.socket, REQUEST_TIMED_OUT);
    this.#abandon();
  }

  /** Whoever reads the body or waits to answer is told that nobody is there. */
  #abandon(): void {
    this.#inbound?.breakOff();
    this.#sink?.leave();
    this.#sink = null;
  }

  #take(bytes: Buffer): void {
    const inbound = this.#inbound;
    if (inbound === null && this.#early.length === 0 && this.#clientReads) {
      if (!this.#closing) this.#read(bytes);
      return;
    }
    let taken = 0;
    if (inbound !== null && !inbound.complete) {
      taken = inbound.take(bytes);
      if (inbound.complete) this.#bodyCame();
    }
    if (taken < bytes.length && !this.#closing) this.#keep(bytes.subarray(taken));
  }

  #bodyCame(): void {
    if (this.#closing) this.socket.destroySoon();
    else this.dueMs = Number.POSITIVE_INFINITY;
  }

  #keep(bytes: Buffer): void {
    this.#early.push(bytes);
    this.#earlyBytes += bytes.length;
    if (this.#earlyBytes > EARLY_BYTES_MAX) this.socket.pause();
  }

  /** Bytes that begin with a request. */
  #read(bytes: Buffer): void {
    const end = bytes.indexOf(HEAD_END);
    const isWhole = end >= 0 && end <= HEAD_BYTES_MAX;
    const head = isWhole ? readRequestHead(bytes.toString('latin1', 0, end + 2)) : null;
    const answer = head === null ? undefined : this.#house.find(head.route);
    if (head === null || answer === undefined || head.bodyBytes > BODY_BYTES_MAX) {
      this.#giveAway(bytes);
      return;
    }
    answer(this.#open(head, bytes.subarray(end + HEAD_END.length)));
  }

  #open(head: RequestHead, bytes: Buffer): HttpExchange {
    const inbound = new SocketInbound(head, bytes);
    const sink = new SocketSink(this, inbound.header('origin') !== null);
    this.#inbound = inbound;
    this.#sink = sink;
    if (inbound.complete) this.dueMs = Number.POSITIVE_INFINITY;
    else this.dueMs = this.#house.nowMs() + REQUEST_TIMEOUT_MS;
    if (bytes.length > head.bodyBytes) this.#keep(bytes.subarray(head.bodyBytes));
    return { inbound, sink, response: answered };
  }

  #giveAway(bytes: Buffer): void {
    const { socket } = this;
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onClose);
    socket.off('drain', this.#onDrain);
    socket.off('error', this.#onError);
    if (this.#isSlow) socket.setTimeout(0, this.#onStall);
    this.#house.forget(this);
    // Paused, so that the bytes wait for the next listener, before all that comes after them.
    socket.pause();
    socket.unshift(bytes);
    this.#house.giveAway(socket);
    socket.resume();
  }

  /** The client sends no more. As with node:http it waits for no answer either. */
  #hangUp(): void {
    const inBody = this.#sink !== null && this.#inbound?.complete === false;
    this.#closing = true;
    if (inBody) refuseSocket(this.socket, UNREADABLE);
    else this.socket.end();
  }

  #close(): void {
    this.#closing = true;
    this.#house.forget(this);
    this.#abandon();
    this.#inbound = null;
    this.#early = [];
  }
}
