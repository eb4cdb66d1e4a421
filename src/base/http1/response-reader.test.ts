/** Responses are read strictly, and the same wherever their bytes are cut. */
import { Client } from 'undici';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TransportFailureKind, UpstreamHeaders } from '../transport.ts';
import { openReadBuffer, ResponseReader } from './response-reader.node.ts';

interface Reading {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  readonly body: string;
  readonly outcome: 'open' | 'over' | TransportFailureKind;
  readonly reusable: boolean;
}

const EOF = null;
type Read = string | typeof EOF;

/** What one connection's reader makes of these reads (latin1). */
function readAll(reads: readonly Read[]): Reading {
  const reader = new ResponseReader();
  const input = openReadBuffer(128 * 1024);
  const body: Uint8Array[] = [];
  let status = 0;
  let headers: UpstreamHeaders = {};
  for (const read of reads) {
    const length = read === EOF ? 0 : input.text.write(read, 'latin1');
    if (read === EOF) reader.finish();
    else reader.push(input, length);
    if (reader.head !== null) ({ status, headers } = reader.head);
    if (reader.body !== null) body.push(reader.body);
    // What belongs to the receiver must not lie in the memory that is read into again.
    input.bytes.fill(0x21, 0, length);
    if (reader.over || reader.failure !== null) break;
  }
  const outcome = reader.failure?.kind ?? (reader.over ? 'over' : 'open');
  const text = Buffer.concat(body).toString('latin1');
  return { status, headers, body: text, outcome, reusable: outcome === 'over' && reader.reusable };
}

const lines = (...all: readonly string[]): string => `${all.join('\r\n')}\r\n`;
const head = (...all: readonly string[]): string => lines('HTTP/1.1 200 OK', ...all, '');
const CHUNKED = head('Transfer-Encoding: chunked');

function cutAt(bytes: string, places: readonly number[]): string[] {
  const sorted = [...new Set([0, ...places, bytes.length])].toSorted((a, b) => a - b);
  return sorted.slice(1).map((place, index) => bytes.slice(sorted[index] ?? 0, place));
}

