/**
 * The web's side of a request: Request in, Response out. For Workers, and for tests without a
 * socket.
 */
import type { Context } from 'hono';
import { concatBytes } from '#base/bytes.ts';
import type { HeaderList, Sink } from '#base/sink.ts';
import type { Inbound } from '#gateway/call.ts';
import { requestTooLarge } from '#wire/refusals.ts';
import { brokenOff, refuseEncoding } from './body-rules.ts';
import { secretOf, type HttpExchange, type OpenExchange } from './exchange.ts';

/** How much may wait in the stream for a slow client before the upstream is paused. */
const QUEUE_BYTES_MAX = 64 * 1024;
/** As web servers log a client that left before its answer began. */
const CLIENT_GONE = 499;

class WebInbound implements Inbound {
  readonly #request: Request;
  readonly method: string;

  constructor(request: Request) {
    this.#request = request;
    this.method = request.method;
  }

  get secret(): string | null {
    return secretOf((name) => this.header(name));
  }

  header(name: string): string | null {
    return this.#request.headers.get(name);
  }

  headerNames(): readonly string[] {
    return [...this.#request.headers.keys()];
  }

  async readBody(bytesMax: number): Promise<Uint8Array> {
    refuseEncoding(this);
    const parts: Uint8Array[] = [];
    let bytes = 0;
    const reader = this.#request.body?.getReader();
    for (;;) {
      const read = await reader?.read().catch((cause: unknown) => {
        throw brokenOff(cause);
      });
      if (read?.value === undefined) return concatBytes(parts);
      bytes += read.value.length;
      if (bytes > bytesMax) {
        await reader?.cancel();
        throw requestTooLarge('body', bytesMax);
      }
      parts.push(read.value);
    }
  }
}

class WebSink implements Sink {
  readonly response: Promise<Response>;
  readonly #resolve: (response: Response) => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #ended = false;
  #left = false;
  #gone: (() => void) | null = null;
  #drain: (() => void) | null = null;
  committed = false;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<Response>();
    this.response = promise;
    this.#resolve = resolve;
  }

  get closed(): boolean {
    return this.#ended || this.#left;
  }

  head(status: number, headers: HeaderList): void {
    this.committed = true;
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          const drain = this.#drain;
          this.#drain = null;
          drain?.();
        },
        cancel: () => this.leave(),
      },
      { highWaterMark: QUEUE_BYTES_MAX, size: (chunk) => chunk?.length ?? 0 },
    );
    this.#resolve(new Response(body, { status, headers: headers.map(([k, v]) => [k, v]) }));
  }

  write(bytes: Uint8Array): boolean {
    if (this.closed) return true;
    this.#controller?.enqueue(bytes);
    return (this.#controller?.desiredSize ?? 1) > 0;
  }

  send(status: number, headers: HeaderList, body: Uint8Array): void {
    this.#ended = true;
    this.committed = true;
    const bytes = new Uint8Array(body);
    this.#resolve(new Response(bytes, { status, headers: headers.map(([k, v]) => [k, v]) }));
  }

  end(last?: Uint8Array): void {
    if (last !== undefined) this.write(last);
    if (!this.closed) this.#controller?.close();
    this.#ended = true;
  }

  destroy(): void {
    if (!this.closed) this.#controller?.error(new Error('the answer broke off'));
    this.#ended = true;
    if (!this.committed) this.#resolve(new Response(null, { status: 500 }));
  }

  leave(): void {
    if (this.closed) return;
    this.#left = true;
    // Nobody reads it; but a runtime that waits for an answer would call this one hung.
    if (!this.committed) this.#resolve(new Response(null, { status: CLIENT_GONE }));
    this.#gone?.();
  }

  onGone(listener: () => void): void {
    this.#gone = listener;
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }
}

/** For runtimes that end a request's context with its answer: `keep` puts that off. */
export function webExchanges(keep: (work: Promise<unknown>) => void): OpenExchange {
  return (context) => ({ ...openWebExchange(context), keep });
}

export function openWebExchange(context: Context): HttpExchange {
  const request = context.req.raw;
  const sink = new WebSink();
  request.signal.addEventListener('abort', () => sink.leave());
  return { inbound: new WebInbound(request), sink, response: () => sink.response };
}
