/**
 * What a candidate can cost at the most with an answer of a given length, and how long an answer an
 * amount pays for: asked where credit is short, and where a ceiling is low.
 */
import type { NanoUsd } from '#base/money.ts';
import { highestCost } from '#catalog/pricing.ts';
import type { Candidate } from './plan.ts';

/** What of a candidate its cost depends on. */
type Priced = Pick<
  Candidate,
  'endpoint' | 'asked' | 'inputTokensMax' | 'choices' | 'inputMedia' | 'outputMedia'
>;

/** Nano-dollars with so many generated tokens in each choice. */
export function costWith(
  candidate: Priced,
  outputTokens: number,
  inputTokensMax = candidate.inputTokensMax,
): NanoUsd {
  return highestCost(
    candidate.endpoint.price,
    {
      inputTokensMax,
      outputTokensMax: outputTokens * candidate.choices,
      requests: candidate.choices,
      inputMedia: candidate.inputMedia,
      outputMedia: candidate.outputMedia,
    },
    candidate.asked,
  );
}

/** The most generated tokens of each choice that `amount` pays for, at most `tokensMax`. */
export function affordableTokens(
  candidate: Candidate,
  amount: NanoUsd,
  tokensMax = candidate.outputTokensMax,
): number {
  let [low, high] = [0, tokensMax];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (costWith(candidate, middle) <= amount) low = middle;
    else high = middle - 1;
  }
  return low;
}
