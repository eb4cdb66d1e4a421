/**
 * A price sheet as operators and offers write it: decimal strings in US dollars per million tokens,
 * or per unit for the last four. A missing bucket falls back to its parent (contract.md, Config
 * file); `catalog/pricing.ts` compiles sheets and computes with them.
 */
import type { UsageBucket } from './usage.ts';

/** The buckets whose price is per unit and not per million. */
export const PER_UNIT_BUCKETS = [
  'image',
  'second',
  'character',
  'request',
] as const satisfies UsageBucket[];

export type PriceList = Readonly<Partial<Record<UsageBucket, string>>>;

/**
 * When a request has more than `aboveInputTokens` input tokens (all input buckets together), the
 * whole request takes these prices. A bucket that the tier leaves out keeps the price of the list;
 * one that both leave out falls back to its parent in the tier.
 */
export type PriceTier = PriceList & { readonly aboveInputTokens: number };

export interface PriceSheet {
  readonly list: PriceList;
  readonly tiers: readonly PriceTier[];
  /** What a job in the host's batch API costs, bucket by bucket; the list where it is silent. */
  readonly batch?: PriceList;
  /**
   * What the host takes in its other service tiers, by our name of the tier: sheets of their own,
   * with all that the tier prices. A tier that is not here has no price, and is not asked for.
   */
  readonly services?: Readonly<Record<string, PriceSheet>>;
  /** A page of the host, a data set with its version, or "config" for the operator's own. */
  readonly source: string;
  /** ISO date on which the price was read or from which it holds. */
  readonly effectiveFrom: string;
}