describe('works', () => {
  it.each([
    ['a length', head('Content-Length: 5', 'X-A:  1 \t') + 'hello', 'hello', true],
    ['no bytes', head('content-length: 0'), '', true],
    [
      'a length said twice',
      head('content-length: 5', 'content-length: 5, 5') + 'hello',
      'hello',
      true,
    ],
    ['chunks', `${CHUNKED}3\r\nhel\r\n02;a="b"\r\nlo\r\n0\r\n\r\n`, 'hello', true],
    ['trailers', `${CHUNKED}5\r\nhello\r\n000\r\nx-a: 1\r\nx-b: 2\r\n\r\n`, 'hello', true],
    [
      'an interim head',
      `HTTP/1.1 103 Early\r\nlink: x\r\n\r\n${head('content-length: 1')}a`,
      'a',
      true,
    ],
    ['no content', 'HTTP/1.1 204 No Content\r\ncontent-length: 7\r\n\r\n', '', true],
    ['not modified', 'HTTP/1.1 304 \r\ntransfer-encoding: chunked\r\n\r\n', '', true],
    ['no reason', 'HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nhi', 'hi', true],
    [
      'HTTP/1.0',
      'HTTP/1.0 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nhi',
      'hi',
      false,
    ],
    ['a last answer', head('connection: x, Close', 'content-length: 2') + 'hi', 'hi', false],
    [
      'both framings',
      head('content-length: 9', 'transfer-encoding: Chunked') + '1\r\na\r\n0\r\n\r\n',
      'a',
      false,
    ],
    ['upper latin1', head('x-name: \xe9', 'content-length: 1') + '\xff', '\xff', true],
  ])('reads %s, cut anywhere', (_name, bytes, body, reusable) => {
    const whole = readAll([bytes]);
    expect(whole).toMatchObject({ outcome: 'over', body, reusable });
    for (let at = 1; at < bytes.length; at += 1) {
      expect(readAll([bytes.slice(0, at), bytes.slice(at)])).toEqual(whole);
    }
    expect(readAll(bytes.split(''))).toEqual(whole);
  });

  it('gives names in lower case, values without blanks, and the last of a repeated one', () => {
    const { headers } = readAll([head('X-A:  1 \t', 'x-b:', 'X-a: 2 3', 'Content-Length: 0')]);
    expect(headers).toEqual({ 'x-a': '2 3', 'x-b': '', 'content-length': '0' });
  });

  it('reads until the connection ends where nothing else says the end', () => {
    const reading = readAll([`${head('x-a: 1')}he`, 'llo', EOF]);
    expect(reading).toMatchObject({ outcome: 'over', body: 'hello', reusable: false });
    expect(readAll([`${head()}he`]).outcome).toBe('open');
  });

  it('gives what one read brought as one piece of memory that is the receiver’s', () => {
    const reader = new ResponseReader();
    const input = openReadBuffer(4_096);
    reader.push(input, input.text.write(`${CHUNKED}1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n`, 'latin1'));
    const { body } = reader;
    expect(Object.getPrototypeOf(body)).toBe(Uint8Array.prototype);
    input.bytes.fill(0);
    reader.push(input, input.text.write('1\r\ng\r\n'));
    expect(Buffer.from(body ?? []).toString()).toBe('abcdef');
  });

  it('does not reuse a connection on which more came than the answer', () => {
    const reading = readAll([`${head('content-length: 2')}hiHTTP/1.1`]);
    expect(reading).toMatchObject({ outcome: 'over', body: 'hi', reusable: false });
  });

  it('reads a head of 60 KiB that comes byte by byte without going over it again', () => {
    const long = head(`x-a: ${'a'.repeat(60 * 1024)}`, 'content-length: 1');
    expect(readAll(`${long}b`.split(''))).toMatchObject({ outcome: 'over', body: 'b' });
  });

  it.each([
    ['timeout=5', 5_000],
    ['max=10, Timeout=7', 7_000],
    ['max=10', Number.POSITIVE_INFINITY],
    ['timeout=x', Number.POSITIVE_INFINITY],
  ])('knows from "%s" how long the server keeps the connection', (value, idleMsMax) => {
    const reader = new ResponseReader();
    const input = openReadBuffer(4_096);
    reader.push(input, input.text.write(head(`Keep-Alive: ${value}`, 'content-length: 0')));
    expect(reader.idleMsMax).toBe(idleMsMax);
  });
});

