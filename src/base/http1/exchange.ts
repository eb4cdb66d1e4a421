/**
 * One request and what its sender is told of the answer. While the receiver pauses, what was read
 * already waits here and not in the connection, which knows nothing of pauses but to stop reading.
 */
import { concatBytes } from '../bytes.ts';
import { describeError } from '../describe-error.ts';
import type { TransportFailure, UpstreamExchange, UpstreamHandler } from '../transport.ts';
import type { ResponseHead } from './response-head.ts';

/** Who has the exchange in hand: the queue for a connection, then the connection. */
export interface Carrier {
  pause(): void;
  resume(): void;
  /** Its sender wants no answer any more. */
  abandon(exchange: ClientExchange): void;
}

/** As it goes over the wire. */
export interface WireRequest {
  /** Up to the empty line, one character a byte. */
  readonly head: string;
  readonly body: Uint8Array | null;
}

export class ClientExchange implements UpstreamExchange {
  readonly request: WireRequest;
  readonly #handler: UpstreamHandler;
  #carrier: Carrier | null = null;
  #paused = false;
  #over = false;
  /** `onFail` was called, or is about to be. */
  #failing = false;
  /** What has been read and not been told. */
  #head: ResponseHead | null = null;
  #body: Uint8Array | null = null;
  #outcome: 'end' | TransportFailure | null = null;

  constructor(request: WireRequest, handler: UpstreamHandler) {
    this.request = request;
    this.#handler = handler;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Null from when nobody reads for it any more. */
  carriedBy(carrier: Carrier | null): void {
    this.#carrier = carrier;
  }

  /** What one read brought. */
  hear(head: ResponseHead | null, body: Uint8Array | null, ended: boolean): void {
    if (head !== null) this.#head = head;
    if (body !== null) this.#body = this.#body === null ? body : concatBytes([this.#body, body]);
    if (ended) this.#outcome = 'end';
    this.#tell();
  }

  fail(failure: TransportFailure): void {
    this.#outcome = failure;
    this.#tell();
  }

  pause(): void {
    if (this.#over || this.#paused) return;
    this.#paused = true;
    this.#carrier?.pause();
  }

  resume(): void {
    if (this.#over || !this.#paused) return;
    this.#paused = false;
    this.#carrier?.resume();
    // Never from within: whoever resumes may be in the middle of something.
    queueMicrotask(() => this.#tell());
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#carrier?.abandon(this);
  }

  /**
   * A handler that throws has found what it was not made for: it is told that the exchange failed,
   * and nobody else hears of it. What it throws at that is a defect, and is not caught.
   */
  #tell(): void {
    try {
      while (!this.#over && !this.#paused && this.#tellNext());
    } catch (thrown) {
      if (this.#failing) throw thrown;
      this.#failing = true;
      this.abort();
      this.#over = true;
      this.#handler.onFail({ kind: 'protocol', message: describeError(thrown) });
    }
  }

  /** Each call of the handler may pause or abort, so the next looks again. */
  #tellNext(): boolean {
    const head = this.#head;
    const body = this.#body;
    const outcome = this.#outcome;
    if (head !== null) {
      this.#head = null;
      this.#handler.onHead(head.status, head.headers);
    } else if (body !== null) {
      this.#body = null;
      this.#handler.onData(body);
    } else if (outcome !== null) {
      this.#over = true;
      this.#failing = outcome !== 'end';
      if (outcome === 'end') this.#handler.onEnd();
      else this.#handler.onFail(outcome);
    }
    return head !== null || body !== null;
  }
}
