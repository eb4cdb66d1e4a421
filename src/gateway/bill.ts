/** What an ended request used and what that costs: the rules of money.md, 6 and 7. */
import { subtractUsd, ZERO_USD, type NanoUsd } from '#base/money.ts';
import type { Awaitable } from '#base/result.ts';
import { costOfSides, type Price } from '#catalog/pricing.ts';
import { servedPrice } from '#catalog/tier-prices.ts';
import {
  inputTokens,
  outputTokens,
  type Usage,
  type UsageBucket,
  type UsageBuckets,
} from '#wire/usage.ts';
import type { AnswerReading, CostSplit } from './answer.ts';
import type { InferenceRequest } from './inference.ts';
import { UNKNOWN_CONTEXT, UNKNOWN_OUTPUT_TOKENS_MAX, type Candidate } from './plan.ts';
import type { TokenCounter } from './tokens.ts';

export const NO_USAGE: Usage = { buckets: {}, source: 'none', flags: [], native: null };

export interface Bill {
  readonly usage: Usage;
  readonly cost: CostSplit;
  /** The price of the service tier that is billed; null for the standard one. */
  readonly service: Price | null;
  /** Why less is charged than what was used costs, or nothing; null when all is charged. */
  readonly waived: string | null;
}

const ANSWER_BUCKETS = ['output', 'audio_output', 'image_output'] as const;
const REASONING_BUCKETS = ['reasoning'] as const;
const REQUEST_BUCKETS = ['request'] as const;
const INPUT_BUCKETS = [
  'input',
  'cache_write_1h',
  'cache_write_5m',
  'image_input',
  'audio_input',
  'cache_read',
] as const;

/** Takes what is over `max` out of the buckets, the first ones first. */
function clampSide(buckets: UsageBuckets, side: readonly UsageBucket[], max: number): UsageBuckets {
  const sum = side.reduce((total, bucket) => total + (buckets[bucket] ?? 0), 0);
  if (sum <= max) return buckets;
  const clamped: Partial<Record<UsageBucket, number>> = { ...buckets };
  let over = sum - max;
  for (const bucket of side) {
    const cut = Math.min(over, buckets[bucket] ?? 0);
    if (cut > 0) clamped[bucket] = (buckets[bucket] ?? 0) - cut;
    over -= cut;
  }
  return clamped;
}

/** Of one choice: what the caller asked for, should the catalog know of less. */
function longestAnswer({ endpoint, outputTokensMax }: Believed): number {
  const known = endpoint.maxOutput ?? endpoint.context ?? UNKNOWN_OUTPUT_TOKENS_MAX;
  return Math.max(known, outputTokensMax);
}

/** Searches and the like that a host may do on the way: research at its longest does some 100. */
const REQUESTS_MAX = 1_000;

type Believed = Pick<Candidate, 'choices' | 'endpoint' | 'outputTokensMax'>;

/**
 * Usage as far as it can be true: no more input than the model's context (each time that it is
 * read), no more output than its maximum in each choice, or than the caller asked for. What was
 * beyond is taken off and flagged (money.md, rule 7).
 */
export function believe(
  usage: Usage,
  candidate: Believed,
  request: Pick<InferenceRequest, 'inputs' | 'inputRounds'>,
): Usage {
  const { choices, endpoint } = candidate;
  const context = endpoint.context ?? UNKNOWN_CONTEXT;
  const longest = longestAnswer(candidate);
  // Hosts that research by themselves bill reasoning beside an answer of full length (Perplexity).
  const reasoningMax = Math.max(endpoint.context ?? 0, longest);
  let { buckets } = usage;
  const fits = inputTokens(buckets) <= context;
  buckets = fits
    ? buckets
    : clampSide(buckets, INPUT_BUCKETS, context * request.inputs * request.inputRounds());
  buckets = clampSide(buckets, ANSWER_BUCKETS, longest * choices);
  buckets = clampSide(buckets, REASONING_BUCKETS, reasoningMax * choices);
  buckets = clampSide(buckets, REQUEST_BUCKETS, REQUESTS_MAX * choices);
  if (buckets === usage.buckets) return usage;
  const flags = usage.flags.filter((flag) => flag !== 'absurd_clamped');
  return { ...usage, buckets, flags: [...flags, 'absurd_clamped'] };
}

function splitCost(price: Price, buckets: UsageBuckets): CostSplit {
  const { total, input: prompt } = costOfSides(price, buckets);
  return { total, prompt, completions: subtractUsd(total, prompt) };
}

const FREE: CostSplit = { total: ZERO_USD, prompt: ZERO_USD, completions: ZERO_USD };

/** By the tier that answered. Nobody looks for it where the host has one price only. */
function billUsage(candidate: Candidate, usage: Usage, answer: ServedAnswer | null): Bill {
  const { asked, endpoint } = candidate;
  const { price } = endpoint;
  const said = price.services === null ? null : (answer?.serviceTier?.() ?? null);
  const service = price.services === null ? null : servedPrice(price, asked, said);
  return { usage, cost: splitCost(service ?? price, usage.buckets), service, waived: null };
}

/**
 * No more than the caller lets the request cost (`x-omnix-max-cost`), whatever a host says that it
 * used: the rest is the platform's.
 */
export function atMost(bill: Bill, ceiling: NanoUsd | null): Bill {
  if (ceiling === null || bill.cost.total <= ceiling) return bill;
  const prompt = bill.cost.prompt < ceiling ? bill.cost.prompt : ceiling;
  const cost = { total: ceiling, prompt, completions: subtractUsd(ceiling, prompt) };
  return { ...bill, cost, waived: 'over_max_cost' };
}

/** Shown, not charged. */
export function waive(usage: Usage, reason: string): Bill {
  return { usage, cost: FREE, service: null, waived: reason };
}

/** What it takes to count where no upstream did. */
export interface Counting {
  readonly request: InferenceRequest;
  readonly tokens: TokenCounter;
}

type ServedAnswer = Pick<AnswerReading, 'serviceTier'>;

interface EndedAnswer extends ServedAnswer {
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
    if (isEmpty(request, finish, usage)) return waive(usage, 'empty');
    return billUsage(candidate, usage, answer);
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
  answer: Omit<EndedAnswer, 'finish'> | null,
  counting: Counting,
): Promise<Bill> {
  const said = answer?.usage ?? null;
  if (said !== null && said.source === 'upstream') {
    return billUsage(candidate, believe(said, candidate, counting.request), answer);
  }
  const usage = await count(answer ?? { producedText: () => '' }, said, counting);
  return billUsage(candidate, { ...usage, flags: [] }, answer);
}
