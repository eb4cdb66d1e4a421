/**
 * The way to upstreams on Node: our own HTTP/1.1 client over `node:net` and `node:tls`, one pool of
 * connections per origin, one request at a time on each (decision 22). No fetch, no web streams:
 * they alone would cost several times the gateway's whole work.
 */
import { Connection, ConnectionSupplies, type Origin } from './http1/connection.node.ts';
import { ClientExchange } from './http1/exchange.ts';
import { toFailure } from './http1/failure.ts';
import { ConnectionPool } from './http1/pool.ts';
import { toRequestHead, toRequestTarget, type RequestTarget } from './http1/request-head.ts';
import type { Transport, UpstreamExchange, UpstreamHandler, UpstreamRequest } from './transport.ts';

export interface NodeTransportOptions {
  readonly connectTimeoutMs: number;
  /** Open connections per origin, at most; more requests wait for one. */
  readonly connectionsMax: number;
}

interface Route {
  readonly pool: ConnectionPool;
  readonly target: RequestTarget;
}

/** Addresses come from configuration, so they are few; the bound is for deployments in the path. */
const ROUTES_MAX = 10_000;
/** How late a connection that rested long enough may be closed. */
const SWEEP_MS = 1_000;

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}

/** The host that the operator named in the address's place; TLS asks for it too. */
function hostAmong(headers: readonly string[]): string | null {
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] === 'host') return headers[at + 1] ?? null;
  }
  return null;
}

export class NodeTransport implements Transport {
  readonly #options: NodeTransportOptions;
  readonly #supplies = new ConnectionSupplies(process.platform);
  readonly #pools = new Map<string, ConnectionPool>();
  readonly #routes = new Map<string, Route>();
  #sweeper: ReturnType<typeof setInterval> | undefined;

  constructor(options: NodeTransportOptions) {
    this.#options = options;
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    try {
      const { pool, target } = this.#routeTo(request.url, hostAmong(request.headers));
      const head = toRequestHead(request, target);
      const exchange = new ClientExchange({ head, body: request.body }, handler);
      pool.send(exchange);
      return exchange;
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      const exchange = new ClientExchange({ head: '', body: null }, handler);
      queueMicrotask(() => exchange.fail(toFailure(cause, false)));
      return exchange;
    }
  }

  close(): Promise<void> {
    clearInterval(this.#sweeper);
    for (const pool of this.#pools.values()) pool.close();
    return Promise.resolve();
  }

  #routeTo(url: string, host: string | null): Route {
    const key = host === null ? url : `${url} ${host}`;
    const known = this.#routes.get(key);
    if (known !== undefined) return known;
    const parsed = new URL(url);
    const target = toRequestTarget(parsed.host, parsed.pathname + parsed.search);
    const serverName = host === null ? parsed.hostname : new URL(`https://${host}`).hostname;
    const route = { pool: this.#poolOf(parsed, withoutBrackets(serverName)), target };
    if (this.#routes.size >= ROUTES_MAX) this.#routes.clear();
    this.#routes.set(key, route);
    return route;
  }

  #poolOf({ origin: place, protocol, hostname, port }: URL, serverName: string): ConnectionPool {
    const name = `${place} ${serverName}`;
    const known = this.#pools.get(name);
    if (known !== undefined) return known;
    const defaultPort = DEFAULT_PORTS[protocol];
    if (defaultPort === undefined) throw new Error(`${protocol} is neither http: nor https:`);
    const { connectionsMax, connectTimeoutMs } = this.#options;
    const origin: Origin = {
      secure: protocol === 'https:',
      host: withoutBrackets(hostname),
      serverName,
      port: port === '' ? defaultPort : Number(port),
      connectTimeoutMs,
      supplies: this.#supplies,
      session: undefined,
    };
    const pool = new ConnectionPool({
      connectionsMax,
      connect: (owner) => new Connection(origin, owner),
      nowMs: () => performance.now(),
      whenRead: setImmediate,
    });
    this.#pools.set(name, pool);
    this.#sweeper ??= setInterval(() => {
      for (const each of this.#pools.values()) each.sweep();
    }, SWEEP_MS).unref();
    return pool;
  }
}
