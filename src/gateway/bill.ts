/** What an ended request used and what that costs: the rules of money.md, 6 and 7. */
import { subtractUsd, ZERO_USD, type NanoUsd } from '#base/money.ts';
import { costOfUsage } from '#catalog/pricing.ts';
import type { Usage, UsageBuckets } from '#wire/usage.ts';
import { countPrompt } from './chat/prompt-text.ts';
import type { ChatRequestReading } from './chat/read-request.ts';
import { outputTokens, type CostSplit } from './chat/usage-json.ts';
import type { Candidate } from './plan.ts';
import type { TokenCounter } from './tokens.ts';

export const NO_USAGE: Usage = { buckets: {}, source: 'none', flags: [], native: null };

export interface Bill {
  readonly usage: Usage;
  readonly cost: CostSplit;
  /** Why nothing is charged although something was used; null when it is charged. */
  readonly waived: string | null;
}

const OUTPUT_BUCKETS = ['output', 'reasoning', 'audio_output', 'image_output'] as const;

function withoutOutput(buckets: UsageBuckets): UsageBuckets {
  const input: Record<string, number> = { ...buckets };
  for (const bucket of OUTPUT_BUCKETS) delete input[bucket];
  return input;
}

function splitCost(candidate: Candidate, buckets: UsageBuckets): CostSplit {
  const { price } = candidate.endpoint;
  const total = costOfUsage(price, buckets);
  const prompt: NanoUsd = costOfUsage(price, withoutOutput(buckets));
  return { total, prompt, completions: subtractUsd(total, prompt) };
}

export const FREE: CostSplit = { total: ZERO_USD, prompt: ZERO_USD, completions: ZERO_USD };

export function billUsage(candidate: Candidate, usage: Usage): Bill {
  return { usage, cost: splitCost(candidate, usage.buckets), waived: null };
}

/** Shown, not charged. */
export function waive(usage: Usage, reason: string): Bill {
  return { usage, cost: FREE, waived: reason };
}

/** An answer that came to its end: the upstream's usage, or ours where it gave none. */
export async function billComplete(
  candidate: Candidate,
  answer: { readonly usage: Usage | null; readonly finish: string | null; producedText(): string },
  counting: { readonly reading: ChatRequestReading; readonly tokens: TokenCounter },
): Promise<Bill> {
  const said = answer.usage;
  const usage =
    said === null || said.source !== 'upstream' ? await count(answer, said, counting) : said;
  if (answer.finish === 'error') return waive(usage, 'failed');
  // Nothing generated and no reason why: the provider's failure, whatever it calls it.
  if (answer.finish === null && outputTokens(usage.buckets) === 0) return waive(usage, 'empty');
  return billUsage(candidate, usage);
}

async function count(
  answer: { producedText(): string },
  said: Usage | null,
  counting: { readonly reading: ChatRequestReading; readonly tokens: TokenCounter },
): Promise<Usage> {
  const input = await countPrompt(counting.reading.index, counting.tokens);
  const output = await counting.tokens.count(answer.producedText());
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
  counting: { readonly reading: ChatRequestReading; readonly tokens: TokenCounter },
): Promise<Bill> {
  const said = answer?.usage ?? null;
  if (said !== null && said.source === 'upstream') return billUsage(candidate, said);
  const usage = await count(answer ?? { producedText: () => '' }, said, counting);
  return billUsage(candidate, { ...usage, flags: [] });
}
