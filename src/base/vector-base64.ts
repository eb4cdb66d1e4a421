/**
 * Vectors as OpenAI's `encoding_format: "base64"` writes them: 32-bit floats, little-endian, in
 * base64. Its official client asks for this form unless told otherwise.
 */

const FLOAT_BYTES = 4;
/** Arguments of one call: more than some ten thousand overflow the stack. */
const CHARACTERS_PER_CALL = 8_192;

export function toVectorBase64(vector: readonly number[]): string {
  const bytes = new Uint8Array(vector.length * FLOAT_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of vector.entries()) {
    view.setFloat32(index * FLOAT_BYTES, value, true);
  }
  let binary = '';
  for (let from = 0; from < bytes.length; from += CHARACTERS_PER_CALL) {
    binary += String.fromCharCode(...bytes.subarray(from, from + CHARACTERS_PER_CALL));
  }
  return btoa(binary);
}

/**
 * Null where the text is no such vector. Numbers come back as the shortest decimals that name the
 * same 32-bit float, as a host that answers in numbers writes them.
 */
export function fromVectorBase64(text: string): readonly number[] | null {
  const bytes = decode(text);
  if (bytes === null || bytes.length % FLOAT_BYTES !== 0) return null;
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / FLOAT_BYTES }, (_, index) =>
    shortest(view.getFloat32(index * FLOAT_BYTES, true)),
  );
}

/** Decimal digits that always tell one 32-bit float from the next. */
const DIGITS_MIN = 6;
const DIGITS_MAX = 9;

function shortest(value: number): number {
  for (let digits = DIGITS_MIN; digits < DIGITS_MAX; digits += 1) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}

function decode(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
