/** Which offers a configured provider can use from where it stands. */
import type { Offer } from '#providers/offers.ts';

/** Stands in an offer's regions where the host is reached without naming one. */
const UNNAMED = 'default';

/** An operator who names no region is where the host's own default is. */
export function isServedIn({ regions }: Pick<Offer, 'regions'>, region: string | null): boolean {
  const here = region ?? UNNAMED;
  return regions === undefined || regions.some((prefix) => here.startsWith(prefix));
}
