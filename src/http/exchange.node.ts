/**
 * node:http's side of a request: bytes straight from the IncomingMessage and straight to the
 * ServerResponse. Request, Response and web streams alone would cost more than all of the gateway's
 * policy (speed.md).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import { mergeBytes, plainBytes } from '#base/bytes.ts';
import type { HeaderList, Sink } from '#base/sink.ts';
import type { Inbound } from '#gateway/call.ts';
import { requestTooLarge } from '#wire/refusals.ts';
import { brokenOff, refuseEncoding } from './body-rules.ts';
import { secretOf, type HttpExchange } from './exchange.ts';
import { openWebExchange } from './exchange.web.ts';
import { CORS_HEADERS } from './cors.ts';
import { pathWarning } from './forgiving-path.ts';
import { REFUSED_BODY_MS_MAX } from './socket-limits.ts';

class NodeInbound implements Inbound {
  readonly #incoming: IncomingMessage;
  readonly method: string;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
    this.method = incoming.method ?? 'GET';
  }

  get secret(): string | null {
    return secretOf((name) => this.header(name));
  }

  header(name: string): string | null {
    const value = this.#incoming.headers[name];
    return typeof value === 'string' ? value : (value?.[0] ?? null);
  }

  headerNames(): readonly string[] {
    return Object.keys(this.#incoming.headers);
  }

  readBody(bytesMax: number): Promise<Uint8Array> {
    const incoming = this.#incoming;
    refuseEncoding(this);
    if (Number(this.header('content-length') ?? 0) > bytesMax) {
      return Promise.reject(requestTooLarge('body', bytesMax));
    }
    // It left before anybody listened, and nothing more will be said of that.
    if (incoming.destroyed) return Promise.reject(brokenOff());
    return new Promise((resolve, reject) => {
      const parts: Uint8Array[] = [];
      let bytes = 0;
      incoming.on('data', (part: Uint8Array) => {
        bytes += part.length;
        if (bytes <= bytesMax) parts.push(part);
        else reject(requestTooLarge('body', bytesMax));
      });
      incoming.on('end', () => resolve(plainBytes(mergeBytes(parts))));
      const broken = (): void => {
        if (incoming.complete) return;
        reject(brokenOff());
      };
      incoming.on('error', broken);
      incoming.on('close', broken);
    });
  }
}

/**
 * Closing while the client still sends resets the connection, and the answer is lost on the way:
 * the rest of the body is taken and thrown away first, for a while.
 */
function endAfterBody(outgoing: ServerResponse): void {
  const { req } = outgoing;
  const end = (): void => {
    clearTimeout(timer);
    outgoing.end();
  };
  const timer = setTimeout(end, REFUSED_BODY_MS_MAX);
  req.once('end', end);
  req.once('close', end);
  req.resume();
}

/** As Node takes them: names and values in turn. */
function listOf(headers: HeaderList): string[] {
  const list: string[] = [];
  for (const [name, value] of headers) list.push(name, value);
  return list;
}

class NodeSink implements Sink {
  readonly #outgoing: ServerResponse;
  #ended = false;
  #gone: (() => void) | null = null;

  constructor(outgoing: ServerResponse) {
    this.#outgoing = outgoing;
    outgoing.on('close', () => {
      if (!this.#ended) this.#gone?.();
    });
  }

  get committed(): boolean {
    return this.#outgoing.headersSent;
  }

  get closed(): boolean {
    return this.#ended || this.#outgoing.destroyed;
  }

  head(status: number, headers: HeaderList): void {
    this.#outgoing.writeHead(status, listOf(headers));
    this.#outgoing.flushHeaders();
  }

  write(bytes: Uint8Array): boolean {
    return this.#outgoing.write(bytes);
  }

  send(status: number, headers: HeaderList, body: Uint8Array): void {
    this.#ended = true;
    const outgoing = this.#outgoing;
    const list = listOf(headers);
    list.push('content-length', String(body.length));
    if (outgoing.req.complete) {
      outgoing.writeHead(status, list);
      outgoing.end(body);
      return;
    }
    // What is left of a body that was refused would be read as the next request.
    list.push('connection', 'close');
    outgoing.writeHead(status, list);
    outgoing.write(body);
    endAfterBody(outgoing);
  }

  end(last?: Uint8Array): void {
    this.#ended = true;
    this.#outgoing.end(last);
  }

  destroy(): void {
    this.#ended = true;
    this.#outgoing.destroy();
  }

  onGone(listener: () => void): void {
    this.#gone = listener;
  }

  onDrain(listener: () => void): void {
    this.#outgoing.once('drain', listener);
  }
}

function bindingsOf(context: Context): { incoming?: IncomingMessage; outgoing?: ServerResponse } {
  const bindings: unknown = context.env;
  return typeof bindings === 'object' && bindings !== null ? bindings : {};
}

/** A request on a socket of ours. */
export function openSocketExchange(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): HttpExchange {
  if (incoming.headers.origin !== undefined) {
    for (const [name, value] of CORS_HEADERS) outgoing.setHeader(name, value);
  }
  return {
    inbound: new NodeInbound(incoming),
    sink: new NodeSink(outgoing),
    response: () => RESPONSE_ALREADY_SENT,
  };
}

/** Requests that did not come over a socket of ours (tests) take the web's way. */
export function openNodeExchange(context: Context): HttpExchange {
  const { incoming, outgoing } = bindingsOf(context);
  if (incoming === undefined || outgoing === undefined) return openWebExchange(context);
  // The answer goes around the app, which says it on its own answers.
  const warning = pathWarning(context);
  if (warning !== null) outgoing.setHeader('warning', warning);
  return openSocketExchange(incoming, outgoing);
}
