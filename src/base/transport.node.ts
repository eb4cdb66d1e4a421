/**
 * The way to upstreams on Node: undici's `dispatch`, one pool per origin, keep-alive HTTP/1.1. No
 * fetch, no web streams: they alone would cost several times the gateway's whole work (speed.md).
 */
import { Pool, type Dispatcher } from 'undici';
import { plainBytes } from './bytes.ts';

import type {
  Transport,
  TransportFailure,
  TransportFailureKind,
  UpstreamExchange,
  UpstreamHandler,
  UpstreamHeaders,
  UpstreamRequest,
} from './transport.ts';

export interface NodeTransportOptions {
  readonly connectTimeoutMs: number;
  /** Open connections per origin, at most; more requests wait for one. */
  readonly connectionsMax: number;
}

interface Route {
  readonly pool: Pool;
  readonly path: string;
}

/** Addresses come from configuration, so they are few; the bound is for deployments in the path. */
const ROUTES_MAX = 10_000;

const FAILURE_KINDS: Readonly<Record<string, TransportFailureKind>> = {
  ECONNREFUSED: 'connect_refused',
  EHOSTUNREACH: 'connect_refused',
  ENETUNREACH: 'connect_refused',
  UND_ERR_CONNECT_TIMEOUT: 'connect_timeout',
  ETIMEDOUT: 'connect_timeout',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  UND_ERR_ABORTED: 'aborted',
};

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function toFailure(error: Error): TransportFailure {
  const code = codeOf(error);
  const tls = code.startsWith('ERR_TLS') || code.includes('CERT') || code.startsWith('ERR_SSL');
  const kind = FAILURE_KINDS[code] ?? (tls ? 'tls' : 'protocol');
  return { kind, message: `${code === '' ? error.name : code}: ${error.message}` };
}

type RawHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** No header is repeated: undici's record is ours then, and nobody else's. */
function areTexts(raw: RawHeaders): raw is UpstreamHeaders {
  for (const name in raw) if (typeof raw[name] !== 'string') return false;
  return true;
}

function toHeaders(raw: RawHeaders): UpstreamHeaders {
  if (areTexts(raw)) return raw;
  const headers: Record<string, string> = {};
  for (const name in raw) {
    const value = raw[name];
    if (value !== undefined)
      headers[name] = typeof value === 'string' ? value : (value.at(-1) ?? '');
  }
  return headers;
}

/** One request on its way: undici's handler on one side, our exchange on the other. */
class Dispatch implements Dispatcher.DispatchHandler, UpstreamExchange {
  readonly #handler: UpstreamHandler;
  #controller: Dispatcher.DispatchController | null = null;
  #over = false;

  constructor(handler: UpstreamHandler) {
    this.#handler = handler;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error('given up before it started'));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    ...[status, headers]: readonly [number, Record<string, string | string[] | undefined>]
  ): void {
    if (!this.#over && status >= 200) this.#handler.onHead(status, toHeaders(headers));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (!this.#over) this.#handler.onData(plainBytes(chunk));
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#over = true;
    this.#handler.onEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(toFailure(error));
  }

  fail(failure: TransportFailure): void {
    if (this.#over) return;
    this.#over = true;
    this.#handler.onFail(failure);
  }

  pause(): void {
    if (!this.#over) this.#controller?.pause();
  }

  resume(): void {
    if (!this.#over) this.#controller?.resume();
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort(new Error('given up'));
  }
}

export class NodeTransport implements Transport {
  readonly #options: NodeTransportOptions;
  readonly #pools = new Map<string, Pool>();
  readonly #routes = new Map<string, Route>();

  constructor(options: NodeTransportOptions) {
    this.#options = options;
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    const dispatch = new Dispatch(handler);
    try {
      const { pool, path } = this.#routeTo(request.url);
      const { method, headers, body } = request;
      pool.dispatch({ path, method, headers: [...headers], body }, dispatch);
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      queueMicrotask(() => dispatch.fail(toFailure(cause)));
    }
    return dispatch;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
  }

  #routeTo(url: string): Route {
    const known = this.#routes.get(url);
    if (known !== undefined) return known;
    const { origin, pathname, search } = new URL(url);
    const route = { pool: this.#poolOf(origin), path: pathname + search };
    if (this.#routes.size >= ROUTES_MAX) this.#routes.clear();
    this.#routes.set(url, route);
    return route;
  }

  #poolOf(origin: string): Pool {
    const known = this.#pools.get(origin);
    if (known !== undefined) return known;
    const pool = new Pool(origin, {
      connections: this.#options.connectionsMax,
      pipelining: 1,
      allowH2: false,
      // The gateway keeps its own deadlines: undici's would count thinking models as dead.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 30_000,
      connect: { timeout: this.#options.connectTimeoutMs },
    });
    this.#pools.set(origin, pool);
    return pool;
  }
}
