/**
 * CRC-32 (IEEE 802.3, as in zip and PNG): finds typing errors in a key without asking anybody, and
 * broken frames of AWS's event streams. It proves nothing else.
 */

const POLYNOMIAL = 0xed_b8_83_20;
const BITS_PER_BYTE = 8;
const BYTE_MAX = 0xff;

const TABLE = Uint32Array.from({ length: BYTE_MAX + 1 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < BITS_PER_BYTE; bit += 1) {
    value = (value & 1) === 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  }
  return value;
});

/** CRC-32 of ASCII text, 0 to 2^32 - 1. Of a character beyond one byte only the low byte counts. */
export function crc32(text: string): number {
  let crc = ~0;
  for (let index = 0; index < text.length; index += 1) {
    crc = (TABLE[(crc ^ text.charCodeAt(index)) & BYTE_MAX] ?? 0) ^ (crc >>> BITS_PER_BYTE);
  }
  return ~crc >>> 0;
}

/** CRC-32 of bytes, 0 to 2^32 - 1. */
export function crc32OfBytes(bytes: Uint8Array): number {
  let crc = ~0;
  for (let index = 0; index < bytes.length; index += 1) {
    crc = (TABLE[(crc ^ (bytes[index] ?? 0)) & BYTE_MAX] ?? 0) ^ (crc >>> BITS_PER_BYTE);
  }
  return ~crc >>> 0;
}
