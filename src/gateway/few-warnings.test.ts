/** Warnings of a request with very many unknown settings. */
import { describe, expect, it } from 'vitest';
import { fewWarnings } from './few-warnings.ts';

const warning = (param: string) =>
  ({ code: 'dropped', param, message: `${param} is gone` }) as const;

describe('warnings', () => {
  it('stay as they are where they are few', () => {
    const few = Array.from({ length: 32 }, (_, at) => warning(`f${at}`));
    expect(fewWarnings(few)).toEqual(few);
    expect(fewWarnings([])).toEqual([]);
  });

  it('are bounded in number and length, and say how many more there are', () => {
    const many = Array.from({ length: 100_000 }, (_, at) => warning(`f${at}${'x'.repeat(5_000)}`));
    const told = fewWarnings(many);
    expect(told).toHaveLength(33);
    expect(told.at(-1)?.message).toContain('99968 more');
    const cut = { code: 'clamped', param: 'max_tokens', message: 'shorter' } as const;
    const ignored = many.map((one) => ({ ...one, code: 'ignored' }) as const);
    expect(fewWarnings([...ignored, cut])[0]).toEqual(cut);
    expect(JSON.stringify(told).length).toBeLessThan(60_000);
  });
});
