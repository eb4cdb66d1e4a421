/**
 * Where the journal's lines of one turn are made, as bytes: one copy, and no strings to throw away.
 */
import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';

import { LINE_HEAD, RECORD_SEPARATOR } from './journal.ts';

const BUFFER_BYTES = 1_048_576;
/** Of one UTF-16 unit. */
const UTF8_BYTES_MAX = 3;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const HEX_DIGITS = '0123456789abcdef';
const HEX_MASK = 0xf;
const HEX_BITS = 4;

/** Bytes that grow, in a buffer that is used again. */
class Gathered {
  bytes = Buffer.allocUnsafe(BUFFER_BYTES);
  length = 0;

  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(needed * 2);
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  /** What is there until now; the bytes are used again as soon as something is added. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(0, this.length);
    this.length = 0;
    // One large turn must not cost its memory for ever.
    if (this.bytes.length > BUFFER_BYTES) this.bytes = Buffer.allocUnsafe(BUFFER_BYTES);
    return taken;
  }
}

export class JournalLines {
  readonly #lines = new Gathered();
  readonly #repeated = new Gathered();
  #lastStart = 0;

  /** Adds a line in the form of `toLine`. */
  add(record: string): void {
    const lines = this.#lines;
    lines.reserve(LINE_HEAD + record.length * UTF8_BYTES_MAX + 1);
    const start = lines.length + LINE_HEAD;
    const end = start + lines.bytes.write(record, start, 'utf8');
    this.#writeHead(crc32(lines.bytes.subarray(start, end)));
    lines.bytes[end] = NEWLINE;
    lines.length = end + 1;
    this.#lastStart = start;
  }

  /** Adds the record of the last line to what `takeRepeated` will return. */
  repeatLast(): void {
    const repeated = this.#repeated;
    const { bytes, length } = this.#lines;
    const end = length - 1;
    repeated.reserve(end - this.#lastStart + RECORD_SEPARATOR.length);
    if (repeated.length > 0) {
      repeated.length += repeated.bytes.write(RECORD_SEPARATOR, repeated.length, 'latin1');
    }
    repeated.length += bytes.copy(repeated.bytes, repeated.length, this.#lastStart, end);
  }

  #writeHead(checksum: number): void {
    const { bytes, length } = this.#lines;
    let rest = checksum;
    const space = length + LINE_HEAD - 1;
    bytes[space] = SPACE;
    for (let at = space - 1; at >= length; at -= 1) {
      bytes[at] = HEX_DIGITS.charCodeAt(rest & HEX_MASK);
      rest >>>= HEX_BITS;
    }
  }

  /** The lines so far; the bytes are used again as soon as the next one is added. */
  take(): Uint8Array {
    return this.#lines.take();
  }

  /** What was repeated so far, with `RECORD_SEPARATOR` between: bytes to keep. */
  takeRepeated(): Uint8Array {
    return new Uint8Array(this.#repeated.take());
  }
}
