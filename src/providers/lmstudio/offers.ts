/** What this host serves, at what price: nothing that is known beforehand. */
import type { Offer } from '../offers.ts';

export const offers: readonly Offer[] = [];
