/** Ids: form, order, uniqueness, speed. */
import { describe, expect, it, vi } from 'vitest';

import { generationIdOf, isId, newId, requestIdOf } from './ids.ts';

const MANY = 20_000;

describe('newId', () => {
  it('has the prefix and 26 characters that no collation reorders', () => {
    expect(newId('req_')).toMatch(/^req_[0-9a-hjkmnp-tv-z]{26}$/);
  });

  it('never repeats itself', () => {
    const ids = new Set(Array.from({ length: MANY }, () => newId('x_')));
    expect(ids.size).toBe(MANY);
  });

  it('sorts by time', () => {
    vi.useFakeTimers();
    try {
      const times = [0, 1, 31, 32, 1_700_000_000_000, 1_763_675_000_001, 2 ** 47];
      const ids = times.map((time) => {
        vi.setSystemTime(time);
        return newId('x_');
      });
      expect(ids.toSorted()).toEqual(ids);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('ids of requests and generations', () => {
  it('share their suffix, both ways', () => {
    const requestId = newId('req_');
    const generationId = generationIdOf(requestId);
    expect(generationId.slice(4)).toBe(requestId.slice(4));
    expect(requestIdOf(generationId)).toBe(requestId);
  });

  it.each([
    '',
    'gen_',
    'req_01jd3k00000000000000000000',
    'gen_01jd3k0000000000000000000',
    'gen_01JD3K00000000000000000000',
    "gen_' or 1=1 --0000000000000",
  ])('refuses %j as a generation', (text) => {
    expect(requestIdOf(text)).toBeNull();
  });

  it('knows its own form', () => {
    expect(isId(newId('key_'), 'key_')).toBe(true);
    expect(isId(newId('key_'), 'org_')).toBe(false);
    expect(isId('key_il1o0000000000000000000000', 'key_')).toBe(false);
  });
});
