/**
 * A socket of the Workers runtime as postgres.js wants one: Node's events over two web streams. Its
 * own leaves a rejection behind that nobody handles whenever a connection is closed.
 */
import { Buffer } from 'node:buffer';
import { EventEmitter } from 'node:events';

/** What Hyperdrive's `connect()` gives. */
export interface RawSocket {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  close(): Promise<void>;
}

export class WorkerSocket extends EventEmitter {
  readonly #raw: RawSocket;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  /** postgres.js looks at it before it says goodbye. */
  readyState: 'open' | 'closed' = 'open';

  constructor(raw: RawSocket) {
    super();
    this.#raw = raw;
    this.#writer = raw.writable.getWriter();
    void this.#read(raw.readable.getReader());
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    try {
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        this.emit('data', Buffer.from(read.value));
      }
      this.#close(null);
    } catch (error) {
      this.#close(error);
    }
  }

  write(bytes: Uint8Array, written?: () => void): boolean {
    this.#writer.write(bytes).then(written, (error: unknown) => this.#close(error));
    return true;
  }

  end(bytes?: Uint8Array): void {
    if (bytes !== undefined) this.write(bytes);
    this.#writer.close().then(
      () => this.#close(null),
      (error: unknown) => this.#close(error),
    );
  }

  destroy(): void {
    this.#close(null);
  }

  #close(error: unknown): void {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    this.#raw.close().catch(() => undefined);
    // Without a listener an error would be thrown; then nobody waits for an answer.
    if (error !== null && this.listenerCount('error') > 0) this.emit('error', error);
    this.emit('close', false);
  }
}
