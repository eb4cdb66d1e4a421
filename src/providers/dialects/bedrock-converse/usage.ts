/**
 * Converse's usage in disjoint buckets. `inputTokens` is what no cache had and none was asked to
 * keep: in every recording `totalTokens` is input, output, cache reads and cache writes together.
 */
import type { Usage, UsageBucket, UsageBuckets } from '#wire/usage.ts';
import { isRecord, listOf, recordOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { USAGE_TOKENS_MAX, numberReader } from '../openai-chat/usage.ts';
import type { NumberReader } from '../openai-chat/usage.ts';

/** `usage` of an answer, or of a stream's `metadata`. Null where there is none. */
export function readUsage(native: unknown): Usage | null {
  if (native === undefined || native === null) return null;
  if (!isRecord(native)) return { buckets: {}, source: 'none', flags: ['malformed'], native };
  const numbers = numberReader();
  const buckets = readBuckets(native, numbers);
  if (buckets === null) return { buckets: {}, source: 'none', flags: [...numbers.flags], native };
  const counts = Object.values(buckets);
  const total = numbers.read(native['totalTokens']);
  const sum = counts.reduce((before, tokens) => before + tokens, 0);
  if (total !== null && total !== sum) numbers.flags.add('inconsistent_total');
  // A number that no request can have tells nothing of the true one: it has to be counted.
  const source = Math.max(...counts) < USAGE_TOKENS_MAX ? 'upstream' : 'none';
  return { buckets, source, flags: [...numbers.flags], native };
}

function readBuckets(native: JsonRecord, numbers: NumberReader): UsageBuckets | null {
  const input = numbers.read(native['inputTokens']);
  const output = numbers.read(native['outputTokens']);
  if (input === null || output === null) numbers.flags.add('missing');
  if (input === null && output === null) return null;
  return { input: input ?? 0, ...readCaches(native, numbers), output: output ?? 0 };
}

/** Only what is not 0. Converse writes both counts under two names each. */
function readCaches(native: JsonRecord, numbers: NumberReader): UsageBuckets {
  const read = numbers.first(native['cacheReadInputTokens'], native['cacheReadInputTokenCount']);
  const written =
    numbers.first(native['cacheWriteInputTokens'], native['cacheWriteInputTokenCount']) ?? 0;
  const hour = numbers.within(hourTokens(native['cacheDetails'], numbers), written);
  const counts: readonly (readonly [UsageBucket, number])[] = [
    ['cache_read', read ?? 0],
    ['cache_write_5m', written - hour],
    ['cache_write_1h', hour],
  ];
  return Object.fromEntries(counts.filter(([, tokens]) => tokens > 0));
}

/** Of what was written, how much is kept for an hour; the rest is kept for five minutes. */
function hourTokens(details: unknown, numbers: NumberReader): number {
  let sum = 0;
  for (const detail of listOf(details)) {
    const { ttl, inputTokens } = recordOf(detail);
    if (ttl === '1h') sum += numbers.read(inputTokens) ?? 0;
  }
  return sum;
}
