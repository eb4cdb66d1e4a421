/** Vectors in base64: what the official client reads, and nothing is lost on the way back. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromVectorBase64, toVectorBase64 } from './vector-base64.ts';

describe('a vector in base64', () => {
  it('is what the official clients read: 32-bit floats, little-endian', () => {
    expect(toVectorBase64([1, -0.5])).toBe('AACAPwAAAL8=');
    const bytes = Buffer.from(toVectorBase64([0.1, 2]), 'base64');
    expect([...new Float32Array(new Uint8Array(bytes).buffer)]).toEqual([Math.fround(0.1), 2]);
  });

  it('comes back as the same floats, whatever they are and however many', () => {
    const vectors = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
      maxLength: 9_000,
    });
    fc.assert(
      fc.property(vectors, (vector) => {
        const back = fromVectorBase64(toVectorBase64(vector)) ?? [];
        // The two zeros are one.
        const same = back.every((value, index) => Math.fround(value) === vector[index]);
        expect(same && back.length === vector.length).toBe(true);
      }),
    );
  });

  it('comes back in as few digits as a host writes', () => {
    expect(fromVectorBase64(toVectorBase64([0.1, -0.012345678, 3]))).toEqual([
      0.1, -0.012345678, 3,
    ]);
  });

  it.each(['a', 'AAAA', '%%%%', 'ä'])('is nothing else: %s', (text) => {
    expect(fromVectorBase64(text)).toBeNull();
  });
});
