/** Adds up what the answers of one lane were like. */
import type { Outcome } from './connection.ts';
import { createHistogram, record, toLatency } from './histogram.ts';
import type { LaneResult } from './load-protocol.ts';

export interface Meter {
  /** `waitedMs` is what a request had to wait for a free connection before it was asked. */
  add(outcome: Outcome, waitedMs: number): void;
  /** A request that could not even be asked. */
  fail(reason: string): void;
  result(): LaneResult;
}

export function createMeter(): Meter {
  const latency = createHistogram();
  const firstByte = createHistogram();
  const failures = new Map<string, number>();
  let reads = 0;
  let events = 0;

  function fail(reason: string): void {
    failures.set(reason, (failures.get(reason) ?? 0) + 1);
  }

  return {
    fail,
    add(outcome, waitedMs) {
      if (outcome.failure !== null) {
        fail(outcome.failure);
        return;
      }
      record(latency, outcome.totalMs + waitedMs);
      record(firstByte, outcome.firstByteMs + waitedMs);
      reads += outcome.reads;
      events += outcome.events;
    },
    result: () => ({
      latency: toLatency(latency),
      firstByte: toLatency(firstByte),
      failures: Object.fromEntries(failures),
      readsPerAnswer: reads / latency.total,
      eventsPerAnswer: events / latency.total,
    }),
  };
}

/** Counts what has begun and not ended, and remembers the most. */
export interface OpenCount {
  begin(): void;
  end(): void;
  readonly max: () => number;
}

export function createOpenCount(): OpenCount {
  let open = 0;
  let most = 0;
  return {
    begin() {
      open += 1;
      most = Math.max(most, open);
    },
    end: () => (open -= 1),
    max: () => most,
  };
}
