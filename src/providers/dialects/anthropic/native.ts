/**
 * Words that all files of the Messages dialect share: its name among native fields, the reserved
 * name of the tool that stands in for an output format, and how native fields are kept.
 */
import type { NativeFields } from '#providers/form.ts';
import { isRecord, type JsonRecord } from '#providers/json.ts';

/** The name under which this dialect keeps its native fields. */
export const DIALECT = 'anthropic';

/**
 * The tool whose forced call stands in for an output format that a model cannot keep to natively.
 * The name is ours alone: a call of it in an answer is the answer's text.
 */
export const OUTPUT_TOOL = 'omnix_structured_output';

/** Asks a model to go on with an answer that was begun for it, where it takes only questions. */
export const GO_ON = 'Go on with your last message from exactly where it ends; repeat none of it.';

/** Native fields of this dialect; undefined where there are none. */
export function nativeOf(fields: JsonRecord): NativeFields | undefined {
  return Object.keys(fields).length === 0 ? undefined : { [DIALECT]: fields };
}

/** What of a part or turn only this dialect understands. */
export function nativeIn(holder: { readonly native?: NativeFields }): JsonRecord {
  return holder.native?.[DIALECT] ?? {};
}

/** The block as the upstream wrote it, kept for want of a word in the common form. */
export function rawBlockIn(holder: { readonly native?: NativeFields }): JsonRecord | null {
  const { block } = nativeIn(holder);
  return isRecord(block) ? block : null;
}

/** Only the members that are there. */
export function present(members: JsonRecord): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
