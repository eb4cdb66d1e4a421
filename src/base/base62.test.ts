/** Base62: exact, of fixed length. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bytesToBase62, isBase62, toBase62 } from './base62.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function fromBase62(text: string): bigint {
  let value = 0n;
  for (const digit of text) value = value * 62n + BigInt(ALPHABET.indexOf(digit));
  return value;
}

describe('toBase62', () => {
  it('loses nothing', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), (value) => {
        const text = toBase62(value, 43);
        expect(text).toHaveLength(43);
        expect(isBase62(text)).toBe(true);
        expect(fromBase62(text)).toBe(value);
      }),
    );
  });

  it('refuses what does not fit, and what is negative', () => {
    expect(toBase62(61n, 1)).toBe('z');
    expect(() => toBase62(62n, 1)).toThrow('more than 1 digits');
    expect(() => toBase62(-1n, 4)).toThrow('no sign');
  });
});

describe('bytesToBase62', () => {
  it('holds 32 bytes of the highest value in 43 characters', () => {
    const text = bytesToBase62(new Uint8Array(32).fill(0xff), 43);
    expect(fromBase62(text)).toBe(2n ** 256n - 1n);
  });

  it('reads bytes as one big-endian number', () => {
    expect(fromBase62(bytesToBase62(new Uint8Array([1, 2]), 4))).toBe(258n);
  });
});

describe('isBase62', () => {
  it.each(['-', '_', ' ', 'é', 'a\n'])('refuses %j', (text) => {
    expect(isBase62(text)).toBe(false);
  });
});
