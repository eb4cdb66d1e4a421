/**
 * Outcomes that were journalled together and wait to be posted together. Thousands of them wait at
 * any time, and whatever a waiting one keeps alive is copied by the garbage collector again and
 * again: so they wait as the bytes that the journal wrote, and are read only if they must be.
 */
import { toText } from '#base/bytes.ts';
import { fromUsageLine, type UsageEvent } from '#store/ledger-post.ts';

import type { ActiveHold } from './active-hold.ts';
import type { Allowance } from './allowance.ts';
import { RECORD_SEPARATOR } from './journal.ts';

export class WaitingOutcomes {
  readonly count: number;
  /** Events in the form of `toUsageLine`, with `RECORD_SEPARATOR` between them. */
  readonly records: Uint8Array;
  /** What is set aside for them, by whose allowance it is. */
  readonly #claims = new Map<Allowance, bigint>();

  constructor(holds: readonly ActiveHold[], records: Uint8Array) {
    this.count = holds.length;
    this.records = records;
    for (const { credit, budget, creditClaim, budgetClaim } of holds) {
      this.#claims.set(credit, (this.#claims.get(credit) ?? 0n) + creditClaim);
      if (budget !== null) {
        this.#claims.set(budget, (this.#claims.get(budget) ?? 0n) + budgetClaim);
      }
    }
  }

  events(): readonly UsageEvent[] {
    return this.count === 0 ? [] : toText(this.records).split(RECORD_SEPARATOR).map(fromUsageLine);
  }

  /** What was set aside is posted, or never will be; but for these, it is neither. */
  forget(but: readonly UsageEvent[]): void {
    for (const [allowance, claim] of this.#claims) {
      allowance.settle(claim - claimOn(allowance.resourceId, but));
    }
    this.#claims.clear();
  }
}

function claimOn(resourceId: string, events: readonly UsageEvent[]): bigint {
  let claim = 0n;
  for (const { book, organizationId, keyId, creditClaim, budgetClaim } of events) {
    if (resourceId === `${book}:credit:${organizationId}`) claim += creditClaim;
    if (resourceId === keyId) claim += budgetClaim;
  }
  return claim;
}
