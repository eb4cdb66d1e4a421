/**
 * The way to upstreams on `fetch`: for Workers, Bun and Deno. The answer's stream is read piece by
 * piece and pushed on; while the receiver pauses nothing is read, so that the upstream feels it.
 */
import { describeError } from './describe-error.ts';
import type {
  Transport,
  TransportFailure,
  TransportFailureKind,
  UpstreamExchange,
  UpstreamHandler,
  UpstreamHeaders,
  UpstreamRequest,
} from './transport.ts';

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface WebTransportOptions {
  /** Default: the runtime's own. */
  readonly fetch?: Fetch;
}

/** What the runtimes call their failures: a code where there is one, else words of the message. */
const FAILURES: readonly (readonly [words: RegExp, kind: TransportFailureKind])[] = [
  [/ECONNREFUSED|ConnectionRefused|connection refused|unable to connect/i, 'connect_refused'],
  [/EHOSTUNREACH|ENETUNREACH|unreachable/i, 'connect_refused'],
  [/ENOTFOUND|EAI_AGAIN|DNS|failed to lookup/i, 'dns'],
  [/ETIMEDOUT|CONNECT_TIMEOUT|timed? ?out/i, 'connect_timeout'],
  [/CERT|TLS|SSL/i, 'tls'],
  [
    /ECONNRESET|EPIPE|UND_ERR_SOCKET|reset|terminated|connection (lost|closed)|closed|broken/i,
    'reset',
  ],
];

/** Bun alone gives up after five minutes; the gateway has its own patience with slow models. */
const OWN_DEADLINES = { timeout: false } as const;

/** The error and what caused it: `fetch` hides the reason behind "fetch failed". */
function wordsOf(error: unknown): string {
  const words: string[] = [];
  let next: unknown = error;
  for (let depth = 0; depth < 4 && next instanceof Error; depth += 1) {
    const code: unknown = Reflect.get(next, 'code');
    words.push(typeof code === 'string' ? `${code}: ${next.message}` : next.message);
    next = next.cause;
  }
  return words.length === 0 ? describeError(error) : words.join(': ');
}

function toFailure(error: unknown): TransportFailure {
  const message = wordsOf(error);
  const known = FAILURES.find(([words]) => words.test(message));
  return { kind: known?.[1] ?? 'protocol', message };
}

function toHeaders(headers: Headers): UpstreamHeaders {
  return Object.fromEntries(headers);
}

function toPairs(headers: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    pairs.push([headers[at] ?? '', headers[at + 1] ?? '']);
  }
  return pairs;
}

/** One request on its way. */
class WebExchange implements UpstreamExchange {
  readonly #handler: UpstreamHandler;
  readonly #abort = new AbortController();
  #over = false;
  #paused = false;
  #wake: (() => void) | null = null;

  constructor(handler: UpstreamHandler) {
    this.#handler = handler;
  }

  /** Never rejects. */
  async run(fetch: Fetch, { url, method, headers, body }: UpstreamRequest): Promise<void> {
    try {
      const response = await fetch(url, {
        ...OWN_DEADLINES,
        method,
        headers: toPairs(headers),
        body: body === null ? null : new Uint8Array(body),
        redirect: 'manual',
        signal: this.#abort.signal,
      });
      if (this.#over) return;
      this.#handler.onHead(response.status, toHeaders(response.headers));
      await this.#read(response.body?.getReader());
    } catch (error) {
      this.#end(() => this.#handler.onFail(toFailure(error)));
    }
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array> | undefined): Promise<void> {
    while (!this.#over) {
      if (this.#paused) await this.#untilWoken();
      const read = await reader?.read();
      if (read?.value === undefined) break;
      if (!this.#isOver()) this.#handler.onData(read.value);
    }
    this.#end(() => this.#handler.onEnd());
  }

  #untilWoken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #isOver(): boolean {
    return this.#over;
  }

  #end(tell: () => void): void {
    if (this.#over) return;
    this.#over = true;
    tell();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake?.();
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#wake?.();
    this.#abort.abort();
  }
}

export class WebTransport implements Transport {
  readonly #fetch: Fetch;

  constructor(options: WebTransportOptions = {}) {
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    const exchange = new WebExchange(handler);
    void exchange.run(this.#fetch, request);
    return exchange;
  }

  /** The runtime owns the connections. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
