/**
 * Reads the head of a plain request, and of no other: a strict subset of what RFC 9112 allows, in
 * which nothing can be understood in two ways. What is not plain is not wrong; it is left to
 * node:http.
 */

export interface RequestHead {
  /** Method and target as they were sent: `POST /v1/chat/completions`. */
  readonly route: string;
  /** Lower-case, each at most once; `values` stand at the same places. */
  readonly names: readonly string[];
  /** Without the white space around them. */
  readonly values: readonly string[];
  readonly bodyBytes: number;
}

/**
 * A name, of token characters (RFC 9110, section 5.6.2), its colon at once, and a value of visible
 * ASCII and blanks, all on one line. The value is trimmed afterwards: a pattern that does both can
 * be made to try a long run of blanks in every way.
 */
const FIELD = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ?([\t\x20-\x7e]*)\r\n/y;
const REQUEST_LINE = /^([\x21-\x7e]+ [\x21-\x7e]+) HTTP\/1\.1\r\n/;
const CONTENT_LENGTH = /^\d{1,15}$/;
/** Comparing each name with each other one must not become work for an attacker to order. */
const HEADERS_MAX = 64;

/** Those with which a request is framed or answered in another way. */
const NOT_PLAIN = [
  'expect',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
] as const;

/**
 * Reads a head: all bytes before its empty line as latin1, with the CRLF of the last line. Null
 * where the request is not plain.
 */
export function readRequestHead(text: string): RequestHead | null {
  const [line, route] = REQUEST_LINE.exec(text) ?? [];
  if (line === undefined || route === undefined) return null;
  const fields = readFields(text, line.length);
  if (fields === null) return null;
  const connection = headerOf(fields, 'connection');
  const length = headerOf(fields, 'content-length');
  const isPlain =
    headerOf(fields, 'host') !== null &&
    (connection === null || connection.toLowerCase() === 'keep-alive') &&
    length !== null &&
    CONTENT_LENGTH.test(length);
  return isPlain ? { route, ...fields, bodyBytes: Number(length) } : null;
}

/** The lines from `from` to the end; null where one of them is not plain. */
function readFields(text: string, from: number): Pick<RequestHead, 'names' | 'values'> | null {
  const names: string[] = [];
  const values: string[] = [];
  FIELD.lastIndex = from;
  while (FIELD.lastIndex < text.length) {
    const field = FIELD.exec(text);
    if (field === null || names.length === HEADERS_MAX) return null;
    const name = field[1]?.toLowerCase() ?? '';
    if (names.includes(name)) return null;
    names.push(name);
    values.push(field[2]?.trim() ?? '');
  }
  for (const name of NOT_PLAIN) if (names.includes(name)) return null;
  return { names, values };
}

/** The value of a header by its lower-case name, or null. */
export function headerOf(head: Pick<RequestHead, 'names' | 'values'>, name: string): string | null {
  const at = head.names.indexOf(name);
  return at < 0 ? null : (head.values[at] ?? null);
}
