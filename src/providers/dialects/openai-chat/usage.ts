/**
 * Reads the usage objects of the OpenAI chat family into disjoint buckets. Hosts nest the same
 * numbers differently (what is cached is part of the prompt, reasoning is part of the completion or
 * stands beside it); this is the one place that knows, so that no token is billed twice.
 */
import type { Usage, UsageBucket, UsageFlag } from '#wire/usage.ts';
import { isRecord, listOf, recordOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';

/** No request has as many tokens; a larger number is a lie and is clamped to this. */
export const USAGE_TOKENS_MAX = 1_000_000_000;

/** What is particular to one host's numbers. */
export interface UsageHabits {
  /**
   * Whether reasoning tokens are part of completion_tokens. `by_total`: they are, unless
   * total_tokens says that they were added on top (xAI does; recordings of 2026-02).
   */
  readonly reasoning?: 'by_total' | 'beside';
  /**
   * Whether tokens that only the total counts were generated and are billed: Gemini's thoughts,
   * behind its OpenAI-compatible address (recordings of 2026).
   */
  readonly hiddenReasoning?: boolean;
  /** Fields of whole numbers outside prompt_tokens that the host bills like input. */
  readonly extraInput?: readonly string[];
  /** The field that counts what the host bills per request; one where the host leaves it out. */
  readonly requests?: string;
}

/**
 * Makes whole numbers out of whatever stands in a field, and remembers what was wrong with them.
 */
export interface NumberReader {
  readonly flags: Set<UsageFlag>;
  /** A whole number from 0 to the maximum, or null where nothing (readable) stands. */
  read(value: unknown): number | null;
  /** The first of the values that is there. */
  first(...values: readonly unknown[]): number | null;
  /** As much of a part as its whole still has. */
  within(part: number, rest: number): number;
}

export function numberReader(): NumberReader {
  const flags = new Set<UsageFlag>();
  const read = (value: unknown): number | null => {
    if (value === null || value === undefined) return null;
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (number !== value) flags.add('malformed');
    if (typeof number !== 'number' || Number.isNaN(number)) {
      flags.add('malformed');
      return null;
    }
    if (number < 0) {
      flags.add('negative_clamped');
      return 0;
    }
    if (number > USAGE_TOKENS_MAX) {
      flags.add('absurd_clamped');
      return USAGE_TOKENS_MAX;
    }
    if (!Number.isInteger(number)) flags.add('absurd_clamped');
    // `|| 0` turns -0 into 0.
    return Math.floor(number) || 0;
  };
  return {
    flags,
    read,
    first(...values) {
      for (const value of values) {
        const number = read(value);
        if (number !== null) return number;
      }
      return null;
    },
    within(part, rest) {
      if (part <= rest) return part;
      flags.add('absurd_clamped');
      return rest;
    },
  };
}

/**
 * The usage that an answer or one stream event states; null where it states none. Numbers that
 * cannot be true are clamped and flagged. `source` is `none` where an object stood that could not
 * be read, or whose totals are beyond belief: such usage has to be counted by ourselves.
 */
export function readUsage(body: unknown, habits: UsageHabits = {}): Usage | null {
  const native = findUsage(body);
  if (native === null || native === undefined) return null;
  if (!isRecord(native)) return { buckets: {}, source: 'none', flags: ['malformed'], native };
  const numbers = numberReader();
  const totals = readTotals(native, numbers);
  if (totals !== null) return readBuckets(native, totals, { numbers, habits });
  if (numbers.flags.size === 0) return null;
  return { buckets: {}, source: 'none', flags: [...numbers.flags], native };
}

function readBuckets(
  native: JsonRecord,
  totals: Totals,
  means: { readonly numbers: NumberReader; readonly habits: UsageHabits },
): Usage {
  const { numbers, habits } = means;
  const split: Split = { numbers, buckets: {}, rest: 0 };
  const stated = readReasoning(native, numbers);
  const hidden = stated === 0 ? hiddenReasoning(totals, habits) : 0;
  const reasoning = stated + hidden;
  const beside = hidden > 0 || isBeside(totals, reasoning, habits);
  const extra = readExtraInput(native, numbers, habits);
  splitInput(native, totals.prompt + extra, split);
  splitOutput(native, { text: totals.completion, reasoning, beside }, split);
  if (habits.requests !== undefined) {
    split.buckets.request = numbers.read(native[habits.requests]) ?? 1;
  }
  if (!addsUp(totals, beside ? reasoning : 0)) numbers.flags.add('inconsistent_total');
  // A sum that no request can have tells nothing of the true one: it has to be counted.
  const largest = Math.max(totals.prompt, totals.completion, extra, beside ? reasoning : 0);
  const source = largest < USAGE_TOKENS_MAX ? 'upstream' : 'none';
  return { buckets: split.buckets, source, flags: [...numbers.flags], native };
}

/** What the total says beyond prompt and completion, where a host is known to think in there. */
function hiddenReasoning(totals: Totals, habits: UsageHabits): number {
  if (habits.hiddenReasoning !== true || totals.total === null) return 0;
  return Math.max(0, totals.total - totals.prompt - totals.completion);
}

/** Perplexity leaves the reasoning beside the completion out of its total; both sums are honest. */
function addsUp(totals: Totals, reasoning: number): boolean {
  if (totals.total === null) return true;
  const sum = totals.prompt + totals.completion;
  return totals.total === sum || totals.total === sum + reasoning;
}

/**
 * Where the object stands: at the top; under `x_groq` (Groq, older streams); in the first choice
 * (Moonshot's streams, documented on platform.moonshot.ai).
 */
function findUsage(body: unknown): unknown {
  const answer = recordOf(body);
  if (answer['usage'] !== undefined && answer['usage'] !== null) return answer['usage'];
  const groq = recordOf(answer['x_groq'])['usage'];
  if (groq !== undefined && groq !== null) return groq;
  return recordOf(listOf(answer['choices'])[0])['usage'];
}

interface Totals {
  readonly prompt: number;
  readonly completion: number;
  readonly total: number | null;
}

/**
 * Null where the object says nothing about tokens. A missing side is what the total leaves for it.
 */
function readTotals(native: JsonRecord, numbers: NumberReader): Totals | null {
  const prompt = numbers.read(native['prompt_tokens']);
  const completion = numbers.read(native['completion_tokens']);
  const total = numbers.read(native['total_tokens']);
  if (prompt === null && completion === null) return null;
  if (prompt !== null && completion !== null) return { prompt, completion, total };
  const known = prompt ?? completion ?? 0;
  if (total === null) numbers.flags.add('missing');
  const other = total === null ? 0 : (numbers.read(total - known) ?? 0);
  return { prompt: prompt ?? other, completion: completion ?? other, total };
}

function readReasoning(native: JsonRecord, numbers: NumberReader): number {
  const details = recordOf(native['completion_tokens_details']);
  return numbers.first(details['reasoning_tokens'], native['reasoning_tokens']) ?? 0;
}

function isBeside(totals: Totals, reasoning: number, habits: UsageHabits): boolean {
  if (reasoning === 0) return false;
  if (habits.reasoning === 'beside') return true;
  return totals.total === totals.prompt + totals.completion + reasoning;
}

function readExtraInput(native: JsonRecord, numbers: NumberReader, habits: UsageHabits): number {
  let extra = 0;
  for (const field of habits.extraInput ?? []) extra += numbers.read(native[field]) ?? 0;
  return extra;
}

interface Split {
  readonly numbers: NumberReader;
  readonly buckets: Partial<Record<UsageBucket, number>>;
  /** What no bucket has yet of the side that is being split. */
  rest: number;
}

/** Cached, written and media tokens are taken out of the prompt; what is left is plain input. */
function splitInput(native: JsonRecord, prompt: number, split: Split): void {
  const { numbers } = split;
  const details = recordOf(native['prompt_tokens_details']);
  const read = numbers.first(
    details['cached_tokens'],
    native['prompt_cache_hit_tokens'],
    native['cached_tokens'],
    native['num_cached_tokens'],
  );
  const written = numbers.first(
    details['cache_write_tokens'],
    details['cache_creation_input_tokens'],
    details['cache_creation_tokens'],
    native['cache_creation_input_tokens'],
  );
  split.rest = prompt;
  take(split, 'cache_read', read);
  take(split, 'cache_write_5m', written);
  take(split, 'audio_input', numbers.read(details['audio_tokens']));
  take(split, 'image_input', numbers.read(details['image_tokens']));
  split.buckets.input = split.rest;
}

interface OutputNumbers {
  readonly text: number;
  readonly reasoning: number;
  readonly beside: boolean;
}

function splitOutput(native: JsonRecord, output: OutputNumbers, split: Split): void {
  const { numbers } = split;
  const details = recordOf(native['completion_tokens_details']);
  split.rest = output.text + (output.beside ? output.reasoning : 0);
  take(split, 'reasoning', output.reasoning);
  take(split, 'audio_output', numbers.read(details['audio_tokens']));
  take(split, 'image_output', numbers.read(details['image_tokens']));
  split.buckets.output = split.rest;
}

/** Moves a part of what is left into its bucket. */
function take(split: Split, bucket: UsageBucket, part: number | null): void {
  if (part === null || part === 0) return;
  const taken = split.numbers.within(part, split.rest);
  if (taken > 0) split.buckets[bucket] = taken;
  split.rest -= taken;
}
