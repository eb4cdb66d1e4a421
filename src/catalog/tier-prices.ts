/**
 * Service tiers (`service_tier`): the same model faster, or later, at another price. What hosts
 * call them, and which price holds for what was asked and for what the answer says was given.
 */
import type { Price } from './pricing.ts';

/** With these words nothing is asked for but what everybody gets. */
const STANDARD: ReadonlySet<string> = new Set([
  '',
  'auto',
  'default',
  'standard',
  'standard_only',
  'on_demand',
]);

/** OpenAI's `priority` is `fast` since 2026-07-30: it takes both and answers with either. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([['fast', 'priority']]);

/** True if the word asks for a tier that may have a price of its own. */
export function isPricedApart(word: string): boolean {
  return !STANDARD.has(word);
}

/** The price of the tier that was asked for; null for the standard one and where there is none. */
export function askedPrice(price: Price, asked: string | null): Price | null {
  if (asked === null) return null;
  return price.services?.get(SYNONYMS.get(asked) ?? asked) ?? null;
}

/**
 * The price of the tier that answered: hosts may give the standard one in place of another, and an
 * operator may have set another for all requests of his account. Where the answer says nothing, or
 * nothing that is known, it is the one that was asked for. Null is the standard price.
 */
export function servedPrice(price: Price, asked: Price | null, said: string | null): Price | null {
  if (said === null || said === 'auto') return asked;
  if (!isPricedApart(said)) return null;
  return askedPrice(price, said) ?? asked;
}
