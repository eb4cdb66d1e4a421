/** What Google says of the tokens of embeddings: three hosts' ways, and one that says nothing. */
import type { Usage } from '#wire/usage.ts';
import { isRecord, listOf, recordOf } from '#providers/json.ts';
import { readUsage as readChatUsage } from '../gemini/usage.ts';
import { USAGE_TOKENS_MAX, numberReader } from '../openai-chat/usage.ts';

/**
 * `usageMetadata`, which gemini-embedding-001 leaves out. The Gemini API names its member
 * `promptTokenDetails`, Vertex `promptTokensDetails` (recordings of 2026).
 */
export function readMetadata(native: unknown): Usage | null {
  if (!isRecord(native)) return null;
  const details = native['promptTokensDetails'] ?? native['promptTokenDetails'];
  const usage = readChatUsage({ ...native, promptTokensDetails: details });
  return usage === null ? null : { ...usage, native };
}

/** The statistics of each prediction, added up; null unless every one of them counts. */
export function readStatistics(predictions: unknown): Usage | null {
  const statistics = listOf(predictions).map(
    (prediction) => recordOf(recordOf(prediction)['embeddings'])['statistics'],
  );
  const numbers = numberReader();
  const counts = statistics.map((one) => numbers.read(recordOf(one)['token_count']));
  if (counts.length === 0 || counts.includes(null)) return null;
  const input = counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  const source = input < USAGE_TOKENS_MAX ? 'upstream' : 'none';
  return { buckets: { input }, source, flags: [...numbers.flags], native: { statistics } };
}
