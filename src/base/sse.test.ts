/** The SSE splitter against a reference parser, cut at every byte. */
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { concatBytes, toBytes, toText } from './bytes.ts';
import { createSseSplitter, readEvents } from './sse.ts';

interface Plain {
  readonly event: string | null;
  readonly data: string;
}

/** The reference: a widely used parser of the same standard. */
function reference(text: string): Plain[] {
  const events: Plain[] = [];
  const parser = createParser({
    onEvent: (event) => events.push({ event: event.event ?? null, data: event.data }),
  });
  parser.feed(text);
  return events;
}

function ours(pieces: readonly Uint8Array[]): { events: Plain[]; bytes: string } {
  const splitter = createSseSplitter(1_000_000);
  const blocks: Uint8Array[] = [];
  for (const piece of pieces) {
    const block = splitter.push(piece);
    if (block === 'too_large') throw new Error('too large');
    if (block !== null) blocks.push(block);
  }
  const rest = splitter.rest();
  const events = blocks
    .flatMap((block) => readEvents(block))
    .flatMap(({ event, data }) => (data === null ? [] : [{ event, data }]));
  return { events, bytes: toText(concatBytes([...blocks, ...(rest === null ? [] : [rest])])) };
}

const line = fc.constantFrom(
  'data: {"a":"é😀"}',
  'data:x',
  'data',
  'event: error',
  ': ping',
  'id: 1',
  '',
);
const stream = fc
  .array(fc.tuple(line, fc.constantFrom('\n', '\r\n')), { maxLength: 14 })
  .map(
    (lines) => `data: first\n\n${lines.map(([text, end]) => text + end).join('')}data: last\n\n`,
  );

describe('the SSE splitter', () => {
  it('copies the bytes of a long event a few times, however many lines and reads it has', () => {
    const one = toBytes(`data: ${'x'.repeat(90)}\n`);
    const lines = 2_000;
    let copied = 0;
    const set = vi.spyOn(Uint8Array.prototype, 'set').mockImplementation(function count(source) {
      copied += source.length;
    });
    const splitter = createSseSplitter(10_000_000);
    const pushed = Array.from({ length: lines }, () => splitter.push(one));
    set.mockRestore();
    expect(new Set(pushed)).toEqual(new Set([null]));
    expect(copied).toBeLessThan(5 * lines * one.length);
  });

  it('gives the same events as the reference, cut at every byte, and loses no byte', () => {
    fc.assert(
      fc.property(stream, (text) => {
        const bytes = toBytes(text);
        for (let cut = 0; cut <= bytes.length; cut += 1) {
          const result = ours([bytes.subarray(0, cut), bytes.subarray(cut)]);
          expect(result.events).toEqual(reference(text));
          expect(result.bytes).toBe(text);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('works byte by byte, with every kind of line break', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const text = `: hi${end}${end}event: a${end}data: 1${end}data: 2${end}${end}data: 3${end}${end}data: 4\n\n`;
      const bytes = toBytes(text);
      const pieces = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
      expect(ours(pieces).events).toEqual([
        { event: 'a', data: '1\n2' },
        { event: null, data: '3' },
        { event: null, data: '4' },
      ]);
    }
  });

  it('stops at an event beyond the limit, in linear time', () => {
    const splitter = createSseSplitter(100_000);
    const piece = toBytes('x'.repeat(1_000));
    let pushes = 0;
    while (splitter.push(piece) !== 'too_large') pushes += 1;
    expect(pushes).toBe(100);
  });

  it('hands on what is whole and holds what is not', () => {
    const splitter = createSseSplitter(1_000);
    expect(splitter.push(toBytes('data: a\n'))).toBeNull();
    const block = splitter.push(toBytes('\ndata: b\n\ndata: c'));
    expect(block instanceof Uint8Array && toText(block)).toBe('data: a\n\ndata: b\n\n');
    const rest = splitter.rest();
    expect(rest === null ? null : toText(rest)).toBe('data: c');
  });
});
