/** Room that is cut from larger pieces belongs to whoever asked for it, and to nobody else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roomFor } from './bytes.ts';

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
