/** Usage as an answer of embeddings carries it: OpenAI's two members, with the cost beside them. */
import { isRecord } from '#providers/json.ts';
import { inputTokens } from '#wire/usage.ts';
import { costMembers, nativeMembers, type UsageTold } from '../chat/usage-json.ts';

/** JSON text of the `usage` member. */
export function embeddingsUsageJson({ usage, cost }: Omit<UsageTold, 'usageText'>): string {
  const tokens = inputTokens(usage.buckets);
  const honest = usage.flags.length === 0 && usage.source === 'upstream';
  const native = honest && isRecord(usage.native) ? nativeMembers(usage.native) : {};
  const told = { ...native, prompt_tokens: tokens, total_tokens: tokens };
  return `${JSON.stringify(told).slice(0, -1)}${costMembers(cost)}}`;
}
