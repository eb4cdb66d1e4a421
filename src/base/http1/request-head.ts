/** The head of a request as HTTP/1.1 writes it (RFC 9112, 3 and 5), refused where it cannot be. */
import type { UpstreamRequest } from '../transport.ts';

/**
 * A token (RFC 9110, 5.6.2) that does not speak of the connection or of the body's framing: that is
 * ours to say, and two who say it differently are how requests are smuggled.
 */
const NAME =
  /^(?!(?:connection|content-length|expect|host|keep-alive|transfer-encoding|upgrade)$)[!#$%&'*+\-.^_`|~0-9a-z]+$/i;
/** Visible characters, spaces, tabs and the upper half of latin1 (RFC 9110, 5.5). */
const UNSAYABLE_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const UNSAYABLE_IN_TARGET = /[^\x21-\x7e]/;

/**
 * Why a request cannot bring this header along (`name` in lower case), in words for who configured
 * it; null: it can. The value is not told.
 */
export function headerFault(name: string, value: string): string | null {
  if (name !== 'host' && !NAME.test(name)) {
    return `${JSON.stringify(name)} is no header that a request may bring along`;
  }
  if (!UNSAYABLE_IN_VALUE.test(value)) return null;
  return `the header ${JSON.stringify(name)} has a value that HTTP cannot carry`;
}

/** What is the same for all requests to one URL. */
export interface RequestTarget {
  /** With the port where it is not the scheme's. */
  readonly host: string;
  readonly path: string;
}

/** Throws on characters that would end the request line or the host's. */
export function toRequestTarget(host: string, path: string): RequestTarget {
  if (UNSAYABLE_IN_TARGET.test(host) || UNSAYABLE_IN_TARGET.test(path)) {
    throw new Error('the address has characters that a request line cannot carry');
  }
  return { host, path };
}

/** RFC 9110, 8.6: a POST without a body says so; methods that expect none say nothing. */
function lengthLine(method: UpstreamRequest['method'], body: Uint8Array | null): string {
  if (body === null && method !== 'POST') return '\r\n';
  return `content-length: ${body?.length ?? 0}\r\n\r\n`;
}

/**
 * Everything before the body, to be sent as latin1. A `host` among the headers takes the place of
 * the URL's. Throws, naming the header but never its value, where a header cannot be sent.
 */
export function toRequestHead(request: UpstreamRequest, target: RequestTarget): string {
  const { method, headers, body } = request;
  let { host } = target;
  let lines = '';
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? '';
    const value = headers[at + 1];
    const fault = value === undefined ? 'a header without a value' : headerFault(name, value);
    if (fault !== null) throw new Error(fault);
    if (name === 'host') host = value ?? '';
    else lines += `${name}: ${value}\r\n`;
  }
  const opening = `${method} ${target.path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
  return opening + lines + lengthLine(method, body);
}
