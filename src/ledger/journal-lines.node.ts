/**
 * Where the journal's lines of one turn are made, as bytes: one copy, and no strings to throw away.
 */
import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';

import { LINE_HEAD } from './journal.ts';

const BUFFER_BYTES = 1_048_576;
/** Of one UTF-16 unit. */
const UTF8_BYTES_MAX = 3;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const HEX_DIGITS = '0123456789abcdef';
const HEX_MASK = 0xf;
const HEX_BITS = 4;

export class JournalLines {
  #bytes = Buffer.allocUnsafe(BUFFER_BYTES);
  #length = 0;

  /** Adds a line in the form of `toLine`. */
  add(json: string): void {
    this.#reserve(LINE_HEAD + json.length * UTF8_BYTES_MAX + 1);
    const start = this.#length + LINE_HEAD;
    const end = start + this.#bytes.write(json, start, 'utf8');
    this.#writeHead(crc32(this.#bytes.subarray(start, end)));
    this.#bytes[end] = NEWLINE;
    this.#length = end + 1;
  }

  #writeHead(checksum: number): void {
    let rest = checksum;
    const space = this.#length + LINE_HEAD - 1;
    this.#bytes[space] = SPACE;
    for (let at = space - 1; at >= this.#length; at -= 1) {
      this.#bytes[at] = HEX_DIGITS.charCodeAt(rest & HEX_MASK);
      rest >>>= HEX_BITS;
    }
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(needed * 2);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  /** The lines so far; the bytes are used again as soon as the next one is added. */
  take(): Uint8Array {
    const lines = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    // One large turn must not cost its memory for ever.
    if (this.#bytes.length > BUFFER_BYTES) this.#bytes = Buffer.allocUnsafe(BUFFER_BYTES);
    return lines;
  }
}