const MALFORMED: readonly (readonly [name: string, bytes: string])[] = [
  ['another protocol', 'SSH-2.0-OpenSSH\r\n'],
  ['an empty line first', `\r\n${head('content-length: 0')}`],
  ['HTTP/2', 'HTTP/2 200 OK\r\ncontent-length: 0\r\n\r\n'],
  ['HTTP/1.2', 'HTTP/1.2 200 OK\r\ncontent-length: 0\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n'],
  ['a status below 100', 'HTTP/1.1 099 OK\r\ncontent-length: 0\r\n\r\n'],
  ['another protocol from now on', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n'],
  ['a bare LF', 'HTTP/1.1 200 OK\ncontent-length: 0\n\n'],
  ['a bare CR', 'HTTP/1.1 200 OK\r\nx-a: 1\rx-b: 2\r\ncontent-length: 0\r\n\r\n'],
  ['a NUL', head('x-a: \0', 'content-length: 0')],
  ['a DEL', head('x-a: \x7f', 'content-length: 0')],
  ['a folded line', head('x-a: 1', ' 2', 'content-length: 0')],
  ['no colon', head('x-a', 'content-length: 0')],
  ['no name', head(': 1', 'content-length: 0')],
  ['a blank before the colon', head('x-a : 1', 'content-length: 0')],
  ['a name that is no token', head('x(a): 1', 'content-length: 0')],
  ['a name beyond ASCII', head('x-\xe9: 1', 'content-length: 0')],
  ['a signed length', head('content-length: +5')],
  ['a hexadecimal length', head('content-length: 0x5')],
  ['an empty length', head('content-length:')],
  ['a length beyond every sum', head(`content-length: ${'9'.repeat(20)}`)],
  ['two lengths', head('content-length: 5', 'content-length: 6')],
  ['two lengths in one', head('content-length: 5, 6')],
  ['a coding besides', head('transfer-encoding: gzip, chunked')],
  ['a coding instead', head('transfer-encoding: identity', 'content-length: 5')],
  ['chunked twice', head('transfer-encoding: chunked', 'transfer-encoding: chunked')],
  ['no size', `${CHUNKED}\r\nhello`],
  ['a negative size', `${CHUNKED}-5\r\nhello`],
  ['a size with a prefix', `${CHUNKED}0x5\r\nhello`],
  ['a size beyond 2^53', `${CHUNKED}20000000000000\r\nhello`],
  ['a size without end', `${CHUNKED}${'0'.repeat(5_000)}`],
  ['a blank after the size', `${CHUNKED}5 \r\nhello`],
  ['a bare LF after the size', `${CHUNKED}5\nhello`],
  ['a bare CR after the size', `${CHUNKED}5\rhello`],
  ['a chunk that goes on', `${CHUNKED}5\r\nhello!\r\n0\r\n\r\n`],
  ['a chunk without CRLF', `${CHUNKED}5\r\nhello0\r\n\r\n`],
  ['a control character in an extension', `${CHUNKED}5;a\0\r\nhello`],
  ['an extension without end', `${CHUNKED}5;${'a'.repeat(5_000)}`],
  ['trailers without end', `${CHUNKED}0\r\n${'x-a: 1\r\n'.repeat(14_000)}`],
  ['a trailer without a name', `${CHUNKED}0\r\nx a\r\n\r\n`],
  ['a bare LF in the trailers', `${CHUNKED}0\r\nx-a: 1\n\n`],
];

describe('refuses', () => {
  it.each(MALFORMED)('%s', (_name, bytes) => {
    const reading = readAll([bytes]);
    expect(reading.outcome).toBe('protocol');
    expect(readAll(bytes.split(''))).toEqual(reading);
  });

  it('a head of more than 64 KiB, whole or in pieces, and interim ones that come to that', () => {
    const line = `x-a: ${'a'.repeat(1_017)}\r\n`;
    const long = `HTTP/1.1 200 OK\r\n${line.repeat(65)}\r\n`;
    expect(readAll([long]).outcome).toBe('too_large');
    expect(readAll(cutAt(long, [1, 30_000, 60_000])).outcome).toBe('too_large');
    expect(readAll([long.slice(0, -2)]).outcome).toBe('too_large');
    const interim = `HTTP/1.1 102 Processing\r\n${line.repeat(20)}\r\n`;
    expect(readAll([interim, interim, interim, interim]).outcome).toBe('too_large');
  });

  it.each([
    ['nothing', ''],
    ['half a head', 'HTTP/1.1 200 OK\r\ncontent-le'],
    ['half a body', `${head('content-length: 5')}hel`],
    ['half a chunk', `${CHUNKED}5\r\nhel`],
    ['no last chunk', `${CHUNKED}5\r\nhello\r\n`],
    ['no end of the trailers', `${CHUNKED}0\r\n`],
  ])('a connection that ends after %s', (_name, bytes) => {
    expect(readAll([bytes, EOF]).outcome).toBe('reset');
  });
});

/** The same bytes in the same pieces, as undici reads them; null where it refuses them. */
async function readByUndici(pieces: readonly string[], ends: boolean): Promise<Reading | null> {
  const socket = new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      done();
      setImmediate(() => {
        for (const piece of pieces) socket.push(Buffer.from(piece, 'latin1'));
        if (ends) socket.push(null);
      });
    },
  });
  Object.assign(socket, { ref() {}, unref() {}, setKeepAlive() {}, setNoDelay() {} });
  const client = new Client('http://oracle', {
    connect: (_options, done) =>
      queueMicrotask(() => void Reflect.apply(done, null, [null, socket])),
  });
  try {
    const answer = await client.request({ path: '/', method: 'GET' });
    const body = Buffer.from(await answer.body.arrayBuffer()).toString('latin1');
    const headers = Object.fromEntries(
      Object.entries(answer.headers).map(([name, value]) => {
        // It leaves a tab at the end, which is no part of the value (RFC 9110, 5.5).
        return [name, String([value].flat().at(-1)).replace(/[ \t]+$/, '')];
      }),
    );
    return { status: answer.statusCode, headers, body, outcome: 'over', reusable: false };
  } catch {
    return null;
  } finally {
    await client.destroy();
  }
}

