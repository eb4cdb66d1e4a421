/**
 * The chunked framing (RFC 9112, 7.1) taken out of the bytes in place: what remains of one read
 * stands together at its front, so that it can be handed on with a single copy.
 */

const SIZE_FIRST = 0;
const SIZE = 1;
const EXTENSION = 2;
const SIZE_LF = 3;
const DATA = 4;
const DATA_CR = 5;
const DATA_LF = 6;
const TRAILER_FIRST = 7;
const TRAILER_NAME = 8;
const TRAILER = 9;
const TRAILER_LF = 10;
const LAST_LF = 11;
const OVER = 12;

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const COLON = 58;
const SEMICOLON = 59;
const DELETE = 127;

/** Sizes stay exact: 16 times this, and a digit, is below 2^53. */
const SIZE_BEFORE_DIGIT_MAX = 2 ** 49 - 1;
/** One chunk's size line: leading zeros and extensions that nobody reads. */
const SIZE_LINE_BYTES_MAX = 4 * 1024;
const TRAILER_BYTES_MAX = 64 * 1024;

/** The value of a hexadecimal digit, or -1. */
function digitOf(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/;
const isToken = (byte: number): boolean => TOKEN.test(String.fromCharCode(byte));

const isPlain = (byte: number): boolean => (byte >= SPACE && byte !== DELETE) || byte === TAB;

/** One body at a time; `begin` makes it ready for the next. */
export class ChunkedBody {
  #state = SIZE_FIRST;
  #left = 0;
  /** Bytes of the size line or of the trailers so far. */
  #lineBytes = 0;
  /** Where the payload of the last `take` begins and ends in its bytes. */
  start = 0;
  end = 0;
  /** What is wrong with the framing, in words for the log. */
  fault: string | null = null;

  begin(): void {
    this.#state = SIZE_FIRST;
    this.fault = null;
  }

  get over(): boolean {
    return this.#state === OVER;
  }

  /**
   * Reads bytes[from..to) until they, or the body, or its validity ends, and returns how far it
   * came. Moves the payload together, to `start` and `end`.
   */
  take(bytes: Uint8Array, from: number, to: number): number {
    this.start = from;
    this.end = from;
    let at = from;
    while (at < to && this.#state !== OVER && this.fault === null) {
      if (this.#state === DATA) {
        at = this.#takeData(bytes, at, to);
      } else {
        this.#step(bytes[at] ?? 0);
        at += 1;
      }
    }
    return at;
  }

  #takeData(bytes: Uint8Array, ...[at, to]: readonly [number, number]): number {
    const next = Math.min(to, at + this.#left);
    if (this.start === this.end) {
      this.start = at;
      this.end = next;
    } else {
      bytes.copyWithin(this.end, at, next);
      this.end += next - at;
    }
    this.#left -= next - at;
    if (this.#left === 0) this.#state = DATA_CR;
    return next;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case SIZE_FIRST:
        this.#left = 0;
        this.#lineBytes = 0;
        this.#takeDigit(byte);
        return;
      case SIZE:
        if (byte === CR) this.#state = SIZE_LF;
        else if (byte === SEMICOLON) this.#state = EXTENSION;
        else this.#takeDigit(byte);
        return;
      case EXTENSION:
        if (byte === CR) this.#state = SIZE_LF;
        else this.#skip(byte, SIZE_LINE_BYTES_MAX);
        return;
      case SIZE_LF:
        this.#lineBytes = 0;
        this.#expect(byte, LF, this.#left === 0 ? TRAILER_FIRST : DATA);
        return;
      case DATA_CR:
        this.#expect(byte, CR, DATA_LF);
        return;
      case DATA_LF:
        this.#expect(byte, LF, SIZE_FIRST);
        return;
      default:
        this.#stepTrailer(byte);
    }
  }

  #stepTrailer(byte: number): void {
    switch (this.#state) {
      case TRAILER_FIRST:
        if (byte === CR) this.#state = LAST_LF;
        else this.#nameTrailer(byte);
        return;
      case TRAILER_NAME:
        if (byte === COLON) this.#state = TRAILER;
        else this.#nameTrailer(byte);
        return;
      case TRAILER:
        if (byte === CR) this.#state = TRAILER_LF;
        else this.#skip(byte, TRAILER_BYTES_MAX);
        return;
      case TRAILER_LF:
        this.#expect(byte, LF, TRAILER_FIRST);
        return;
      default:
        this.#expect(byte, LF, OVER);
    }
  }

  #takeDigit(byte: number): void {
    const digit = digitOf(byte);
    this.#lineBytes += 1;
    if (digit < 0) this.fault = 'the size of a chunk is not a number';
    else if (this.#left > SIZE_BEFORE_DIGIT_MAX) this.fault = 'a chunk of more than 2^53 bytes';
    else if (this.#lineBytes > SIZE_LINE_BYTES_MAX) this.fault = 'the size of a chunk has no end';
    this.#left = this.#left * 16 + digit;
    this.#state = SIZE;
  }

  #nameTrailer(byte: number): void {
    if (!isToken(byte)) this.fault = 'a trailer without a valid name';
    this.#state = TRAILER_NAME;
    this.#skip(byte, TRAILER_BYTES_MAX);
  }

  #skip(byte: number, bytesMax: number): void {
    this.#lineBytes += 1;
    if (this.fault !== null) return;
    if (!isPlain(byte)) this.fault = 'a control character between chunks';
    else if (this.#lineBytes > bytesMax) this.fault = `more than ${bytesMax} bytes between chunks`;
  }

  #expect(byte: number, wanted: number, next: number): void {
    if (byte === wanted) this.#state = next;
    else this.fault = 'a line between chunks does not end with CRLF';
  }
}
