/** Callers hear of the end of a model in time, and of its successor afterwards. */
import { describe, expect, it } from 'vitest';
import { endOfLife } from './lifecycle.ts';

const MODEL = { id: 'old', shutdown: '2026-12-11', successor: 'new' };
const at = (time: string): number => Date.parse(time);

describe('the end of a model', () => {
  it('is not worth a word until sixty days before, nor where no day is known', () => {
    expect(endOfLife(MODEL, at('2026-10-11T23:59:59Z'))).toBeNull();
    expect(endOfLife({ ...MODEL, shutdown: null }, at('2030-01-01'))).toBeNull();
  });

  it('is announced from sixty days before, with the successor', () => {
    expect(endOfLife(MODEL, at('2026-10-12T00:00:00Z'))).toEqual({
      kind: 'ending',
      date: '2026-12-11',
      daysLeft: 60,
      successor: 'new',
      message: "The model 'old' shuts down on 2026-12-11. Use 'new' instead.",
    });
    expect(endOfLife(MODEL, at('2026-12-10T23:59:59.999Z'))).toMatchObject({ daysLeft: 1 });
  });

  it('is there from the first second of its day', () => {
    expect(endOfLife({ ...MODEL, successor: null }, at('2026-12-11T00:00:00Z'))).toEqual({
      kind: 'ended',
      date: '2026-12-11',
      daysLeft: 0,
      successor: null,
      message: "The model 'old' was shut down on 2026-12-11.",
    });
  });
});
