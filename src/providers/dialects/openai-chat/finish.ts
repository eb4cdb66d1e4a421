/** Why a choice ended, in the many words that the family's hosts have for it. */
import type { Finish, FinishReason } from '#providers/form.ts';

const REASONS: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ['stop', 'stop'],
  ['eos', 'stop'],
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['length', 'length'],
  ['max_tokens', 'length'],
  // Mistral: the model's context is full.
  ['model_length', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_calls', 'tool_calls'],
  ['function_call', 'tool_calls'],
  ['tool_use', 'tool_calls'],
  ['content_filter', 'content_filter'],
  ['safety', 'content_filter'],
  // Z.ai's word for its content filter.
  ['sensitive', 'content_filter'],
  ['refusal', 'refusal'],
  ['pause_turn', 'pause'],
  ['error', 'error'],
  // DeepSeek: the host ran out of capacity in the middle.
  ['insufficient_system_resource', 'error'],
  // Z.ai: inference broke off.
  ['network_error', 'error'],
  // vLLM and SGLang: the connection was given up.
  ['abort', 'cancelled'],
  ['cancelled', 'cancelled'],
]);

/** True if the host says with this word that it broke down: what came is no answer. */
export function breaksOff(native: string): boolean {
  return REASONS.get(native.toLowerCase()) === 'error';
}

/**
 * Ours for the upstream's word. An unknown word means that the choice did end, so it is `stop`,
 * with the word kept. Null where nothing stands: also "", which Snowflake sends (recordings of
 * 2026-07).
 */
export function toFinish(native: unknown): Finish | null {
  if (typeof native !== 'string' || native === '') return null;
  return { reason: REASONS.get(native.toLowerCase()) ?? 'stop', native };
}
