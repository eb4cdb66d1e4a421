/** A request that the lane read: its head, and its body as far as it has come. */
import { freeBytes, plainBytes } from '#base/bytes.ts';
import type { Awaitable } from '#base/result.ts';
import type { Inbound } from '#gateway/call.ts';
import { requestTooLarge } from '#wire/refusals.ts';
import { brokenOff, refuseEncoding } from '../body-rules.ts';
import { secretOf } from '../exchange.ts';
import { headerOf, type RequestHead } from './request-head.ts';

interface Waiting {
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** Memory for a body is at most so many times what came of it. */
const GROWTH = 4;

export class SocketInbound implements Inbound {
  readonly method = 'POST';
  readonly #head: RequestHead;
  /** What came of the body, and room for more of it. */
  #body: Uint8Array;
  /** How much of it has not come yet. */
  #missing: number;
  #waiting: Waiting | null = null;
  #broken = false;

  /** `bytes` is what came after the head, less than the body or more; it belongs to the request. */
  constructor(head: RequestHead, bytes: Uint8Array) {
    const { bodyBytes } = head;
    this.#head = head;
    this.#missing = Math.max(0, bodyBytes - bytes.length);
    this.#body = plainBytes(bytes.length > bodyBytes ? bytes.subarray(0, bodyBytes) : bytes);
  }

  get complete(): boolean {
    return this.#missing === 0;
  }

  get secret(): string | null {
    return secretOf((name) => this.header(name));
  }

  header(name: string): string | null {
    return headerOf(this.#head, name);
  }

  headerNames(): readonly string[] {
    return this.#head.names;
  }

  readBody(bytesMax: number): Awaitable<Uint8Array> {
    refuseEncoding(this);
    if (this.#head.bodyBytes > bytesMax) throw requestTooLarge('body', bytesMax);
    if (this.#missing === 0) return this.#body;
    if (this.#broken) throw brokenOff();
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /**
   * Takes what belongs to the body and tells how much that was. If it is all of the bytes, nobody
   * needs them any more.
   */
  take(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.#missing);
    if (!this.#broken) this.#append(bytes.subarray(0, taken));
    this.#missing -= taken;
    if (taken === bytes.length) freeBytes(bytes);
    if (this.#missing === 0) this.#waiting?.resolve(this.#body);
    return taken;
  }

  /** Nobody reads the body any more, or nothing more of it comes. */
  breakOff(): void {
    this.#broken = true;
    if (this.#missing > 0) this.#waiting?.reject(brokenOff());
  }

  /** In memory that grows by and by: what is announced need not come. */
  #append(bytes: Uint8Array): void {
    const { bodyBytes } = this.#head;
    const came = bodyBytes - this.#missing;
    if (this.#body.length < came + bytes.length) {
      const outgrown = this.#body;
      this.#body = new Uint8Array(Math.min(bodyBytes, GROWTH * (came + bytes.length)));
      this.#body.set(outgrown.subarray(0, came));
      freeBytes(outgrown);
    }
    this.#body.set(bytes, came);
  }
}
