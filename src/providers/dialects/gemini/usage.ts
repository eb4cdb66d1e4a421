/**
 * Google's `usageMetadata` in disjoint buckets. Cached tokens are part of the prompt, thoughts
 * stand beside the candidates, and what hosted tools read is input that the prompt does not count
 * (recordings of 2026: prompt + toolUsePrompt + candidates + thoughts = total). Zeros are left out.
 */
import type { Usage } from '#wire/usage.ts';
import { isRecord, listOf, numberOf, recordOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { readUsage as readChatUsage } from '../openai-chat/usage.ts';

/** The numbers are said in the words of the one reader that clamps and flags them. */
const HABITS = { reasoning: 'beside', extraInput: ['tool_use_tokens'] } as const;

/**
 * The usage that an answer or one event of a stream states; null where it states none, as the
 * events of Vertex that tell only the kind of traffic.
 */
export function readUsage(native: unknown): Usage | null {
  if (native === undefined || native === null) return null;
  if (!isRecord(native)) return { buckets: {}, source: 'none', flags: ['malformed'], native };
  const prompt = native['promptTokenCount'];
  const candidates = native['candidatesTokenCount'];
  if ((prompt ?? candidates ?? native['thoughtsTokenCount'] ?? null) === null) return null;
  const usage = readChatUsage(
    {
      usage: {
        prompt_tokens: prompt ?? 0,
        completion_tokens: candidates ?? 0,
        total_tokens: totalWithoutTools(native),
        tool_use_tokens: native['toolUsePromptTokenCount'],
        prompt_tokens_details: {
          cached_tokens: native['cachedContentTokenCount'],
          audio_tokens: freshTokens(native, 'AUDIO'),
          image_tokens: freshTokens(native, 'IMAGE'),
        },
        completion_tokens_details: {
          reasoning_tokens: native['thoughtsTokenCount'],
          audio_tokens: tokensOf(native['candidatesTokensDetails'], 'AUDIO'),
          image_tokens: tokensOf(native['candidatesTokensDetails'], 'IMAGE'),
        },
      },
    },
    HABITS,
  );
  return usage === null ? null : { ...usage, native };
}

/** The total counts the tools' tokens, which the reader below takes for an addition to it. */
function totalWithoutTools(native: JsonRecord): number | undefined {
  const total = numberOf(native['totalTokenCount']);
  if (total === undefined) return undefined;
  return total - (numberOf(native['toolUsePromptTokenCount']) ?? 0);
}

/** Tokens of one modality in the prompt that did not come out of the cache. */
function freshTokens(native: JsonRecord, modality: string): number {
  const all = tokensOf(native['promptTokensDetails'], modality);
  return Math.max(0, all - tokensOf(native['cacheTokensDetails'], modality));
}

function tokensOf(details: unknown, modality: string): number {
  let sum = 0;
  for (const detail of listOf(details)) {
    const { modality: name, tokenCount } = recordOf(detail);
    if (name === modality) sum += numberOf(tokenCount) ?? 0;
  }
  return sum;
}

/** The tier that answered, in the words of chat completions; undefined where nothing is said. */
export function serviceTierOf(usage: unknown): string | undefined {
  const { serviceTier, trafficType } = recordOf(usage);
  const tier = TIERS.get(typeof serviceTier === 'string' ? serviceTier.toLowerCase() : '');
  return tier ?? TIERS.get(typeof trafficType === 'string' ? trafficType : '');
}

const TIERS: ReadonlyMap<string, string> = new Map([
  ['standard', 'default'],
  ['flex', 'flex'],
  ['priority', 'priority'],
  ['ON_DEMAND', 'default'],
  ['ON_DEMAND_FLEX', 'flex'],
  ['ON_DEMAND_PRIORITY', 'priority'],
]);
