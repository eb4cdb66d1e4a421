/**
 * One pass over raw JSON that checks all of it (syntax, UTF-8, depth, repeated keys at the top) and
 * indexes its upper levels, so that the hot path can read and splice a few members without parsing
 * the rest. The bytes and the policy then agree on what a body says: keys compare unescaped.
 */
import {
  JSON_ARRAY,
  JSON_FALSE,
  JSON_NULL,
  JSON_NUMBER,
  JSON_OBJECT,
  JSON_STRING,
  JSON_TRUE,
  JsonIndex,
  STRIDE,
} from './json-index.ts';
import { skipPlainWords, STRING_CLASS, wordsOf, type Words } from './json-words.ts';
import { findRepeatedKey } from './json-repeats.ts';
import { err, ok, type Result } from './result.ts';

export type JsonProblem =
  | { readonly kind: 'syntax'; readonly offset: number; readonly message: string }
  | { readonly kind: 'depth'; readonly offset: number; readonly message: string }
  | {
      readonly kind: 'repeated_key';
      readonly offset: number;
      readonly message: string;
      readonly key: string;
    };

export interface ScanLimits {
  /** Containers inside containers, at most. */
  readonly depthMax: number;
  /** Values down to this depth get a node (the root has depth 0). */
  readonly indexDepth: number;
}

export const DEFAULT_LIMITS: ScanLimits = { depthMax: 128, indexDepth: 6 };

const NO_KEY = -1;

/** So many numbers of tape are kept for the next scan: enough for everyday bodies. */
const SCRATCH_LENGTH = 16_384;

/**
 * Where tapes are written before their length is known. A scan never pauses, so there is but one at
 * a time; an array that grows with each body would cost several times its own size.
 */
const scratch: number[] = Array.from({ length: SCRATCH_LENGTH }, () => 0);

/** Documents of this size and more hold strings that are worth reading by words. */
const WORDS_FROM_BYTES = 8_192;

