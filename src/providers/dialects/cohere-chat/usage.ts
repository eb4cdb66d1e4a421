/**
 * Cohere's usage. It counts twice: `tokens` is what the model saw, with the prompt that Cohere puts
 * around every conversation (hundreds of tokens that nobody pays for), and `billed_units` is what
 * the account pays. The buckets hold the billed units, since money follows the buckets and nothing
 * else; so `prompt_tokens` in our answers is the billed number too, and price times tokens is the
 * cost that a caller can recompute. What the model saw stays readable in the native object, as
 * `usage.tokens` and `usage.cached_tokens` (cached tokens are part of `tokens` and cost nothing of
 * their own: Cohere has no price for them).
 */
import type { Usage } from '#wire/usage.ts';
import { isRecord, recordOf } from '#providers/json.ts';
import { readUsage as readChatUsage } from '../openai-chat/usage.ts';

/** `usage` of an answer, or of the `delta` that ends a stream. Null where there is none. */
export function readUsage(native: unknown): Usage | null {
  if (native === undefined || native === null) return null;
  if (!isRecord(native)) return { buckets: {}, source: 'none', flags: ['malformed'], native };
  const billed = recordOf(native['billed_units']);
  const isBilled = saysTokens(billed);
  const counted = isBilled ? billed : recordOf(native['tokens']);
  if (!saysTokens(counted)) return { buckets: {}, source: 'none', flags: ['missing'], native };
  const usage = readChatUsage({
    usage: {
      prompt_tokens: counted['input_tokens'] ?? 0,
      completion_tokens: counted['output_tokens'] ?? 0,
    },
  });
  if (usage === null) return { buckets: {}, source: 'none', flags: ['malformed'], native };
  // Private deployments bill nothing and may say only tokens.
  return { ...usage, flags: isBilled ? usage.flags : [...usage.flags, 'missing'], native };
}

function saysTokens(units: Readonly<Record<string, unknown>>): boolean {
  return (units['input_tokens'] ?? units['output_tokens'] ?? null) !== null;
}
