/**
 * What the sandbox charges, in test credit: prices of its own, so that receipts have something to
 * show.
 */
import type { Offer } from '../offers.ts';

const MODELS = [
  'sandbox/echo',
  'sandbox/tools',
  'sandbox/slow',
  'sandbox/error',
  'sandbox/embedding',
];

export const offers: readonly Offer[] = MODELS.map((model) => ({
  model,
  price: {
    list: { input: '1.00', output: '2.00' },
    tiers: [],
    source: 'test credit',
    effectiveFrom: '2026-11-20',
  },
}));
