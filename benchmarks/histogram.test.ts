/** The percentiles of the report are right: exact for small values, within 0.4 % for large ones. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createHistogram, percentileMs, record, toLatency } from './histogram.ts';

function histogramOf(durationsMs: readonly number[]) {
  const histogram = createHistogram();
  for (const durationMs of durationsMs) record(histogram, durationMs);
  return histogram;
}

/** The definition, taken literally: sort, then take the nearest rank. */
function exactPercentile(durationsMs: readonly number[], fraction: number): number {
  const sorted = durationsMs.toSorted((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(fraction * sorted.length)) - 1] ?? Number.NaN;
}

describe('a percentile', () => {
  it('is exact where a slot is one unit wide', () => {
    const histogram = histogramOf([0.001, 0.002, 0.003, 0.004]);
    expect(percentileMs(histogram, 0.5)).toBe(0.002);
    expect(percentileMs(histogram, 0.51)).toBe(0.003);
    expect(percentileMs(histogram, 1)).toBe(0.004);
  });

  it('finds the one slow request in a hundred only above the 99th', () => {
    const histogram = histogramOf([...Array.from({ length: 99 }, () => 1), 500]);
    expect(percentileMs(histogram, 0.99)).toBeCloseTo(1, 2);
    expect(percentileMs(histogram, 0.991)).toBeGreaterThan(499);
  });

  it('is never below the truth and at most 0.4 % above it', () => {
    const durations = fc.array(fc.double({ min: 0, max: 200_000, noNaN: true }), { minLength: 1 });
    const fractions = fc.constantFrom(0, 0.25, 0.5, 0.9, 0.99, 1);
    fc.assert(
      fc.property(durations, fractions, (durationsMs, fraction) => {
        const exact = exactPercentile(durationsMs, fraction);
        const got = percentileMs(histogramOf(durationsMs), fraction);
        // Half a unit is lost to rounding when a duration is recorded.
        expect(got).toBeGreaterThanOrEqual(exact - 0.00005001);
        expect(got).toBeLessThanOrEqual(exact * (1 + 1 / 256) + 0.0001);
      }),
    );
  });

  it('is not a number when nothing was measured, so that it can pass no limit', () => {
    expect(toLatency(createHistogram())).toEqual({
      count: 0,
      p50Ms: Number.NaN,
      p90Ms: Number.NaN,
      p99Ms: Number.NaN,
      maxMs: Number.NaN,
    });
  });

  it('counts a duration beyond the range at the end of it instead of losing it', () => {
    const histogram = histogramOf([1e9, -1]);
    expect(histogram.total).toBe(2);
    expect(percentileMs(histogram, 0.5)).toBe(0);
    expect(percentileMs(histogram, 1)).toBeGreaterThan(214_000);
  });
});
