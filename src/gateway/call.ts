/** What belongs to one request and travels with it. */
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Sink } from '#base/sink.ts';
import type { Awaitable } from '#base/result.ts';

/** A request as it came in, whatever runtime took it. */
export interface Inbound {
  readonly method: string;
  /** The caller's key, from whichever header carries it; null when none does. */
  readonly secret: string | null;
  /** By lower-case name. */
  header(name: string): string | null;
  /** The lower-case names of all of them. */
  headerNames(): readonly string[];
  /** The whole body. Throws a GatewayError when it is larger than `bytesMax` or breaks off. */
  readBody(bytesMax: number): Awaitable<Uint8Array>;
}

export interface Call {
  /** `req_...`; its suffix is that of the generation's id too. */
  readonly id: string;
  readonly generationId: string;
  /** The door's, however it was written: `/v1/chat/completions`. */
  readonly path: string;
  readonly startedAtMs: number;
  readonly startedMonotonicMs: number;
  readonly inbound: Inbound;
  readonly sink: Sink;
  readonly clock: Clock;
  readonly log: Log;
}

export function elapsedMs(call: Call): number {
  return call.clock.monotonicMs() - call.startedMonotonicMs;
}

/** Headers of every answer, before the status is known to be good or bad. */
export function answerHeaders(call: Call): [string, string][] {
  return [
    ['x-request-id', call.id],
    ['openai-processing-ms', String(Math.max(1, Math.round(elapsedMs(call))))],
    ['openai-version', '2020-10-01'],
  ];
}
