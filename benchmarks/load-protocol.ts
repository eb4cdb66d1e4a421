/**
 * What the benchmark asks of the load generator, and what it hears back, over the process channel.
 */
import type { Latency } from './histogram.ts';
import type { WorkloadName } from './workloads.ts';

/** Who is asked, and what. Everything is on 127.0.0.1. */
export interface Lane {
  readonly port: number;
  readonly path: string;
  /** Besides host, content-type and content-length. */
  readonly headers: Readonly<Record<string, string>>;
  readonly workload: WorkloadName;
}

export type LoadJob =
  /** Closed loop: each of `concurrency` connections asks again as soon as it was answered. */
  | {
      readonly kind: 'closed';
      readonly lane: Lane;
      readonly concurrency: number;
      readonly requests: number;
    }
  /**
   * One request at a time, the lanes in turn, one warm connection each: lane 1, lane 2, lane 1 ...
   */
  | { readonly kind: 'in_turn'; readonly lanes: readonly Lane[]; readonly requestsPerLane: number }
  /** Open loop: requests arrive at a constant rate, whether or not earlier ones were answered. */
  | {
      readonly kind: 'arrivals';
      readonly flows: readonly { readonly lane: Lane; readonly perSecond: number }[];
      readonly durationMs: number;
    }
  /** `streams` connections are opened first; then all ask within `rampMs`, once each. */
  | {
      readonly kind: 'burst';
      readonly lane: Lane;
      readonly streams: number;
      readonly rampMs: number;
    };

export interface LaneResult {
  readonly latency: Latency;
  readonly firstByte: Latency;
  readonly failures: Readonly<Record<string, number>>;
  /** Reads of the socket per answer: tells whether separate events stayed separate. */
  readonly readsPerAnswer: number;
  readonly eventsPerAnswer: number;
}

export interface LoadResult {
  readonly lanes: readonly LaneResult[];
  readonly elapsedMs: number;
  /** The most requests that had been asked and not answered to the end at one time. */
  readonly askedMax: number;
  /** The most answers that had begun and not ended at one time. */
  readonly begunMax: number;
}

export interface LoadRequest {
  readonly id: number;
  readonly job: LoadJob;
}

export type LoadReply =
  | { readonly id: number; readonly result: LoadResult }
  | { readonly id: number; readonly error: string };

/** Both sides are ours and of one version: the shape is only told apart, not checked in depth. */
export function isLoadRequest(value: unknown): value is LoadRequest {
  return typeof value === 'object' && value !== null && 'id' in value && 'job' in value;
}

export function isLoadReply(value: unknown): value is LoadReply {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    ('result' in value || 'error' in value)
  );
}

export function failuresOf(result: LoadResult): number {
  return result.lanes
    .flatMap((lane) => Object.values(lane.failures))
    .reduce((sum, count) => sum + count, 0);
}