/** Thrown and caught inside this file only: a failure deep in the recursion has one way out. */
class ScanFailure extends Error {
  override readonly name = 'ScanFailure';
  readonly problem: JsonProblem;
  constructor(problem: JsonProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

interface Scan {
  readonly bytes: Uint8Array;
  /** Of large documents only. */
  readonly words: Words | null;
  readonly limits: ScanLimits;
  readonly tape: number[];
  /** Numbers on the tape so far. */
  taped: number;
  at: number;
  /** Of the member whose value comes next; -1 in arrays and at the root. */
  keyStart: number;
  keyEnd: number;
  /** True once a key holds a backslash: keys must then be unescaped to be compared. */
  escapedKeys: boolean;
}

function fail(offset: number, message: string): never {
  throw new ScanFailure({ kind: 'syntax', offset, message });
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
    at += 1;
  }
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function isBetween(byte: number | undefined, low: number, high: number): boolean {
  return byte !== undefined && byte >= low && byte <= high;
}

/** How long a sequence with this start is, 0 if there is none: RFC 3629, section 4. */
function utf8Length(lead: number, second: number | undefined): number {
  if (isBetween(lead, 0xc2, 0xdf)) return isContinuation(second) ? 2 : 0;
  if (isBetween(lead, 0xe0, 0xef)) {
    return isBetween(second, lead === 0xe0 ? 0xa0 : 0x80, lead === 0xed ? 0x9f : 0xbf) ? 3 : 0;
  }
  if (!isBetween(lead, 0xf0, 0xf4)) return 0;
  return isBetween(second, lead === 0xf0 ? 0x90 : 0x80, lead === 0xf4 ? 0x8f : 0xbf) ? 4 : 0;
}

/** `at` stands on a byte >= 0x80. Returns the offset after one well-formed UTF-8 sequence. */
function skipUtf8(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  // The scripts of most languages that are not latin, at once.
  const isPlainThree = lead > 0xe0 && lead < 0xed && isContinuation(bytes[at + 1]);
  if (isPlainThree && isContinuation(bytes[at + 2])) return at + 3;
  const length = utf8Length(lead, bytes[at + 1]);
  if (length === 0) fail(at, 'the body is not valid UTF-8');
  for (let tail = at + 2; tail < at + length; tail += 1) {
    if (!isContinuation(bytes[tail])) fail(at, 'the body is not valid UTF-8');
  }
  return at + length;
}

function isHexDigit(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const lower = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (lower >= 0x61 && lower <= 0x66);
}

/** `at` stands on a backslash. Returns the offset after the escape. */
function skipEscape(bytes: Uint8Array, at: number): number {
  switch (bytes[at + 1]) {
    case 0x22:
    case 0x5c:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return at + 2;
    case 0x75:
      for (let digit = at + 2; digit < at + 6; digit += 1) {
        if (!isHexDigit(bytes[digit])) fail(at, 'a \\u escape needs four hexadecimal digits');
      }
      return at + 6;
    default:
      return fail(at, 'a string holds an escape that JSON does not know');
  }
}

/** `at` stands on a byte that is neither plain nor the end. Returns the offset after it. */
function skipSpecial(bytes: Uint8Array, at: number, kind: number | undefined): number {
  if (kind === 2) return skipEscape(bytes, at);
  if (kind === 4) {
    // Seldom alone: in most languages of the world the next one is beyond ASCII too.
    let next = skipUtf8(bytes, at);
    while ((bytes[next] ?? 0) >= 0x80) next = skipUtf8(bytes, next);
    return next;
  }
  if (kind === 3) fail(at, 'a string holds a raw control character; it must be escaped');
  return fail(at, 'the body ends inside a string');
}

/** `from` stands after the opening quote. Returns the offset after the closing one. */
function skipString(scan: Scan, from: number): number {
  const { bytes, words } = scan;
  let at = from;
  for (;;) {
    if (words !== null) at = skipPlainWords(bytes, words, at);
    let kind = STRING_CLASS[bytes[at] ?? -1];
    while (kind === 0) {
      at += 1;
      kind = STRING_CLASS[bytes[at] ?? -1];
    }
    if (kind === 1) return at + 1;
    at = skipSpecial(bytes, at, kind);
  }
}

/** As `skipString`, for a key. */
function skipKey(scan: Scan, from: number): number {
  const { bytes } = scan;
  let at = from;
  while (STRING_CLASS[bytes[at] ?? -1] === 0) at += 1;
  if (bytes[at] === 0x22) return at + 1;
  if (bytes[at] === 0x5c) scan.escapedKeys = true;
  const end = skipString(scan, at);
  if (!scan.escapedKeys) scan.escapedKeys = bytes.subarray(at, end).includes(0x5c);
  return end;
}

function skipDigits(bytes: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    const byte = bytes[at];
    if (byte === undefined || byte < 0x30 || byte > 0x39) return at;
    at += 1;
  }
}

function skipNumber(bytes: Uint8Array, from: number): number {
  let at = bytes[from] === 0x2d ? from + 1 : from;
  const whole = at;
  at = skipDigits(bytes, at);
  if (at === whole) fail(from, 'expected a value');
  if (bytes[whole] === 0x30 && at > whole + 1) fail(from, 'a number must not start with 0');
  if (bytes[at] === 0x2e) {
    const fraction = skipDigits(bytes, at + 1);
    if (fraction === at + 1) fail(at, 'a number needs a digit after its point');
    at = fraction;
  }
  const exponent = bytes[at];
  if (exponent === 0x65 || exponent === 0x45) {
    const sign = bytes[at + 1];
    const digits = sign === 0x2b || sign === 0x2d ? at + 2 : at + 1;
    const end = skipDigits(bytes, digits);
    if (end === digits) fail(at, 'a number needs a digit in its exponent');
    at = end;
  }
  return at;
}

function skipWord(scan: Scan, word: string, kind: number): number {
  const { bytes, at } = scan;
  for (let index = 0; index < word.length; index += 1) {
    if (bytes[at + index] !== word.charCodeAt(index)) fail(at, 'expected a value');
  }
  scan.at = at + word.length;
  return kind;
}

function scanScalar(scan: Scan, first: number | undefined): number {
  switch (first) {
    case 0x22:
      scan.at = skipString(scan, scan.at + 1);
      return JSON_STRING;
    case 0x74:
      return skipWord(scan, 'true', JSON_TRUE);
    case 0x66:
      return skipWord(scan, 'false', JSON_FALSE);
    case 0x6e:
      return skipWord(scan, 'null', JSON_NULL);
    case undefined:
      return fail(scan.at, 'the body ends where a value was expected');
    default:
      scan.at = skipNumber(scan.bytes, scan.at);
      return JSON_NUMBER;
  }
}

/** Scans the value at `scan.at` (spaces already skipped) and leaves `scan.at` after it. */
function scanValue(scan: Scan, depth: number): void {
  const { bytes, tape, limits } = scan;
  const start = scan.at;
  const node = scan.taped;
  const indexed = depth <= limits.indexDepth;
  if (indexed) {
    tape[node] = 0;
    tape[node + 1] = start;
    tape[node + 2] = 0;
    tape[node + 3] = scan.keyStart;
    tape[node + 4] = scan.keyEnd;
    tape[node + 5] = 0;
    scan.taped = node + STRIDE;
  }
  const first = bytes[start];
  let kind: number;
  if (first === 0x7b || first === 0x5b) {
    if (depth >= limits.depthMax) {
      const message = `the body nests deeper than ${limits.depthMax} levels`;
      throw new ScanFailure({ kind: 'depth', offset: start, message });
    }
    kind = first === 0x7b ? JSON_OBJECT : JSON_ARRAY;
    if (kind === JSON_OBJECT) scanObject(scan, depth);
    else scanArray(scan, depth);
  } else {
    kind = scanScalar(scan, first);
  }
  if (indexed) {
    tape[node] = kind;
    tape[node + 2] = scan.at;
    tape[node + 5] = scan.taped;
  }
}

function scanObject(scan: Scan, depth: number): void {
  const { bytes } = scan;
  let at = skipSpace(bytes, scan.at + 1);
  if (bytes[at] === 0x7d) {
    scan.at = at + 1;
    return;
  }
  for (;;) {
    if (bytes[at] !== 0x22) fail(at, 'expected a double-quoted property name');
    const keyStart = at + 1;
    const keyEnd = skipKey(scan, keyStart);
    at = skipSpace(bytes, keyEnd);
    if (bytes[at] !== 0x3a) fail(at, "expected ':' after a property name");
    scan.at = skipSpace(bytes, at + 1);
    scan.keyStart = keyStart;
    scan.keyEnd = keyEnd - 1;
    scanValue(scan, depth + 1);
    at = skipSpace(bytes, scan.at);
    const next = bytes[at];
    if (next === 0x7d) break;
    if (next !== 0x2c) fail(at, "expected ',' or '}' in an object");
    at = skipSpace(bytes, at + 1);
  }
  scan.at = at + 1;
}

function scanArray(scan: Scan, depth: number): void {
  const { bytes } = scan;
  let at = skipSpace(bytes, scan.at + 1);
  if (bytes[at] === 0x5d) {
    scan.at = at + 1;
    return;
  }
  for (;;) {
    scan.at = at;
    scan.keyStart = NO_KEY;
    scan.keyEnd = NO_KEY;
    scanValue(scan, depth + 1);
    at = skipSpace(bytes, scan.at);
    const next = bytes[at];
    if (next === 0x5d) break;
    if (next !== 0x2c) fail(at, "expected ',' or ']' in an array");
    at = skipSpace(bytes, at + 1);
  }
  scan.at = at + 1;
}

/** The tape of a whole document. Throws a ScanFailure. */
function scanDocument(scan: Scan): readonly number[] {
  try {
    scanValue(scan, 0);
    scan.at = skipSpace(scan.bytes, scan.at);
    if (scan.at < scan.bytes.length) {
      fail(scan.at, 'unexpected characters after the end of the JSON');
    }
    return scratch.slice(0, scan.taped);
  } finally {
    // What one large body needed is not kept.
    if (scratch.length > SCRATCH_LENGTH) scratch.length = SCRATCH_LENGTH;
  }
}

/**
 * Checks a whole JSON document and indexes it. Repeated keys are refused in the root object only.
 */
export function scanJson(
  bytes: Uint8Array,
  limits: ScanLimits = DEFAULT_LIMITS,
): Result<JsonIndex, JsonProblem> {
  const scan: Scan = {
    bytes,
    words: bytes.length < WORDS_FROM_BYTES ? null : wordsOf(bytes),
    limits,
    tape: scratch,
    taped: 0,
    at: skipSpace(bytes, 0),
    keyStart: NO_KEY,
    keyEnd: NO_KEY,
    escapedKeys: false,
  };
  let tape: readonly number[];
  try {
    tape = scanDocument(scan);
  } catch (failure) {
    if (failure instanceof ScanFailure) return err(failure.problem);
    throw failure;
  }
  const index = new JsonIndex(bytes, tape, scan.escapedKeys);
  const repeated = index.kind(0) === JSON_OBJECT ? findRepeatedKey(index) : -1;
  if (repeated < 0) return ok(index);
  const key = index.key(repeated).slice(0, 100);
  const message = `the property '${key}' is given more than once`;
  return err({ kind: 'repeated_key', offset: index.keyStart(repeated), message, key });
}
