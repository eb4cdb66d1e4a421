/** Why the model stopped, in the common form's words. */
import type { Finish, FinishReason } from '#providers/form.ts';

const REASONS: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['pause_turn', 'pause'],
  // Beta: the conversation was summarised, and goes on with the next request.
  ['compaction', 'pause'],
  ['refusal', 'refusal'],
]);

/**
 * Ours for the upstream's word; unknown words end the answer all the same. `onlyOutputTool`: the
 * one call was of the tool that stands in for an output format, so to the caller it is a plain end.
 */
export function toFinish(native: unknown, onlyOutputTool: boolean): Finish | null {
  if (typeof native !== 'string' || native === '') return null;
  const reason = REASONS.get(native) ?? 'stop';
  return { reason: reason === 'tool_calls' && onlyOutputTool ? 'stop' : reason, native };
}
