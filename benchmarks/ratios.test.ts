/** The table of the report says what was measured, and nothing that was not. */
import { describe, expect, it } from 'vitest';

import type { Row } from './ratios.ts';
import { formatFigure, ratiosOf, spreadOf, toVerdictTable, verdictOf } from './ratios.ts';

const ROW: Row = {
  figure: 'requests per CPU-second',
  unit: 'x',
  limit: { kind: 'at_least', value: 0.7 },
  values: [0.6, 0.8, 0.75],
  note: '',
  errors: 0,
};

describe('a spread', () => {
  it('takes the middle of an odd number and the mean of the middle two of an even one', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ min: 1, median: 2, max: 3 });
    expect(spreadOf([4, 1, 2, 3])).toEqual({ min: 1, median: 2.5, max: 4 });
    expect(spreadOf([10, 9])).toEqual({ min: 9, median: 9.5, max: 10 });
    expect(spreadOf([7])).toEqual({ min: 7, median: 7, max: 7 });
  });
});

describe('ratios', () => {
  it('are taken within a round, not between averages', () => {
    expect(ratiosOf([10, 100], [5, 200])).toEqual([2, 0.5]);
  });

  it('refuse series from different rounds', () => {
    expect(() => ratiosOf([1, 2], [1])).toThrow('2 rounds cannot be set against 1');
  });
});

describe('a verdict', () => {
  it('goes by the median in both directions of a limit', () => {
    expect(verdictOf(ROW)).toBe('ok');
    expect(verdictOf({ ...ROW, values: [0.6, 0.65, 0.9] })).toBe('MISSED');
    expect(verdictOf({ ...ROW, limit: { kind: 'at_most', value: 0.7 } })).toBe('MISSED');
  });

  it('is not given where requests failed or nothing was measured', () => {
    expect(verdictOf({ ...ROW, errors: 1 })).toBe('INVALID');
    expect(verdictOf({ ...ROW, values: [] })).toBe('not measured');
    expect(verdictOf({ ...ROW, values: [Number.NaN] })).toBe('MISSED');
    expect(verdictOf({ ...ROW, limit: null })).toBe('reported');
    expect(verdictOf({ ...ROW, limit: null, errors: 1 })).toBe('INVALID');
  });
});

describe('the table', () => {
  it('shows limit, spread and verdict, and the failures before the note', () => {
    const table = toVerdictTable([{ ...ROW, errors: 3, note: 'a | b' }]);
    expect(table.split('\n').at(-1)).toBe(
      '| requests per CPU-second | >= 0.7x | 0.600x | 0.750x | 0.800x | INVALID |' +
        ' 3 failed requests. a \\| b |',
    );
  });

  it('prints figures with three digits and dashes for what is missing', () => {
    expect(formatFigure(1234.5, 'us')).toBe('1235 us');
    expect(formatFigure(12.34, 'us')).toBe('12.3 us');
    expect(formatFigure(-0.0123, 'ms')).toBe('-0.012 ms');
    expect(formatFigure(Number.NaN, 'x')).toBe('-');
    expect(formatFigure(2000, 'streams')).toBe('2000');
  });
});
