/**
 * Base62: digits and letters only, so that a key or a checksum is selected by a double click and
 * needs no escaping.
 */

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BASE = 62n;
const BITS_PER_BYTE = 8n;

/**
 * A whole number, not negative, as base62, most significant digit first, padded to `length` with
 * zeros.
 */
export function toBase62(value: bigint, length: number): string {
  if (value < 0n) throw new RangeError('base62 has no sign');
  let rest = value;
  let text = '';
  while (rest > 0n) {
    text = ALPHABET.charAt(Number(rest % BASE)) + text;
    rest /= BASE;
  }
  if (text.length > length) throw new RangeError(`the number needs more than ${length} digits`);
  return text.padStart(length, '0');
}

/** Bytes, read as one big-endian number, as base62. 32 bytes fit in 43 characters. */
export function bytesToBase62(bytes: Uint8Array, length: number): string {
  let value = 0n;
  for (const byte of bytes) value = (value << BITS_PER_BYTE) | BigInt(byte);
  return toBase62(value, length);
}

/** True when every character is one of the 62. The empty string is. */
export function isBase62(text: string): boolean {
  return /^[0-9A-Za-z]*$/.test(text);
}
