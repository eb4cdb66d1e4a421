/** Searching and joining raw bytes without leaving them: the tools of the pass-through path. */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const EMPTY_BYTES: Uint8Array = new Uint8Array(0);

export function toBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** A call of the encoder costs as much as so many characters one by one. */
const CHARACTERS_BY_HAND_MAX = 96;

/**
 * Writes text as UTF-8 at an offset and returns the offset after it. The room must be there: three
 * bytes for each UTF-16 unit.
 */
export function writeText(into: Uint8Array, at: number, text: string): number {
  if (text.length <= CHARACTERS_BY_HAND_MAX) {
    let next = at;
    for (let index = 0; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      if (unit >= 0x80) return at + encoder.encodeInto(text, into.subarray(at)).written;
      into[next] = unit;
      next += 1;
    }
    return next;
  }
  return at + encoder.encodeInto(text, into.subarray(at)).written;
}

const SLAB_BYTES = 16_384;
const SLAB_SHARE_MAX = SLAB_BYTES / 4;

/** What is left of the last slab: a store of empty room, not a state that anybody can observe. */
const slab = { bytes: new Uint8Array(0), used: 0 };

/**
 * Room for bytes that live about as long as a request. Small ones are cut from a larger piece, ten
 * times cheaper than memory of their own; whoever keeps one for long keeps its neighbours too.
 */
export function roomFor(length: number): Uint8Array {
  if (length > SLAB_SHARE_MAX) return new Uint8Array(length);
  if (length > slab.bytes.length - slab.used) {
    slab.bytes = new Uint8Array(SLAB_BYTES);
    slab.used = 0;
  }
  const start = slab.used;
  slab.used = start + length;
  return slab.bytes.subarray(start, slab.used);
}

/** A copy of bytes[start..end), in memory as of `roomFor`. */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = roomFor(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}

/** The same bytes without the ways of Node's Buffer, whose views cost more than the bytes. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Smaller ones cost more to free than to collect. */
const FREED_BYTES_MIN = 16_384;

/**
 * Gives the memory of bytes back at once, if they fill it alone and it is worth it; every view of
 * it is empty from then on, and so must not be needed. Never of bytes that a socket was ever given:
 * the kernel may still be reading them. V8 counts memory outside of its heap and looks through all
 * of the heap each time that some 64 MB have come, which holds up everybody for 10 to 25 ms: large
 * bodies bring that about every few seconds.
 */
export function freeBytes({ buffer, length }: Uint8Array): void {
  const isWorthIt = length >= FREED_BYTES_MIN && length === buffer.byteLength;
  if (isWorthIt && buffer instanceof ArrayBuffer) buffer.transfer(0);
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

/** As `concatBytes`, of parts that nobody else will look at: they are freed. */
export function mergeBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = concatBytes(parts);
  if (parts.length > 1) for (const part of parts) freeBytes(part);
  return whole;
}
