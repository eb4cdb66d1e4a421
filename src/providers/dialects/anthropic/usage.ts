/**
 * Reads Messages usage into disjoint buckets. `input_tokens` excludes what came from the cache or
 * went into it; `output_tokens` includes what was thought. Streams say it twice: whole at the
 * start, then cumulative and partial, so the two are merged.
 */
import type { Usage, UsageBucket, UsageFlag } from '#wire/usage.ts';
import { isRecord, listOf, recordOf, type JsonRecord } from '#providers/json.ts';

/** No request has as many tokens; a larger number is a lie and is clamped to this. */
const USAGE_TOKENS_MAX = 1_000_000_000;

type Flags = Set<UsageFlag>;

/** A whole number from 0 to the maximum; null where nothing readable stands. */
function readTokens(value: unknown, flags: Flags): number | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== 'number' || Number.isNaN(value)) {
    flags.add('malformed');
    return null;
  }
  if (value < 0) {
    flags.add('negative_clamped');
    return 0;
  }
  if (value > USAGE_TOKENS_MAX || !Number.isInteger(value)) flags.add('absurd_clamped');
  return Math.min(Math.floor(value), USAGE_TOKENS_MAX);
}

/**
 * The usage of a usage object; null where there is none. `source` is `none` where it cannot be
 * believed and has to be counted.
 */
export function readUsageObject(native: unknown): Usage | null {
  if (native === null || native === undefined) return null;
  if (!isRecord(native)) return { buckets: {}, source: 'none', flags: ['malformed'], native };
  const flags: Flags = new Set();
  const input = readTokens(native['input_tokens'], flags);
  const output = readTokens(native['output_tokens'], flags);
  if (input === null && output === null) {
    const found = flags.size > 0;
    return found ? { buckets: {}, source: 'none', flags: [...flags], native } : null;
  }
  if (input === null || output === null) flags.add('missing');
  const buckets = new Map<UsageBucket, number>([
    ['input', 0],
    ['output', 0],
  ]);
  addTokens(native, { buckets, flags });
  // Summaries of the conversation are billed beside the answer, and stand in no total.
  for (const iteration of listOf(native['iterations'])) {
    if (recordOf(iteration)['type'] === 'compaction') {
      addTokens(recordOf(iteration), { buckets, flags });
    }
  }
  const believable = Math.max(...buckets.values()) < USAGE_TOKENS_MAX;
  return {
    buckets: Object.fromEntries(buckets),
    source: believable ? 'upstream' : 'none',
    flags: [...flags],
    native,
  };
}

interface Sum {
  readonly buckets: Map<UsageBucket, number>;
  readonly flags: Flags;
}

function addTokens(native: JsonRecord, sum: Sum): void {
  const { flags } = sum;
  add(sum, 'input', readTokens(native['input_tokens'], flags) ?? 0);
  add(sum, 'cache_read', readTokens(native['cache_read_input_tokens'], flags) ?? 0);
  addCacheWrites(native, sum);
  const output = readTokens(native['output_tokens'], flags) ?? 0;
  const details = recordOf(native['output_tokens_details']);
  const thought = readTokens(details['thinking_tokens'], flags) ?? 0;
  if (thought > output) flags.add('absurd_clamped');
  add(sum, 'reasoning', Math.min(thought, output));
  add(sum, 'output', Math.max(0, output - thought));
}

/**
 * The total, and how it divides among lifetimes. A total that grew after the division was told (it
 * is told once in a stream) goes to the only lifetime in use, else to the short one.
 */
function addCacheWrites(native: JsonRecord, sum: Sum): void {
  const { flags } = sum;
  const division = recordOf(native['cache_creation']);
  const short = readTokens(division['ephemeral_5m_input_tokens'], flags) ?? 0;
  const long = readTokens(division['ephemeral_1h_input_tokens'], flags) ?? 0;
  const total = readTokens(native['cache_creation_input_tokens'], flags);
  const rest = total === null ? 0 : total - short - long;
  if (rest < 0) flags.add('inconsistent_total');
  const restIsLong = short === 0 && long > 0;
  add(sum, 'cache_write_5m', short + (rest > 0 && !restIsLong ? rest : 0));
  add(sum, 'cache_write_1h', long + (rest > 0 && restIsLong ? rest : 0));
}

function add(sum: Sum, bucket: UsageBucket, tokens: number): void {
  const before = sum.buckets.get(bucket);
  if (tokens === 0 && before === undefined) return;
  sum.buckets.set(bucket, (before ?? 0) + tokens);
}

/** The usage that a whole answer or one stream event states; null where it states none. */
export function readUsage(body: unknown): Usage | null {
  const record = recordOf(body);
  return readUsageObject(record['usage'] ?? recordOf(record['message'])['usage']);
}

/** The first object with what later ones say over it; members that are null say nothing. */
export function mergeUsage(start: unknown, later: unknown): unknown {
  if (!isRecord(start) || !isRecord(later)) return isRecord(start) ? start : later;
  const merged: Record<string, unknown> = { ...start };
  for (const [key, value] of Object.entries(later)) {
    if (value !== null && value !== undefined) merged[key] = value;
  }
  return merged;
}

export const NO_USAGE: Usage = { buckets: {}, source: 'none', flags: ['missing'], native: null };
