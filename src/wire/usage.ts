/**
 * Usage in disjoint buckets. Every token or unit stands in exactly one bucket, so a cost is a plain
 * sum and nothing is counted twice, whatever an upstream nests into what. Buckets carry the names
 * of the prices that apply to them (`wire/price.ts`).
 */

export const USAGE_BUCKETS = [
  'input',
  'cache_read',
  'cache_write_5m',
  'cache_write_1h',
  'audio_input',
  'image_input',
  'output',
  'reasoning',
  'audio_output',
  'image_output',
  'image',
  'second',
  'character',
  'request',
] as const;

export type UsageBucket = (typeof USAGE_BUCKETS)[number];

/**
 * Whole, not negative; a missing bucket is 0. Tokens, but for image, second, character and request.
 */
export type UsageBuckets = Readonly<Partial<Record<UsageBucket, number>>>;

/**
 * Where the numbers come from: the upstream said them, we counted them, or both ends said nothing.
 */
export type UsageSource = 'upstream' | 'counted' | 'none';

/** What was wrong with an upstream's numbers; visible on the receipt (money.md, rule 7). */
export type UsageFlag =
  | 'negative_clamped'
  | 'absurd_clamped'
  | 'repeated'
  | 'inconsistent_total'
  | 'missing'
  | 'malformed';

export interface Usage {
  readonly buckets: UsageBuckets;
  readonly source: UsageSource;
  readonly flags: readonly UsageFlag[];
  /** The upstream's own usage object, as it stood. */
  readonly native: unknown;
}

/** All tokens of the input side, whatever they cost. */
export function inputTokens(buckets: UsageBuckets): number {
  return (
    (buckets.input ?? 0) +
    (buckets.cache_read ?? 0) +
    (buckets.cache_write_5m ?? 0) +
    (buckets.cache_write_1h ?? 0) +
    (buckets.audio_input ?? 0) +
    (buckets.image_input ?? 0)
  );
}

/** All tokens of the output side. */
export function outputTokens(buckets: UsageBuckets): number {
  return (
    (buckets.output ?? 0) +
    (buckets.reasoning ?? 0) +
    (buckets.audio_output ?? 0) +
    (buckets.image_output ?? 0)
  );
}
