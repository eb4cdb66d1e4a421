/** What this host serves, at what price. */
import type { Offer } from '../offers.ts';

export const offers: readonly Offer[] = [];
