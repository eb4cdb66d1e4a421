/** Why Cohere ended an answer, and what it says when it broke off. */
import type { Finish, FinishReason, UpstreamComplaint } from '#providers/form.ts';
import { isRecord, recordOf, textOf } from '#providers/json.ts';
import { redact } from '../openai-chat/redact.ts';

const REASONS: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ['COMPLETE', 'stop'],
  ['STOP_SEQUENCE', 'stop'],
  ['MAX_TOKENS', 'length'],
  ['TOOL_CALL', 'tool_calls'],
  ['ERROR_TOXIC', 'content_filter'],
  ['USER_CANCEL', 'cancelled'],
  ['ERROR', 'error'],
  ['ERROR_LIMIT', 'error'],
  ['TIMEOUT', 'error'],
]);

/** Ours for Cohere's word; null for none. An unknown word means that the answer did end. */
export function toFinish(said: unknown): Finish | null {
  const native = textOf(said);
  return native === undefined ? null : { reason: REASONS.get(native) ?? 'stop', native };
}

/**
 * The failure that stands in place of a proper end: a finish reason that is an error (in a whole
 * answer, or in the `delta` of a stream's `message-end`), or a bare `{id, message}` as in refusals.
 * Null where the body is an answer.
 */
export function readComplaint(body: unknown): UpstreamComplaint | null {
  if (!isRecord(body)) return null;
  const said = isRecord(body['delta']) ? body['delta'] : body;
  const { reason, native } = toFinish(said['finish_reason']) ?? NO_FINISH;
  const bare = textOf(body['message']);
  if (reason !== 'error' && bare === undefined) return null;
  const message = errorText(said['error']) ?? bare ?? 'The provider broke the answer off.';
  return { code: native, message: redact(message), status: native === 'TIMEOUT' ? 504 : null };
}

const NO_FINISH: Finish = { reason: 'stop', native: 'upstream_error' };

function errorText(error: unknown): string | undefined {
  return textOf(error) ?? textOf(recordOf(error)['message']);
}
