/** AWS's event stream, with zlib's checksums and cut anywhere. */
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  awsEventFrame,
  awsExceptionFrame,
  awsFrame,
  awsPrelude,
  stringHeader,
  type AwsHeader,
} from '#testing/aws-event-frames.ts';
import { createAwsEventSplitter, type AwsEvent } from './aws-event-stream.ts';

function cutAt(whole: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)), whole.length];
  places.sort((a, b) => a - b);
  return places.slice(1).map((end, index) => whole.subarray(places[index], end));
}

function read(pieces: readonly Uint8Array[], frameBytesMax = 1_000_000) {
  const splitter = createAwsEventSplitter(frameBytesMax);
  const events: AwsEvent[] = [];
  for (const piece of pieces) events.push(...splitter.push(piece));
  return { events, fault: splitter.fault, partial: splitter.partial };
}

const said = fc.record({ event: fc.stringMatching(/^[a-zA-Z]{1,20}$/), data: fc.string() });
const cuts = fc.array(fc.nat(), { maxLength: 12 });

describe('AWS event stream', () => {
  it('gives the same events wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(said, { minLength: 1, maxLength: 8 }), cuts, (all, places) => {
        const whole = Buffer.concat(all.map(({ event, data }) => awsEventFrame(event, data)));
        const { events, fault, partial } = read(cutAt(whole, places));
        const data = (value: string): string => Buffer.from(value).toString();
        expect(events).toEqual(
          all.map((one) => ({ kind: 'event', event: one.event, data: data(one.data) })),
        );
        expect([fault, partial]).toEqual([null, false]);
      }),
    );
  });

  it('gives each event with the byte that completes it', () => {
    const [first, second] = [awsEventFrame('a', '{"x":"é"}'), awsEventFrame('b', '')];
    const whole = Buffer.concat([first, second]);
    const splitter = createAwsEventSplitter(1000);
    const came: [number, string | null][] = [];
    for (let at = 0; at < whole.length; at += 1) {
      for (const { event } of splitter.push(whole.subarray(at, at + 1))) came.push([at + 1, event]);
    }
    expect(came).toEqual([
      [first.length, 'a'],
      [whole.length, 'b'],
    ]);
  });

  it('reads past headers of every type', () => {
    const values: AwsHeader[] = [
      ...[0, 0, 1, 2, 4, 8].map((length, type) => ({
        name: `h${type}`,
        type,
        bytes: new Uint8Array(length).fill(7),
      })),
      { name: 'bytes', type: 6, bytes: new Uint8Array(300) },
      { name: 'time', type: 8, bytes: new Uint8Array(8) },
      { name: 'uuid', type: 9, bytes: new Uint8Array(16) },
      stringHeader(':event-type', 'chunk'),
      stringHeader(':message-type', 'event'),
    ];
    const { events } = read([awsFrame(values, '{"text":"é"}')]);
    expect(events).toEqual([{ kind: 'event', event: 'chunk', data: '{"text":"é"}' }]);
  });

  it('tells an exception of the service', () => {
    const { events } = read([awsExceptionFrame('throttlingException', '{"message":"slow"}')]);
    expect(events).toEqual([
      { kind: 'exception', event: 'throttlingException', data: '{"message":"slow"}' },
    ]);
  });

  it('tells an error of the transport', () => {
    const headers = [
      stringHeader(':message-type', 'error'),
      stringHeader(':error-code', 'InternalFailure'),
      stringHeader(':error-message', 'broken'),
    ];
    expect(read([awsFrame(headers, '')]).events).toEqual([
      { kind: 'error', event: 'InternalFailure', data: 'broken' },
    ]);
  });

  it('never takes a frame with a flipped bit, and never waits for more of it for good', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 7 }), cuts, (place, bit, places) => {
        const good = awsEventFrame('first', '{"n":1}');
        const bad = awsEventFrame('second', '{"n":2}');
        const at = place % bad.length;
        bad[at] = (bad[at] ?? 0) ^ (1 << bit);
        const whole = Buffer.concat([good, bad, awsEventFrame('third', '{"n":3}')]);
        const { events, fault } = read(cutAt(whole, places));
        expect(events.map(({ event }) => event)).toEqual(['first']);
        expect(fault).toBe('corrupt');
      }),
    );
  });

  it('refuses a frame that is longer than the limit before it has come', () => {
    const long = awsEventFrame('a', 'x'.repeat(1000));
    expect(read([long.subarray(0, 12)], 500).fault).toBe('too_large');
    expect(read([long], long.length)).toMatchObject({ fault: null, partial: false });
  });

  it.each([
    ['shorter than a frame can be', 15, 0],
    ['headers that do not fit', 40, 25],
  ])('refuses lengths that cannot be: %s', (_name, total, headers) => {
    expect(read([awsPrelude(total, headers)]).fault).toBe('corrupt');
  });

  it('takes any bytes without throwing or hanging', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), (pieces) => {
        const { events, fault, partial } = read(pieces, 100);
        expect(events).toEqual([]);
        const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
        expect(fault !== null || partial === bytes > 0).toBe(true);
      }),
    );
  });

  it('refuses headers that lie about their lengths', () => {
    const good = awsFrame([stringHeader('a', 'xyz')], 'p');
    good.writeUInt16BE(600, 15);
    good.writeUInt32BE(crc32(good.subarray(0, good.length - 4)), good.length - 4);
    expect(read([good])).toMatchObject({ events: [], fault: 'corrupt' });
  });

  it('says that a frame is missing its end', () => {
    const whole = awsEventFrame('a', '{}');
    expect(read([whole.subarray(0, -1)])).toMatchObject({ events: [], fault: null, partial: true });
  });
});
