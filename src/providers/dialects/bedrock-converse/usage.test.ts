/** Converse's counts in disjoint buckets: what caches hold stands beside the input, never in it. */
import { describe, expect, it } from 'vitest';
import { readUsage } from './usage.ts';

describe('usage', () => {
  it('keeps cache reads and both kinds of writes apart from the input (promise 26)', () => {
    const native = {
      inputTokens: 3,
      outputTokens: 121,
      totalTokens: 2_072,
      cacheReadInputTokens: 1_712,
      cacheReadInputTokenCount: 1_712,
      cacheWriteInputTokens: 236,
      cacheWriteInputTokenCount: 236,
      cacheDetails: [
        { ttl: '1h', inputTokens: 200 },
        { ttl: '5m', inputTokens: 36 },
      ],
    };
    expect(readUsage(native)).toEqual({
      buckets: {
        input: 3,
        cache_read: 1_712,
        cache_write_5m: 36,
        cache_write_1h: 200,
        output: 121,
      },
      source: 'upstream',
      flags: [],
      native,
    });
  });

  it('takes writes without a lifetime for those of five minutes', () => {
    const native = {
      inputTokens: 1,
      outputTokens: 1,
      totalTokens: 12,
      cacheWriteInputTokenCount: 10,
    };
    expect(readUsage(native)?.buckets).toEqual({ input: 1, cache_write_5m: 10, output: 1 });
  });

  it('says no more was kept for an hour than was kept at all', () => {
    const cacheDetails = [{ ttl: '1h', inputTokens: 99 }];
    const native = { inputTokens: 1, outputTokens: 1, cacheWriteInputTokens: 10, cacheDetails };
    expect(readUsage(native)).toMatchObject({
      buckets: { input: 1, cache_write_1h: 10, output: 1 },
      flags: ['absurd_clamped'],
    });
  });

  it.each([
    ['a total that does not add up', { totalTokens: 9 }, ['inconsistent_total']],
    ['a count below zero', { outputTokens: -1 }, ['negative_clamped']],
    ['a count that is text', { inputTokens: '5' }, ['malformed']],
    ['a missing count', { outputTokens: undefined }, ['missing']],
  ])('flags %s', (_name, wrong, flags) => {
    expect(readUsage({ inputTokens: 5, outputTokens: 2, ...wrong })?.flags).toEqual(flags);
  });

  it('is none where nothing readable stands', () => {
    expect(readUsage(undefined)).toBeNull();
    expect(readUsage({})).toMatchObject({ source: 'none', flags: ['missing'] });
    expect(readUsage('x')).toMatchObject({ source: 'none', flags: ['malformed'] });
    expect(readUsage({ inputTokens: 2e9, outputTokens: 1 })).toMatchObject({ source: 'none' });
  });
});
