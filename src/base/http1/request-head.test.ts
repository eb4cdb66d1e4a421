/** A request's head is exact, and nothing that a caller brings along can end a line of it. */
import { describe, expect, it } from 'vitest';
import { toRequestHead, toRequestTarget } from './request-head.ts';

const target = toRequestTarget('host.example:8080', '/v1/x?q=%2F');
const head = (headers: readonly string[], body: Uint8Array | null = new Uint8Array(3)): string =>
  toRequestHead({ method: 'POST', url: '', headers, body }, target);

describe('works', () => {
  it('writes the request line, the host, the headers and the length', () => {
    expect(head(['x-a', '1', 'x-b', 'zwei \xfc'])).toBe(
      'POST /v1/x?q=%2F HTTP/1.1\r\nhost: host.example:8080\r\nconnection: keep-alive\r\n' +
        'x-a: 1\r\nx-b: zwei \xfc\r\ncontent-length: 3\r\n\r\n',
    );
  });

  it('says the length of no body only where one is expected', () => {
    expect(head([], null)).toMatch(/\r\ncontent-length: 0\r\n\r\n$/);
    for (const method of ['GET', 'DELETE'] as const) {
      const bare = toRequestHead({ method, url: '', headers: [], body: null }, target);
      expect(bare).not.toContain('content-length');
      expect(bare).toMatch(/[^\n]\r\n\r\n$/);
    }
  });

  it('takes the host that the operator set in place of the address’s', () => {
    const said = head(['host', 'inner.example']);
    expect(said.match(/host: .*/g)).toEqual(['host: inner.example']);
  });
});

describe('refuses', () => {
  it.each([
    ['a line end in a value', ['x-a', '1\r\nx-b: 2']],
    ['a bare LF in a value', ['x-a', '1\nx-b: 2']],
    ['a NUL in a value', ['x-a', '1\0']],
    ['a value beyond latin1', ['x-a', '1\u{2028}']],
    ['a line end in the host', ['host', 'a\r\nx-b: 2']],
    ['a line end in a name', ['x-a: 1\r\nx-b', '2']],
    ['a blank in a name', ['x a', '1']],
    ['no name', ['', '1']],
    ['a name without a value', ['x-a']],
    ['another length', ['content-length', '7']],
    ['another framing', ['Transfer-Encoding', 'chunked']],
    ['a word on the connection', ['connection', 'close']],
    ['a second host', ['Host', 'a']],
  ])('%s', (_name, headers) => {
    expect(() => head(headers)).toThrow(/header/);
  });

  it('a secret’s bytes without repeating them', () => {
    expect(() => head(['authorization', 'Bearer s3cret\n'])).toThrow(
      /^the header "authorization" has a value that HTTP cannot carry$/,
    );
  });

  it.each([
    ['a host', 'a b', '/'],
    ['a path with a blank', 'a', '/ HTTP/1.1'],
    ['a path with a line end', 'a', '/\r\nx: 1'],
    ['a path beyond ASCII', 'a', '/\xfc'],
  ])('%s that would end the request line', (_name, host, path) => {
    expect(() => toRequestTarget(host, path)).toThrow(/request line/);
  });
});
