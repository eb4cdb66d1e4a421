/** What the lane reads by itself, and what it leaves to node:http. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headerOf, readRequestHead } from './request-head.ts';

const PLAIN = [
  'POST /v1/chat/completions HTTP/1.1',
  'Host: 127.0.0.1:8787',
  'Content-Length: 17',
  'Authorization: Bearer sk-1',
] as const;

const headOf = (lines: readonly string[]): string => lines.map((line) => `${line}\r\n`).join('');
const withLine = (line: string): string => headOf([...PLAIN, line]);
const withFirst = (line: string): string => headOf([line, ...PLAIN.slice(1)]);

describe('a plain head', () => {
  it('is read: route, length, and headers by lower-case name', () => {
    const head = readRequestHead(headOf(PLAIN));
    expect(head).toEqual({
      route: 'POST /v1/chat/completions',
      names: ['host', 'content-length', 'authorization'],
      values: ['127.0.0.1:8787', '17', 'Bearer sk-1'],
      bodyBytes: 17,
    });
  });

  it.each([
    ['no space', 'X-A:b', 'b'],
    ['spaces and tabs around it', 'X-A: \t b \t', 'b'],
    ['spaces and tabs within it', 'X-A: b \t c', 'b \t c'],
    ['nothing', 'X-A:', ''],
    ['blanks alone', 'X-A: \t ', ''],
    ['a colon', 'X-A: b:c', 'b:c'],
  ])('a value with %s', (_case, line, value) => {
    const head = readRequestHead(withLine(line));
    expect(head === null ? null : headerOf(head, 'x-a')).toBe(value);
  });

  it.each(['Connection: keep-alive', 'connection: Keep-Alive', "!#$%&'*+-.^_`|~09Az: token"])(
    'may say %s',
    (line) => {
      expect(readRequestHead(withLine(line))).not.toBeNull();
    },
  );

  it('has no header that was not sent', () => {
    const head = readRequestHead(headOf(PLAIN));
    expect(head === null ? '' : headerOf(head, 'constructor')).toBeNull();
  });

  it('gives back any names and values that it takes', () => {
    const name = fc.stringMatching(/^x-[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,20}$/);
    const value = fc.stringMatching(/^[\t\x20-\x7e]{0,40}$/);
    const fields = fc.uniqueArray(fc.tuple(name, value), {
      selector: ([sent]) => sent.toLowerCase(),
      maxLength: 20,
    });
    fc.assert(
      fc.property(fields, (sent) => {
        const lines = sent.map(([field, text]) => `${field}:${text}`);
        const head = readRequestHead(headOf([...PLAIN, ...lines]));
        const read = sent.map(([field]) => head && headerOf(head, field.toLowerCase()));
        expect(read).toEqual(sent.map(([, text]) => text.trim()));
      }),
    );
  });
});

describe('not plain is', () => {
  it.each([
    'POST /v1/chat/completions HTTP/1.0',
    'POST /v1/chat/completions HTTP/1.1 ',
    'POST /v1/chat/completions http/1.1',
    'POST /v1/chat/completions  HTTP/1.1',
    'POST  /v1/chat/completions HTTP/1.1',
    ' POST /v1/chat/completions HTTP/1.1',
    'POST\t/v1/chat/completions HTTP/1.1',
    'POST /v1/chat completions HTTP/1.1',
    'POST /v1/chat/completions',
    '/v1/chat/completions HTTP/1.1',
    'POST /v1/ch\u00e4t HTTP/1.1',
    'POST /v1/ch\0t HTTP/1.1',
    'POST /v1/chat\r/completions HTTP/1.1',
    'POST /v1/chat\n/completions HTTP/1.1',
    '',
  ])('the request line %j', (line) => {
    expect(readRequestHead(withFirst(line))).toBeNull();
  });

  it.each([
    ['a space before the colon', 'X-A : b'],
    ['no name', ': b'],
    ['no colon', 'X-A'],
    ['a space in the name', 'X A: b'],
    ['a folded line', ' folded'],
    ['a folded line of a tab', '\tfolded'],
    ['an empty line', ''],
    ['a bare CR', 'X-A: b\rc'],
    ['a bare LF', 'X-A: b\nc'],
    ['a bare LF that ends the line', 'X-A: b\nX-B: c'],
    ['a NUL', 'X-A: b\0c'],
    ['a DEL', 'X-A: b\u007fc'],
    ['a byte above ASCII', 'X-A: b\u00e4c'],
    ['a name above ASCII', 'X-\u00e4: b'],
    ['a name twice', 'authorization: Bearer other'],
    ['a second host', 'host: other'],
    ['a second length', 'content-length: 17'],
    ['another length', 'content-length: 18'],
    ['Transfer-Encoding', 'transfer-encoding: chunked'],
    ['Transfer-Encoding by another name', 'Transfer-Encoding: identity'],
    ['Expect', 'expect: 100-continue'],
    ['Upgrade', 'upgrade: h2c'],
    ['Trailer', 'trailer: x'],
    ['TE', 'te: trailers'],
    ['Connection: close', 'connection: close'],
    ['Connection: upgrade', 'connection: keep-alive, upgrade'],
    ['an empty Connection', 'connection:'],
    ['Proxy-Connection', 'proxy-connection: close'],
  ])('%s', (_case, line) => {
    expect(readRequestHead(withLine(line))).toBeNull();
  });

  it.each([
    '+17',
    '-17',
    '1 7',
    '17,17',
    '17, 17',
    '0x11',
    '1e1',
    '17.0',
    '',
    ' ',
    '"17"',
    '1'.repeat(16),
  ])('a length of %j', (length) => {
    const lines = [PLAIN[0], PLAIN[1], `content-length: ${length}`];
    expect(readRequestHead(headOf(lines))).toBeNull();
  });

  it('a request without a host, or without a length', () => {
    expect(readRequestHead(headOf([PLAIN[0], PLAIN[2]]))).toBeNull();
    expect(readRequestHead(headOf([PLAIN[0], PLAIN[1]]))).toBeNull();
  });

  it('more than 64 headers', () => {
    const more = Array.from({ length: 62 }, (_, n) => `x-${n}: y`);
    expect(readRequestHead(headOf([...PLAIN, ...more.slice(1)]))).not.toBeNull();
    expect(readRequestHead(headOf([...PLAIN, ...more]))).toBeNull();
  });

  it('a head that is cut anywhere but after a line', () => {
    const whole = headOf(PLAIN);
    const cuts = Array.from({ length: whole.length }, (_, at) => at);
    const taken = cuts.filter((at) => readRequestHead(whole.slice(0, at)) !== null);
    expect(taken.map((at) => whole.slice(at))).toEqual([`${PLAIN[3]}\r\n`]);
  });
});

it('work grows with the head, whatever is in it', () => {
  const blanks = ' \t'.repeat(8_000);
  expect(readRequestHead(withLine(`x-a:${blanks}\0`))).toBeNull();
  expect(readRequestHead(withLine(`x-a:${blanks}`))).not.toBeNull();
  expect(readRequestHead(withLine('a'.repeat(16_000)))).toBeNull();
});
