/** Events come out of the bytes the same way, wherever they are cut and however lines end. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SseReader } from '../typescript/src/sse-reader.ts';

const encoder = new TextEncoder();

function readPieces(pieces: readonly Uint8Array[]): readonly string[] {
  const reader = new SseReader();
  return pieces.flatMap((piece) => reader.push(piece));
}

function cut(bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length];
  const sorted = ends.toSorted((one, other) => one - other);
  return sorted.map((end, index) => bytes.subarray(sorted[index - 1] ?? 0, end));
}

describe('the reader of events', () => {
  it('gives the data of each, in order, wherever the bytes are cut', () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, ''));
    const lines = fc.array(line, { minLength: 1, maxLength: 3 });
    const end = fc.constantFrom('\n', '\r\n', '\r');
    const cuts = fc.array(fc.nat(10_000), { maxLength: 12 });
    const property = fc.property(fc.array(lines), end, cuts, (events, newline, places) => {
      const text = events
        .map((data) => data.map((part) => `data: ${part}${newline}`).join('') + newline)
        .join(`: a comment${newline}${newline}`);
      const expected = events.map((data) => data.join('\n'));
      expect(readPieces(cut(encoder.encode(text), places))).toEqual(expected);
    });
    fc.assert(property);
  });

  it('leaves out comments, other fields and what is not ended', () => {
    const text = ': ping\n\nevent: x\nid: 1\ndata:a\ndata: b\n\nretry: 1\n\ndata: never ended';
    expect(readPieces([encoder.encode(text)])).toEqual(['a\nb']);
  });
});
