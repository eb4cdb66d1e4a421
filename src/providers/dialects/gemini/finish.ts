/** Why a candidate ended. Google says STOP also where the model calls tools. */
import type { Finish, FinishReason } from '#providers/form.ts';
import { textOf } from '#providers/json.ts';

/** FinishReason and BlockedReason of @google/genai 3.1; MODEL_ARMOR is Vertex's own. */
const REASONS: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ['STOP', 'stop'],
  ['MAX_TOKENS', 'length'],
  ['SAFETY', 'content_filter'],
  ['RECITATION', 'content_filter'],
  ['BLOCKLIST', 'content_filter'],
  ['PROHIBITED_CONTENT', 'content_filter'],
  ['SPII', 'content_filter'],
  ['JAILBREAK', 'content_filter'],
  ['MODEL_ARMOR', 'content_filter'],
  ['IMAGE_SAFETY', 'content_filter'],
  ['IMAGE_PROHIBITED_CONTENT', 'content_filter'],
  ['IMAGE_RECITATION', 'content_filter'],
  ['LANGUAGE', 'error'],
  ['OTHER', 'error'],
  ['MALFORMED_FUNCTION_CALL', 'error'],
  ['MALFORMED_RESPONSE', 'error'],
  ['UNEXPECTED_TOOL_CALL', 'error'],
  ['TOO_MANY_TOOL_CALLS', 'error'],
  ['NO_IMAGE', 'error'],
  ['IMAGE_OTHER', 'error'],
  ['CONTINUATION', 'pause'],
]);

/**
 * Ours for `finishReason`; null where it is not there yet. An unknown word means that the candidate
 * did end, so it is `stop`, with the word kept.
 */
export function toFinish(native: unknown, calls: number): Finish | null {
  const word = textOf(native);
  if (word === undefined || word === 'FINISH_REASON_UNSPECIFIED') return null;
  const reason = REASONS.get(word) ?? 'stop';
  return { reason: reason === 'stop' && calls > 0 ? 'tool_calls' : reason, native: word };
}

/** A prompt that was blocked has no candidates: the answer ends before it began. */
export function blockedFinish(blockReason: string): Finish {
  return { reason: 'content_filter', native: blockReason };
}
