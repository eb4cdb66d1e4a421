/** The cores of the machine are read as the kernel writes them. */
import { describe, expect, it } from 'vitest';

import { parseCpuList } from './machine.ts';

describe('a list of cores', () => {
  it('may hold single cores and ranges', () => {
    expect(parseCpuList('0-3,6')).toEqual([0, 1, 2, 3, 6]);
    expect(parseCpuList('5\n')).toEqual([5]);
    expect(parseCpuList('')).toEqual([]);
  });
});
