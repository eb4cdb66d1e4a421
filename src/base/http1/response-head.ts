/**
 * The head of a response (RFC 9112, 4 to 6): found in the bytes, checked strictly, and read for
 * what it says of the body's end and of the connection. What is doubtful is refused: two readers
 * that see two different ends are how answers get mixed up.
 */
import type { UpstreamHeaders } from '../transport.ts';

/** How the body ends (RFC 9112, 6.3). */
export type Framing = 'none' | 'length' | 'chunked' | 'until_close';

export interface ResponseHead {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  readonly framing: Framing;
  /** Of the body, where `framing` is `length`. */
  readonly length: number;
  /** Whether the connection may carry another request. */
  readonly persistent: boolean;
  /** How long the server keeps an idle connection; Infinity where it does not say. */
  readonly idleMsMax: number;
}

/** A head that is none. The message says why, in words for the log. */
export class HeadRefused extends Error {
  override readonly name = 'HeadRefused';
}

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const DELETE = 127;

/** The head goes on in the next read. */
export const HEAD_OPEN = -1;

const isText = (byte: number): boolean => (byte >= SPACE && byte !== DELETE) || byte === TAB;

/** A control character must be half of a CRLF, whose other half may not have come. */
function checkControl(bytes: Uint8Array, at: number, to: number): void {
  const byte = bytes[at];
  const paired = byte === CR ? at + 1 === to || bytes[at + 1] === LF : bytes[at - 1] === CR;
  if (byte !== CR && byte !== LF) throw new HeadRefused('a control character in the head');
  if (!paired) throw new HeadRefused('a CR or an LF that stands alone in the head');
}

/**
 * The offset after the empty line, or HEAD_OPEN. What was searched before may be left out by
 * `from`, but for its last byte, and must stand before it. Throws HeadRefused on any control
 * character but a tab, and on a CR or an LF that stands alone.
 */
export function findHeadEnd(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] ?? 0;
    if (isText(byte)) continue;
    checkControl(bytes, at, to);
    if (byte === LF && bytes[at - 2] === LF && bytes[at - 3] === CR) return at + 1;
  }
  return HEAD_OPEN;
}

const STATUS_LINE = /^HTTP\/1\.[01] [1-9][0-9][0-9](?: [^\r]*)?\r\n/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Up to 10^15 - 1, so that it and every sum with it is exact. */
const LENGTH = /^[0-9]{1,15}$/;
const KEEP_ALIVE_TIMEOUT = /(?:^|[,;\s])timeout=([0-9]{1,9})(?=$|[,;\s])/i;

/** What the lines of a head say about framing and connection. */
interface Said {
  length: number;
  codings: string;
  connection: string;
  keepAlive: string;
}

/** RFC 9110, 8.6: equal lengths may be repeated, as lines or as a list. */
function noteLength(said: Said, value: string): void {
  for (const part of value.includes(',') ? value.split(',') : [value]) {
    const digits = part.trim();
    if (!LENGTH.test(digits)) throw new HeadRefused('content-length is not a number of bytes');
    const length = Number(digits);
    if (said.length >= 0 && said.length !== length) {
      throw new HeadRefused('two values of content-length');
    }
    said.length = length;
  }
}

const joined = (before: string, value: string): string =>
  before === '' ? value : `${before},${value}`;

function note(said: Said, name: string, value: string): void {
  switch (name) {
    case 'content-length':
      return noteLength(said, value);
    case 'transfer-encoding':
      said.codings = joined(said.codings, value);
      return;
    case 'connection':
      said.connection = joined(said.connection, value);
      return;
    case 'keep-alive':
      said.keepAlive = joined(said.keepAlive, value);
      return;
    default:
  }
}

const isBlank = (code: number): boolean => code === SPACE || code === TAB;

/** `from` is after the colon, `to` at the line's end. Optional whitespace is not the value's. */
function valueIn(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** A folded line (RFC 9112, 5.2) has no name, and so is refused as one without. */
function readLines(text: string, said: Said): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = text.indexOf('\r\n') + 2; at < text.length;) {
    const end = text.indexOf('\r\n', at);
    const colon = text.indexOf(':', at);
    const written = colon < 0 || colon > end ? '' : text.slice(at, colon);
    if (!NAME.test(written)) throw new HeadRefused('a header line without a valid name');
    const name = written.toLowerCase();
    const value = valueIn(text, colon + 1, end);
    headers[name] = value;
    note(said, name, value);
    at = end + 2;
  }
  return headers;
}

function framingOf(status: number, said: Said): Framing {
  if (status < 200 || status === 204 || status === 304) return 'none';
  if (said.codings !== '') {
    if (said.codings.toLowerCase() !== 'chunked') {
      throw new HeadRefused('a transfer-encoding that was not asked for');
    }
    return 'chunked';
  }
  return said.length >= 0 ? 'length' : 'until_close';
}

function isPersistent(text: string, said: Said, framing: Framing): boolean {
  // HTTP/1.0's own keep-alive is not spoken. Where both framings stand, the chunks count, and
  // nobody knows what the sender meant by the rest (RFC 9112, 6.3).
  const odd = said.codings !== '' && said.length >= 0;
  if (text.charAt(7) === '0' || framing === 'until_close' || odd) return false;
  return said.connection === '' || !/(?:^|[,\s])close(?=$|[,\s])/i.test(said.connection);
}

function idleMsOf(said: Said): number {
  const seconds = said.keepAlive === '' ? null : KEEP_ALIVE_TIMEOUT.exec(said.keepAlive);
  return seconds === null ? Number.POSITIVE_INFINITY : Number(seconds[1]) * 1_000;
}

/**
 * `text` is the head as latin1, from the status line to the CRLF of its last line, after
 * `findHeadEnd`. A repeated header keeps its last value. Throws HeadRefused.
 */
export function readResponseHead(text: string): ResponseHead {
  if (!STATUS_LINE.test(text)) throw new HeadRefused('the answer does not begin as HTTP/1.1 does');
  const status = Number(text.slice(9, 12));
  const said: Said = { length: -1, codings: '', connection: '', keepAlive: '' };
  const headers = readLines(text, said);
  const framing = framingOf(status, said);
  return {
    status,
    headers,
    framing,
    length: framing === 'length' ? said.length : 0,
    persistent: isPersistent(text, said, framing),
    idleMsMax: idleMsOf(said),
  };
}
