/** Prices must come out of the data sets as they were published, whatever floats did to them. */
import { describe, expect, it } from 'vitest';
import { toDecimal } from './decimals.ts';

describe('floats of data sets', () => {
  it('become the decimal that was published', () => {
    expect(toDecimal(0.15)).toBe('0.15');
    expect(toDecimal(0.1 + 0.2)).toBe('0.3');
    expect(toDecimal(0.0028)).toBe('0.0028');
    expect(toDecimal(15)).toBe('15');
    expect(toDecimal(150)).toBe('150');
    expect(toDecimal(0)).toBe('0');
    expect(toDecimal(2.5e-7, 6)).toBe('0.25');
    expect(toDecimal(1.4999999999999999e-7, 6)).toBe('0.15');
    expect(toDecimal(0.00012, 6)).toBe('120');
    expect(toDecimal(12, -3)).toBe('0.012');
    expect(toDecimal(0.234375)).toBe('0.234375');
  });

  it('are refused when they are no prices', () => {
    expect(() => toDecimal(-1)).toThrow('not a price');
    expect(() => toDecimal(Number.NaN)).toThrow('not a price');
  });
});
