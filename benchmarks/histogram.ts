/**
 * A histogram of durations with a bounded relative error: each power of two is cut into 256 equal
 * steps, so a percentile is at most 0.4 % above the truth whatever its size, at the cost of one
 * increment per measurement.
 */

/** Durations are counted in tenths of a microsecond. */
const UNITS_PER_MS = 10_000;
const STEP_BITS = 8;
const STEPS = 1 << STEP_BITS;
/** 2^31 units are 214 s: longer than any request that the benchmark waits for. */
const UNITS_MAX = 2 ** 31 - 1;
const SLOTS = (31 - STEP_BITS + 1) * STEPS;

export interface Histogram {
  readonly counts: Float64Array;
  total: number;
}

export function createHistogram(): Histogram {
  return { counts: new Float64Array(SLOTS), total: 0 };
}

/** Below 2 x 256 units a slot is one unit wide; above, as wide as the power of two demands. */
function slotOf(units: number): number {
  const exponent = Math.max(0, 31 - Math.clz32(units) - STEP_BITS);
  return exponent * STEPS + (units >>> exponent);
}

/** The largest duration that falls into the slot, in units. */
function unitsOf(slot: number): number {
  if (slot < 2 * STEPS) return slot;
  const exponent = Math.floor(slot / STEPS) - 1;
  const step = slot - exponent * STEPS;
  return (step + 1) * 2 ** exponent - 1;
}

/** Adds one duration in milliseconds. Negative ones (a clock that stepped) count as 0. */
export function record(histogram: Histogram, durationMs: number): void {
  const units = Math.min(UNITS_MAX, Math.max(0, Math.round(durationMs * UNITS_PER_MS)));
  const slot = slotOf(units);
  histogram.counts[slot] = (histogram.counts[slot] ?? 0) + 1;
  histogram.total += 1;
}

/**
 * The smallest duration, in milliseconds, that at least `fraction` (0 to 1) of the measurements do
 * not exceed (nearest rank). NaN when nothing was measured.
 */
export function percentileMs(histogram: Histogram, fraction: number): number {
  if (histogram.total === 0) return Number.NaN;
  const rank = Math.max(1, Math.ceil(fraction * histogram.total));
  let seen = 0;
  for (const [slot, count] of histogram.counts.entries()) {
    seen += count;
    if (seen >= rank) return unitsOf(slot) / UNITS_PER_MS;
  }
  return Number.NaN;
}

/** What one run of load says about durations, in milliseconds. */
export interface Latency {
  readonly count: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export function toLatency(histogram: Histogram): Latency {
  return {
    count: histogram.total,
    p50Ms: percentileMs(histogram, 0.5),
    p90Ms: percentileMs(histogram, 0.9),
    p99Ms: percentileMs(histogram, 0.99),
    maxMs: percentileMs(histogram, 1),
  };
}