const byteText = (maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const textOf = (characters: string, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...characters.split('')), minLength: 1, maxLength });

const header = fc
  .tuple(textOf("abcXYZ-_.!#$%&'*+^`|~019", 12), textOf('aZ09 :;,="\t\xe9', 20))
  .map(([name, value]) => `x-${name}:${value}`);

const chunk = fc
  .record({
    bytes: byteText(40).filter((bytes) => bytes !== ''),
    zeros: fc.constantFrom('', '0', '000'),
    extension: fc.constantFrom('', ';a', ';a=b', ';a="b c"'),
  })
  .map(({ bytes, zeros, extension }) => {
    const size = bytes.length.toString(16);
    return { bytes, written: `${zeros}${size}${extension}\r\n${bytes}\r\n` };
  });

const body = fc.oneof(
  byteText(100).map((bytes) => ({ line: [`Content-Length: ${bytes.length}`], written: bytes })),
  byteText(100).map((bytes) => ({ line: [], written: bytes })),
  fc
    .tuple(fc.array(chunk, { maxLength: 5 }), fc.array(header, { maxLength: 2 }))
    .map(([chunks, trailers]) => ({
      line: ['transfer-encoding: chunked'],
      written: `${chunks.map((each) => each.written).join('')}0\r\n${lines(...trailers, '')}`,
    })),
);

const response = fc
  .record({
    status: fc.constantFrom(
      '200 OK',
      '201 ',
      '204 No Content',
      '304 x',
      '429 Too Many',
      '599 \xe9',
    ),
    headers: fc.array(header, { maxLength: 4 }),
    body,
  })
  .map(({ status, headers, body: { line, written } }) => {
    const bodiless = status.startsWith('204') || status.startsWith('304');
    return lines(`HTTP/1.1 ${status}`, ...headers, ...line, '') + (bodiless ? '' : written);
  });

const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 8 });

describe('beside undici', () => {
  it('reads every valid response as it does, wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(response, cuts, async (bytes, places) => {
        const reads = cutAt(
          bytes,
          places.filter((place) => place < bytes.length),
        );
        const theirs = await readByUndici(reads, true);
        const ours = readAll([...reads, EOF]);
        expect(theirs).toMatchObject({
          status: ours.status,
          headers: ours.headers,
          body: ours.body,
        });
        expect(ours.outcome).toBe('over');
      }),
      { numRuns: 300 },
    );
  });

  it('accepts nothing that it refuses, and reads the same where both accept', async () => {
    const change = fc.record({
      at: fc.nat({ max: 300 }),
      without: fc.nat({ max: 2 }),
      put: fc.constantFrom('', '\r', '\n', '\0', ' ', ':', ';', '0', '5', 'g', 'a', '\x7f', '\r\n'),
    });
    await fc.assert(
      fc.asyncProperty(response, change, async (valid, { at, without, put }) => {
        const bytes = valid.slice(0, at) + put + valid.slice(at + without);
        const ours = readAll([bytes, EOF]);
        if (ours.outcome !== 'over') return;
        // What comes after the end costs us the connection, and it the answer.
        if (readAll([bytes.slice(0, -1)]).outcome === 'over') return;
        // What a chunk's extension says is skipped here, and held to its grammar there.
        if (/\n[0-9a-f]+;/i.test(bytes)) return;
        // It refuses a blank behind a length, which is no part of the value (RFC 9110, 5.5).
        if (/\ncontent-length:.*[ \t]\r/i.test(bytes)) return;
        const theirs = await readByUndici([bytes], true);
        expect(theirs).toMatchObject({
          status: ours.status,
          headers: ours.headers,
          body: ours.body,
        });
      }),
      { numRuns: 600 },
    );
  });
});
