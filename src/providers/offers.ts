/** What one host serves, at what price: the form of every provider's `offers.ts`. */
import type { PriceSheet } from '#wire/price.ts';

export interface Offer {
  /** Public id of the model, a key of the catalog's facts. */
  readonly model: string;
  /** The host's own id for it, where it differs. */
  readonly upstreamModel?: string;
  readonly price: PriceSheet;
  /** Tokens; where the host's limits differ from the lab's. */
  readonly context?: number;
  readonly maxOutput?: number;
  /** ISO date on which the host stops serving it. */
  readonly shutdown?: string;
}
