/**
 * Responses of one connection, read as their bytes come (RFC 9112): each `push` takes one read and
 * leaves in the fields what it brought. Bytes may be cut anywhere; what is kept between two reads
 * is an unfinished head, and nothing of a body.
 */
import { copyOf } from '../bytes.ts';
import type { TransportFailure } from '../transport.ts';
import { ChunkedBody } from './chunked-body.ts';
import {
  findHeadEnd,
  HEAD_OPEN,
  HeadRefused,
  readResponseHead,
  type Framing,
  type ResponseHead,
} from './response-head.ts';

/** Memory that is read into, as the two things that it is used as. */
export interface ReadBuffer {
  readonly bytes: Uint8Array;
  readonly text: Buffer;
}

export function openReadBuffer(length: number): ReadBuffer {
  const bytes = new Uint8Array(length);
  return { bytes, text: Buffer.from(bytes.buffer) };
}

/** A response's heads together: interim ones (1xx) count. */
const HEAD_BYTES_MAX = 64 * 1024;
const HELD_BYTES_FIRST = 2 * 1024;
const VERSION = 'HTTP/1.';
const SWITCHING_PROTOCOLS = 101;

type Phase = 'head' | 'body' | 'over' | 'failed';

export class ResponseReader {
  readonly #chunks = new ChunkedBody();
  #phase: Phase = 'head';
  #framing: Framing = 'none';
  /** Bytes of the body to come, where its length was said. */
  #left = 0;
  #interimBytes = 0;
  /** The beginning of a head whose end has not come. */
  #held: ReadBuffer | null = null;
  #heldBytes = 0;

  /** What the last read brought. */
  head: ResponseHead | null = null;
  body: Uint8Array | null = null;
  failure: TransportFailure | null = null;
  /** Once the response is over: whether the connection stands where the next one begins. */
  reusable = false;
  /** The last head's word on how long the server keeps an idle connection. */
  idleMsMax = Number.POSITIVE_INFINITY;

  get over(): boolean {
    return this.#phase === 'over';
  }

  /** Expects the next response. */
  begin(): void {
    this.#phase = 'head';
    this.#interimBytes = 0;
    this.head = null;
    this.body = null;
  }

  /** Reads the first `length` bytes of `input`, and may move them about. */
  push(input: ReadBuffer, length: number): void {
    this.head = null;
    this.body = null;
    try {
      let at = 0;
      while (this.#phase === 'head' && at < length) at = this.#takeHead(input, at, length);
      if (this.#phase === 'head') this.#checkHeld();
      if (this.#phase === 'body' && at < length) at = this.#takeBody(input.bytes, at, length);
      // What came after the end is nobody's answer.
      if (at < length) this.reusable = false;
    } catch (error) {
      if (!(error instanceof HeadRefused)) throw error;
      this.#fail('protocol', error.message);
    }
  }

  /** The connection has ended. */
  finish(): void {
    this.head = null;
    this.body = null;
    this.reusable = false;
    if (this.#phase === 'body' && this.#framing === 'until_close') this.#phase = 'over';
    else this.#fail('reset', 'the connection ended before the answer did');
  }

  #fail(kind: TransportFailure['kind'], message: string): void {
    this.#phase = 'failed';
    this.#held = null;
    this.failure = { kind, message };
  }

  /** A head that cannot become one is not waited for. */
  #checkHeld(): void {
    const begun = this.#held?.text.toString('latin1', 0, Math.min(this.#heldBytes, VERSION.length));
    if (begun !== undefined && !VERSION.startsWith(begun)) {
      throw new HeadRefused('the answer does not begin as HTTP/1.1 does');
    }
    if (this.#heldBytes + this.#interimBytes > HEAD_BYTES_MAX) this.#refuseLength();
  }

  #refuseLength(): void {
    this.#fail('too_large', `the head of the answer exceeds ${HEAD_BYTES_MAX} bytes`);
  }

  /** Returns how far it came. */
  #takeHead(input: ReadBuffer, from: number, to: number): number {
    if (this.#held !== null) return this.#takeHeldHead(input, from, to);
    const end = findHeadEnd(input.bytes, from, to);
    if (end === HEAD_OPEN) {
      this.#hold(input.bytes.subarray(from, to));
      return to;
    }
    this.#open(input.text, from, end);
    return end;
  }

  #takeHeldHead(input: ReadBuffer, from: number, to: number): number {
    const before = this.#heldBytes;
    const { bytes, text } = this.#hold(input.bytes.subarray(from, to));
    const end = findHeadEnd(bytes, before - 1, this.#heldBytes);
    if (end === HEAD_OPEN) return to;
    this.#held = null;
    this.#heldBytes = 0;
    this.#open(text, 0, end);
    return from + end - before;
  }

  /** Keeps what has come of a head, in memory that doubles. */
  #hold(bytes: Uint8Array): ReadBuffer {
    const length = this.#heldBytes + bytes.length;
    let held = this.#held;
    if (held === null || held.bytes.length < length) {
      const roomier = openReadBuffer(Math.max(HELD_BYTES_FIRST, 2 * length));
      if (held !== null) roomier.bytes.set(held.bytes.subarray(0, this.#heldBytes));
      held = roomier;
    }
    held.bytes.set(bytes, this.#heldBytes);
    this.#held = held;
    this.#heldBytes = length;
    return held;
  }

  #open(text: Buffer, start: number, end: number): void {
    if (end - start > HEAD_BYTES_MAX - this.#interimBytes) return this.#refuseLength();
    const head = readResponseHead(text.toString('latin1', start, end - 2));
    if (head.status === SWITCHING_PROTOCOLS) throw new HeadRefused('it switched protocols unasked');
    if (head.status < 200) {
      this.#interimBytes += end - start;
      return;
    }
    this.head = head;
    this.#framing = head.framing;
    this.#left = head.length;
    this.reusable = head.persistent;
    this.idleMsMax = head.idleMsMax;
    if (head.framing === 'chunked') this.#chunks.begin();
    const bodiless = head.framing === 'none' || (head.framing === 'length' && head.length === 0);
    this.#phase = bodiless ? 'over' : 'body';
  }

  #takeBody(bytes: Uint8Array, from: number, to: number): number {
    if (this.#framing === 'chunked') return this.#takeChunks(bytes, from, to);
    let end = to;
    if (this.#framing === 'length') {
      end = Math.min(to, from + this.#left);
      this.#left -= end - from;
      if (this.#left === 0) this.#phase = 'over';
    }
    this.body = copyOf(bytes, from, end);
    return end;
  }

  #takeChunks(bytes: Uint8Array, from: number, to: number): number {
    const chunks = this.#chunks;
    const at = chunks.take(bytes, from, to);
    if (chunks.end > chunks.start) this.body = copyOf(bytes, chunks.start, chunks.end);
    if (chunks.fault !== null) this.#fail('protocol', chunks.fault);
    else if (chunks.over) this.#phase = 'over';
    return at;
  }
}
