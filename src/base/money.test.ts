/** Money as text: every amount comes back as it was, in the shortest form. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { formatUsd, nanoUsd, parseUsd } from './money.ts';

describe('formatUsd', () => {
  it('drops zeros behind the last digit, and the point where no digit follows', () => {
    const told = [0n, 1n, -1n, 10n, 500_000_000n, 1_000_000_000n, -12_300_000_000n, 10n ** 19n];
    expect(told.map((amount) => formatUsd(nanoUsd(amount)))).toEqual([
      '0',
      '0.000000001',
      '-0.000000001',
      '0.00000001',
      '0.5',
      '1',
      '-12.3',
      '10000000000',
    ]);
  });

  it('gives what parseUsd reads back, without a needless zero', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), (amount) => {
        const text = formatUsd(nanoUsd(amount));
        expect(parseUsd(text)).toEqual({ ok: true, value: amount });
        expect(text).not.toMatch(/\.\d*0$|\.$/);
      }),
    );
  });
});
