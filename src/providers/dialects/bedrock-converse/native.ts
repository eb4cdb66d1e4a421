/** The name under which Converse's own fields travel in the common form, and what stands there. */
import type { NativeFields } from '#providers/form.ts';
import type { JsonRecord } from '#providers/json.ts';

export const BEDROCK = 'bedrock';

/** Marks a part as made here, so that its signature may go back here and nowhere else. */
export const OWN: NativeFields = { [BEDROCK]: {} };

/** Native fields of this dialect; undefined where there are none. */
export function nativeOf(fields: JsonRecord): NativeFields | undefined {
  return Object.keys(fields).length === 0 ? undefined : { [BEDROCK]: fields };
}

/**
 * The tool by which an answer's schema is said where Converse has no other word. Its call is the
 * answer: reading turns it back into text. The name is what connects the two, as nothing else of
 * the request is known when the answer is read.
 */
export const OUTPUT_TOOL = 'omnix_structured_answer';
