/** Searching and joining raw bytes without leaving them: the tools of the pass-through path. */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);

export function toBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** UTF-8 to text; what is not UTF-8 becomes U+FFFD. */
export function toText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** An ASCII string prepared for repeated searches (Horspool's skip table). */
export interface Needle {
  readonly bytes: Uint8Array;
  readonly skip: Uint8Array;
}

export function needleOf(text: string): Needle {
  const bytes = toBytes(text);
  const skip = new Uint8Array(256).fill(bytes.length);
  for (let index = 0; index < bytes.length - 1; index += 1) {
    skip[bytes[index] ?? 0] = bytes.length - 1 - index;
  }
  return { bytes, skip };
}

/** Offset of the needle at or after `from`, or -1. */
export function indexOfNeedle(haystack: Uint8Array, needle: Needle, from: number): number {
  const { bytes, skip } = needle;
  const last = bytes.length - 1;
  const end = haystack.length;
  const lastByte = bytes[last];
  let at = from + last;
  while (at < end) {
    const byte = haystack[at] ?? 0;
    if (byte === lastByte) {
      let back = last - 1;
      while (back >= 0 && haystack[at - last + back] === bytes[back]) back -= 1;
      if (back < 0) return at - last;
    }
    at += skip[byte] ?? 1;
  }
  return -1;
}

/** One array of all parts; the part itself where there is only one. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first === undefined) return EMPTY_BYTES;
  if (parts.length === 1) return first;
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function totalLength(parts: readonly Uint8Array[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}
