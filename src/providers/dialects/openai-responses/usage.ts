/** Reads the usage of Responses: chat's numbers under other names. */
import type { Usage } from '#wire/usage.ts';
import { isRecord } from '#providers/json.ts';
import { readUsage as readChatUsage } from '../openai-chat/usage.ts';

/** `usage` of a response. Null where there is none, as while it is still in progress. */
export function readUsage(native: unknown): Usage | null {
  if (native === undefined || native === null) return null;
  if (!isRecord(native)) return { buckets: {}, source: 'none', flags: ['malformed'], native };
  const usage = readChatUsage({
    usage: {
      prompt_tokens: native['input_tokens'],
      completion_tokens: native['output_tokens'],
      total_tokens: native['total_tokens'],
      prompt_tokens_details: native['input_tokens_details'],
      completion_tokens_details: native['output_tokens_details'],
    },
  });
  return usage === null ? null : { ...usage, native };
}
