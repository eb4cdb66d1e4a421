/** CRC-32, against zlib's and the published check value. */
import { crc32 as zlibCrc32 } from 'node:zlib';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { crc32, crc32OfBytes } from './crc32.ts';

describe('crc32', () => {
  it('gives the check value of the standard', () => {
    expect(crc32('123456789')).toBe(0xcb_f4_39_26);
    expect(crc32('')).toBe(0);
  });

  it('agrees with zlib on ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), (text) => {
        expect(crc32(text)).toBe(zlibCrc32(text));
      }),
    );
  });

  it('agrees with zlib on bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(crc32OfBytes(bytes)).toBe(zlibCrc32(bytes));
      }),
    );
  });
});
