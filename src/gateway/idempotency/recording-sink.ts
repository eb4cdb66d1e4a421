/** The way to the client that remembers what went over it, so that it can be kept and replayed. */
import { concatBytes } from '#base/bytes.ts';
import type { HeaderList, Sink } from '#base/sink.ts';
import { KEPT_BODY_BYTES_MAX, keptHeaders, type KeptAnswer } from './kept-answer.ts';

interface Head {
  readonly status: number;
  readonly headers: HeaderList;
  readonly streamed: boolean;
}

export class RecordingSink implements Sink {
  readonly #client: Sink;
  readonly #outlives: boolean;
  #head: Head | null = null;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;

  /**
   * With `outlives` the answer is made although the client has left: nothing of it was delivered,
   * and it comes back for it.
   */
  constructor(client: Sink, outlives: boolean) {
    this.#client = client;
    this.#outlives = outlives;
  }

  /** The answer ended properly, and is too large to be kept. */
  get tooLarge(): boolean {
    return this.#ended && this.#bytes > KEPT_BODY_BYTES_MAX;
  }

  /** The client went before the end. */
  get left(): boolean {
    return !this.#ended && this.#client.closed;
  }

  /** Null unless all of it was recorded. */
  get answer(): KeptAnswer | null {
    if (!this.#ended || this.tooLarge || this.#head === null) return null;
    const { status, headers, streamed } = this.#head;
    return { status, headers: keptHeaders(headers), streamed, body: concatBytes(this.#parts) };
  }

  get committed(): boolean {
    return this.#head !== null || this.#client.committed;
  }

  get closed(): boolean {
    return this.#ended || (!this.#outlives && this.#client.closed);
  }

  head(status: number, headers: HeaderList): void {
    this.#head = { status, headers, streamed: true };
    this.#client.head(status, headers);
  }

  write(bytes: Uint8Array): boolean {
    this.#record(bytes);
    return this.#client.write(bytes);
  }

  send(status: number, headers: HeaderList, body: Uint8Array): void {
    this.#head = { status, headers, streamed: false };
    this.#record(body);
    this.#ended = true;
    if (!this.#client.closed) this.#client.send(status, headers, body);
  }

  end(last?: Uint8Array): void {
    if (last !== undefined) this.#record(last);
    this.#ended = true;
    this.#client.end(last);
  }

  destroy(): void {
    this.#client.destroy();
  }

  onGone(listener: () => void): void {
    if (!this.#outlives) this.#client.onGone(listener);
  }

  onDrain(listener: () => void): void {
    this.#client.onDrain(listener);
  }

  /** Copies: the bytes are pieces of larger buffers, which would all stay. */
  #record(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes > KEPT_BODY_BYTES_MAX) this.#parts = [];
    else this.#parts.push(bytes.slice());
  }
}
