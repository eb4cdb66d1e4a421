/**
 * Usage as an OpenAI answer carries it, with OpenRouter's cost beside it. What the upstream said
 * stays; only what is missing, or what it lied about, is ours.
 */
import { isRecord, type JsonRecord } from '#providers/json.ts';
import { formatUsd } from '#base/money.ts';
import { inputTokens, outputTokens, type Usage, type UsageBuckets } from '#wire/usage.ts';
import type { CostSplit } from '../answer.ts';

export interface UsageTold {
  readonly usage: Usage;
  /** The upstream's own object as it was written, where that is at hand. */
  readonly usageText: string | null;
  readonly cost: CostSplit;
}

/** OpenAI's members, computed from the buckets. */
function computed(buckets: UsageBuckets): JsonRecord {
  const prompt = inputTokens(buckets);
  const completion = outputTokens(buckets);
  const writes = (buckets.cache_write_5m ?? 0) + (buckets.cache_write_1h ?? 0);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: buckets.cache_read ?? 0,
      ...(writes > 0 ? { cache_write_tokens: writes } : {}),
      audio_tokens: buckets.audio_input ?? 0,
    },
    completion_tokens_details: {
      reasoning_tokens: buckets.reasoning ?? 0,
      audio_tokens: buckets.audio_output ?? 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

/**
 * `first` wins over `second`, but null never wins over a value; details are merged member by
 * member.
 */
function merge(first: JsonRecord, second: JsonRecord): JsonRecord {
  const merged: Record<string, unknown> = { ...second };
  for (const [key, value] of Object.entries(first)) {
    const other = merged[key];
    if (isRecord(value) && isRecord(other)) merged[key] = merge(value, other);
    else if (value !== null || other === undefined) merged[key] = value;
  }
  return merged;
}

/** Members that carry the host's own bill: ours stands in their place. */
const OWN_MEMBERS = new Set(['cost', 'cost_details', 'is_byok']);

/** What the host said, without its own bill. */
export function nativeMembers(native: unknown): JsonRecord {
  if (!isRecord(native)) return {};
  return Object.fromEntries(Object.entries(native).filter(([key]) => !OWN_MEMBERS.has(key)));
}

/** True if an upstream said all that OpenAI's clients read, and nothing that must be ours. */
function isWhole(native: unknown): native is JsonRecord {
  if (!isRecord(native) || 'cost' in native || 'cost_details' in native) return false;
  if ('is_byok' in native) return false;
  const { prompt_tokens_details: input, completion_tokens_details: output } = native;
  return (
    typeof native['prompt_tokens'] === 'number' &&
    typeof native['completion_tokens'] === 'number' &&
    typeof native['total_tokens'] === 'number' &&
    isRecord(input) &&
    typeof input['cached_tokens'] === 'number' &&
    isRecord(output) &&
    typeof output['reasoning_tokens'] === 'number'
  );
}

function textOf(usage: Usage, usageText: string | null): string {
  const honest = usage.flags.length === 0 && usage.source === 'upstream';
  if (honest && isWhole(usage.native)) return usageText ?? JSON.stringify(usage.native);
  const ours = computed(usage.buckets);
  const native = nativeMembers(usage.native);
  return JSON.stringify(honest ? merge(native, ours) : merge(ours, native));
}

/** JSON text of members that follow others. Amounts are exact decimals, never floats on the way. */
export function costMembers(cost: CostSplit): string {
  const total = formatUsd(cost.total);
  return (
    `,"cost":${total},"cost_details":{"upstream_inference_cost":${total},` +
    `"upstream_inference_prompt_cost":${formatUsd(cost.prompt)},` +
    `"upstream_inference_completions_cost":${formatUsd(cost.completions)}}`
  );
}

/** JSON text of the `usage` member. */
export function usageJson({ usage, usageText, cost }: UsageTold): string {
  const text = textOf(usage, usageText).trimEnd();
  return `${text.slice(0, -1)}${costMembers(cost)}}`;
}
