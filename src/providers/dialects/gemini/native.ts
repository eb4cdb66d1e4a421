/**
 * What Google's own fields are called in the common form, and the thought signatures among them.
 * A signature is an opaque proof of what the model thought; it goes back on the part that it came
 * on (https://ai.google.dev/gemini-api/docs/thought-signatures, read 2026-11).
 */
import type { NativeFields, Part } from '#providers/form.ts';
import { textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';

/** The name under which this dialect keeps its native fields, on whatever host. */
export const GOOGLE = 'google';

/** Marks a part as Google's own, so that it may go back there. */
export const OWN: NativeFields = { [GOOGLE]: {} };

/**
 * What Google documents for history that lost its signatures or came from elsewhere, as the base64
 * of "skip_thought_signature_validator" (accepted by both hosts in recordings of 2026).
 */
export const PLACEHOLDER_SIGNATURE = 'c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=';

/** Native fields of this dialect; undefined where there are none. */
export function nativeOf(fields: JsonRecord): NativeFields | undefined {
  return Object.keys(fields).length === 0 ? undefined : { [GOOGLE]: fields };
}

/** A `native` member for a part that came with this signature, or none. */
export function signedBy(signature: string | undefined): { readonly native?: NativeFields } {
  return signature === undefined ? {} : { native: { [GOOGLE]: { thought_signature: signature } } };
}

/** The signature that a part of the form carries for Google. */
export function signatureOf(part: Part): string | undefined {
  return textOf(part.native?.[GOOGLE]?.['thought_signature']);
}

/** Only the members that are there. */
export function present(members: JsonRecord): Record<string, unknown> {
  const some: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(members)) if (value !== undefined) some[key] = value;
  return some;
}
