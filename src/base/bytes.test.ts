/** Room that is cut from larger pieces belongs to whoever asked for it, and to nobody else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freeBytes, mergeBytes, roomFor } from './bytes.ts';

describe('room for bytes', () => {
  it('has the length that was asked for, is empty, and is shared with no other', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(6_000), { minLength: 1, maxLength: 60 }), (lengths) => {
        const rooms = lengths.map((length) => roomFor(length));
        for (const [at, room] of rooms.entries()) {
          expect(room).toHaveLength(lengths[at] ?? -1);
          expect(room.every((byte) => byte === 0)).toBe(true);
          room.fill((at % 255) + 1);
        }
        for (const [at, room] of rooms.entries()) {
          expect(room.every((byte) => byte === (at % 255) + 1)).toBe(true);
        }
      }),
    );
  });
});

describe('memory that is given back', () => {
  const LARGE = 100_000;

  it('is that of large bytes which have it to themselves', () => {
    const own = new Uint8Array(LARGE);
    freeBytes(own);
    expect(own).toHaveLength(0);
  });

  it('is never shared memory, and small memory is not worth it', () => {
    const shared = new Uint8Array(LARGE).fill(7);
    const views = [shared.subarray(1), shared.subarray(0, -1), Buffer.from('pooled'), roomFor(9)];
    const small = new Uint8Array(100);
    const before = [...views, small].map(({ length }) => length);
    for (const view of [...views, small]) freeBytes(view);
    expect([...views, small].map(({ length }) => length)).toEqual(before);
    expect(shared.every((byte) => byte === 7)).toBe(true);
  });

  it('is that of large parts, once they stand together', () => {
    const parts = [new Uint8Array(LARGE).fill(1), new Uint8Array(3).fill(2)];
    expect([...mergeBytes(parts).subarray(LARGE - 1)]).toEqual([1, 2, 2, 2]);
    expect(parts.map(({ length }) => length)).toEqual([0, 3]);
    const [alone] = [new Uint8Array(LARGE).fill(3)];
    expect(mergeBytes([alone])).toBe(alone);
    expect(alone).toHaveLength(LARGE);
  });
});
