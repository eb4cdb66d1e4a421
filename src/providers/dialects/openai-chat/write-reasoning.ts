/**
 * Reasoning in OpenRouter's `reasoning_details`, which carry what the next turn needs: who made a
 * block, its signature, its encrypted blob. Written into answers here and read back from history
 * (`read-form-reasoning.ts`).
 */
import type { NativeFields, ReasoningPart } from '#providers/form.ts';
import { textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { DIALECT } from './content.ts';

/** The word for each dialect that makes reasoning which only it can read again. */
const FORMATS: Readonly<Record<string, string>> = {
  anthropic: 'anthropic-claude-v1',
  google: 'google-gemini-v1',
  bedrock: 'bedrock-converse-v1',
  cohere: 'cohere-v2',
  'openai-responses': 'openai-responses-v1',
};

const MAKERS: ReadonlyMap<string, string> = new Map(
  Object.entries(FORMATS).map(([maker, format]) => [format, maker]),
);

/** The dialect that made a detail of this format, if it is one of ours. */
export function makerOf(format: unknown): string | undefined {
  return typeof format === 'string' ? MAKERS.get(format) : undefined;
}

/** What the details of one part have in common. */
export interface DetailFrame {
  readonly type: 'reasoning.text' | 'reasoning.summary';
  /** Members beside type, text and signature. */
  readonly rest: JsonRecord;
}

/**
 * The frame of a part's details, or null where its text is all that there is: reasoning of no known
 * maker, without signature, blob or summary, is told by `reasoning_content` alone. `index` is the
 * place of the part in its message.
 */
export function detailFrame(part: ReasoningPart, index: number): DetailFrame | null {
  const native = part.native?.[DIALECT];
  const format = formatOf(part.native) ?? textOf(native?.['format']);
  const known = format !== undefined || native !== undefined;
  const sealed = part.signature !== undefined || part.encrypted !== undefined;
  if (!known && !sealed && !part.summary) return null;
  const type = part.summary ? 'reasoning.summary' : 'reasoning.text';
  const id = part.id === undefined ? {} : { id: part.id };
  return { type, rest: { ...id, format: format ?? 'unknown', index } };
}

function formatOf(native: NativeFields | undefined): string | undefined {
  if (native === undefined) return undefined;
  const maker = Object.keys(native).find((key) => Object.hasOwn(FORMATS, key));
  return maker === undefined ? undefined : FORMATS[maker];
}

/** A piece of visible reasoning, with the signature if it is known already. */
export function textDetail(frame: DetailFrame, text: string, signature?: string): JsonRecord {
  const said = frame.type === 'reasoning.summary' ? { summary: text } : { text };
  const signed = signature === undefined ? {} : { signature };
  return { type: frame.type, ...said, ...signed, ...frame.rest };
}

/** A signature that came after the text. */
export function signatureDetail(frame: DetailFrame, signature: string): JsonRecord {
  return { type: frame.type, signature, ...frame.rest };
}

/** All details that a part has at once: its text, its blob, or both under one index. */
export function partDetails(part: ReasoningPart, frame: DetailFrame): readonly JsonRecord[] {
  const { encrypted, signature, text } = part;
  const blob =
    encrypted === undefined
      ? []
      : [{ type: 'reasoning.encrypted', data: encrypted, ...frame.rest }];
  if (text !== '') return [textDetail(frame, text, signature), ...blob];
  return signature === undefined ? blob : [signatureDetail(frame, signature), ...blob];
}
