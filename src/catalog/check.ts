/**
 * What is wrong with a catalog on a given day, beyond what stops it from being built: models that
 * nobody prices, offers past their end, prices on which the data sets disagree.
 */
import type { Catalog } from './catalog.ts';
import type { Dispute } from './disputes.ts';
import { endOfLife } from './lifecycle.ts';

export interface Finding {
  readonly kind: 'no_price' | 'past_shutdown' | 'disputed';
  /** The model's public id, or `<provider>/<host's id>` of an offer. */
  readonly subject: string;
  readonly message: string;
}

/** By kind, in the order of the catalog. */
export function checkCatalog(
  catalog: Catalog,
  disputes: readonly Dispute[],
  nowMs: number,
): readonly Finding[] {
  const unpriced: Finding[] = [];
  const ended: Finding[] = [];
  for (const { facts, offers } of catalog.all()) {
    if (offers.length === 0) {
      const message = 'no host offers it at a known price';
      unpriced.push({ kind: 'no_price', subject: facts.id, message });
    }
    const successor = facts.successor ?? null;
    for (const { providerId, upstreamModel, shutdown } of offers) {
      const end = endOfLife({ id: facts.id, shutdown, successor }, nowMs);
      const subject = `${providerId}/${upstreamModel}`;
      if (end?.kind === 'ended') {
        ended.push({ kind: 'past_shutdown', subject, message: end.message });
      }
    }
  }
  const disputed = disputes.map(({ offer, said, taken }): Finding => {
    return { kind: 'disputed', subject: offer, message: `${said}; taken: ${taken}` };
  });
  return [...unpriced, ...ended, ...disputed];
}
