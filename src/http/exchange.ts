/**
 * One request and its answer, as a runtime gives them: the only thing that Node's sockets and the
 * web's Request and Response have to agree on.
 */
import type { Context } from 'hono';
import type { Sink } from '#base/sink.ts';
import type { Inbound } from '#gateway/call.ts';

export interface HttpExchange {
  readonly inbound: Inbound;
  readonly sink: Sink;
  /**
   * Lets work go on that the answer does not wait for; absent where nothing cuts it off when the
   * client has its answer, or has gone.
   */
  readonly keep?: (work: Promise<unknown>) => void;
  /** What the route hands to Hono; ready when the answer has begun, or was sent already. */
  response(): Response | Promise<Response>;
}

export type OpenExchange = (context: Context) => HttpExchange;

/**
 * Headers that may carry a key, in the order in which they are asked: one extractor for every
 * route.
 */
const KEY_HEADERS = ['x-api-key', 'api-key', 'x-goog-api-key'] as const;
const BEARER = /^bearer +/i;

/** The caller's key; null when no header carries one. */
export function secretOf(header: (name: string) => string | null): string | null {
  const authorization = header('authorization');
  if (authorization !== null && authorization !== '') return authorization.replace(BEARER, '');
  for (const name of KEY_HEADERS) {
    const value = header(name);
    if (value !== null && value !== '') return value;
  }
  return null;
}
