/** What an ended request used and what that costs: the rules of money.md, 6 and 7. */
import { subtractUsd, ZERO_USD } from '#base/money.ts';
import type { Awaitable } from '#base/result.ts';
import { costOfSides } from '#catalog/pricing.ts';
import {
  inputTokens,
  outputTokens,
  type Usage,
  type UsageBucket,
  type UsageBuckets,
} from '#wire/usage.ts';
import type { CostSplit } from './answer.ts';
import type { InferenceRequest } from './inference.ts';
import type { Candidate } from './plan.ts';
import type { TokenCounter } from './tokens.ts';

export const NO_USAGE: Usage = { buckets: {}, source: 'none', flags: [], native: null };

export interface Bill {
  readonly usage: Usage;
  readonly cost: CostSplit;
  /** Why nothing is charged although something was used; null when it is charged. */
  readonly waived: string | null;
}

const ANSWER_BUCKETS = ['output', 'audio_output', 'image_output'] as const;
const REASONING_BUCKETS = ['reasoning'] as const;
const INPUT_BUCKETS = [
  'input',
  'cache_write_1h',
  'cache_write_5m',
  'image_input',
  'audio_input',
  'cache_read',
] as const;

/** Takes what is over `max` out of the buckets, the first ones first. */
function clampSide(
  buckets: UsageBuckets,
  side: readonly UsageBucket[],
  max: number | null,
): UsageBuckets {
  const sum = side.reduce((total, bucket) => total + (buckets[bucket] ?? 0), 0);
  if (max === null || sum <= max) return buckets;
  const clamped: Partial<Record<UsageBucket, number>> = { ...buckets };
  let over = sum - max;
  for (const bucket of side) {
    const cut = Math.min(over, buckets[bucket] ?? 0);
    if (cut > 0) clamped[bucket] = (buckets[bucket] ?? 0) - cut;
    over -= cut;
  }
  return clamped;
}

/**
 * Usage as far as it can be true: no more input than the model's context (each time that it is
 * read), no more output than its maximum in each choice. What was beyond is taken off and flagged
 * (money.md, rule 7).
 */
export function believe(
  usage: Usage,
  { endpoint, choices }: Pick<Candidate, 'choices' | 'endpoint'>,
  request: Pick<InferenceRequest, 'inputs' | 'inputRounds'>,
): Usage {
  const { context, maxOutput } = endpoint;
  const times = (max: number | null): number | null => (max === null ? null : max * choices);
  // Hosts that research by themselves bill reasoning beside an answer of full length (Perplexity).
  const reasoningMax = context === null ? maxOutput : Math.max(context, maxOutput ?? 0);
  let { buckets } = usage;
  const fits = context === null || inputTokens(buckets) <= context;
  buckets = fits
    ? buckets
    : clampSide(buckets, INPUT_BUCKETS, context * request.inputs * request.inputRounds());
  buckets = clampSide(buckets, ANSWER_BUCKETS, times(maxOutput ?? context));
  buckets = clampSide(buckets, REASONING_BUCKETS, times(reasoningMax));
  if (buckets === usage.buckets) return usage;
  const flags = usage.flags.filter((flag) => flag !== 'absurd_clamped');
  return { ...usage, buckets, flags: [...flags, 'absurd_clamped'] };
}

function splitCost(candidate: Candidate, buckets: UsageBuckets): CostSplit {
  const { total, input: prompt } = costOfSides(candidate.endpoint.price, buckets);
  return { total, prompt, completions: subtractUsd(total, prompt) };
}

const FREE: CostSplit = { total: ZERO_USD, prompt: ZERO_USD, completions: ZERO_USD };

function billUsage(candidate: Candidate, usage: Usage): Bill {
  return { usage, cost: splitCost(candidate, usage.buckets), waived: null };
}

/** Shown, not charged. */
export function waive(usage: Usage, reason: string): Bill {
  return { usage, cost: FREE, waived: reason };
}

/** What it takes to count where no upstream did. */
export interface Counting {
  readonly request: InferenceRequest;
  readonly tokens: TokenCounter;
}

interface EndedAnswer {
  readonly usage: Usage | null;
  readonly finish: string | null;
  producedText(): string;
}

/** Nothing generated and no reason why: the provider's failure, whatever it calls it. */
function isEmpty({ generates }: InferenceRequest, finish: string | null, usage: Usage): boolean {
  return generates && finish === null && outputTokens(usage.buckets) === 0;
}

/**
 * An answer that came to its end: at once by the upstream's usage, or by ours where it gave none.
 */
export function billComplete(
  candidate: Candidate,
  answer: EndedAnswer,
  counting: Counting,
): Awaitable<Bill> {
  const { usage: said, finish } = answer;
  const { request } = counting;
  const bill = (usage: Usage): Bill => {
    if (finish === 'error') return waive(usage, 'failed');
    return isEmpty(request, finish, usage) ? waive(usage, 'empty') : billUsage(candidate, usage);
  };
  if (said !== null && said.source === 'upstream') return bill(believe(said, candidate, request));
  return count(answer, said, counting).then(bill);
}

async function count(
  answer: { producedText(): string },
  said: Usage | null,
  counting: Counting,
): Promise<Usage> {
  const { request, tokens } = counting;
  const input = await request.countInput(tokens);
  const produced = await tokens.count(answer.producedText());
  // Our tokenizer may count more than the host's, but nobody pays for more than he asked for.
  const limit = request.outputTokensMax;
  const output = limit === null ? produced : Math.min(produced, limit * request.choices);
  const flags = said?.flags ?? (['missing'] as const);
  return { buckets: { input, output }, source: 'counted', flags, native: said?.native ?? null };
}

/**
 * A client that left after dispatch pays the input and what was produced until then: the upstream's
 * own numbers where it still gave them, ours otherwise.
 */
export async function billCancelled(
  candidate: Candidate,
  answer: { readonly usage: Usage | null; producedText(): string } | null,
  counting: Counting,
): Promise<Bill> {
  const said = answer?.usage ?? null;
  if (said !== null && said.source === 'upstream') {
    return billUsage(candidate, believe(said, candidate, counting.request));
  }
  const usage = await count(answer ?? { producedText: () => '' }, said, counting);
  return billUsage(candidate, { ...usage, flags: [] });
}
