/**
 * Outcomes that were journalled together and wait to be posted together. Thousands of them wait at
 * any time, and whatever a waiting one keeps alive is copied by the garbage collector again and
 * again: so they wait as the bytes that the journal wrote, and are read only if they must be.
 */
import { concatBytes, toBytes, toText } from '#base/bytes.ts';
import { fromUsageLine, type UsageEvent } from '#store/ledger-post.ts';

import type { ActiveHold } from './active-hold.ts';
import type { Allowance } from './allowance.ts';
import { RECORD_SEPARATOR } from './journal.ts';
import type { PostingBatch } from './posting.ts';

const BETWEEN = toBytes(RECORD_SEPARATOR);

/** What is set aside for one outcome, and where. */
type Claims = Pick<ActiveHold, 'budget' | 'creditClaim' | 'budgetClaim'> & {
  readonly credit: Allowance | null;
};

export class WaitingOutcomes {
  readonly count: number;
  /** Events in the form of `toUsageLine`, with `RECORD_SEPARATOR` between them. */
  readonly records: Uint8Array;
  /** What is set aside for them, by whose allowance it is. */
  readonly #claims = new Map<Allowance, bigint>();

  constructor(claims: readonly Claims[], records: Uint8Array) {
    this.count = claims.length;
    this.records = records;
    for (const { credit, budget, creditClaim, budgetClaim } of claims) {
      if (credit !== null) this.#claims.set(credit, (this.#claims.get(credit) ?? 0n) + creditClaim);
      if (budget !== null) {
        this.#claims.set(budget, (this.#claims.get(budget) ?? 0n) + budgetClaim);
      }
    }
  }

  events(): readonly UsageEvent[] {
    return this.count === 0 ? [] : this.#lines().map(fromUsageLine);
  }

  #lines(): readonly string[] {
    return toText(this.records).split(RECORD_SEPARATOR);
  }

  /** The same in parts of at most so many; what is set aside goes with them, out of this one. */
  split(countMax: number): readonly WaitingOutcomes[] {
    if (this.count <= countMax) return [this];
    const allowances = new Map([...this.#claims.keys()].map((of) => [of.resourceId, of]));
    const lines = this.#lines();
    const parts: WaitingOutcomes[] = [];
    for (let start = 0; start < lines.length; start += countMax) {
      const part = lines.slice(start, start + countMax);
      const claims = part.map((line) => claimsOf(fromUsageLine(line), allowances));
      parts.push(new WaitingOutcomes(claims, toBytes(part.join(RECORD_SEPARATOR))));
    }
    this.#claims.clear();
    return parts;
  }

  /** What was set aside is posted, or never will be. */
  forget(): void {
    for (const [allowance, claim] of this.#claims) allowance.settle(claim);
    this.#claims.clear();
  }
}

function claimsOf(event: UsageEvent, allowances: ReadonlyMap<string, Allowance>): Claims {
  const { book, organizationId, keyId, creditClaim, budgetClaim } = event;
  const credit = allowances.get(`${book}:credit:${organizationId}`) ?? null;
  return { credit, budget: allowances.get(keyId) ?? null, creditClaim, budgetClaim };
}

/** All of these in one statement, as the bytes that they wait in. */
export function toBatch(waiting: readonly WaitingOutcomes[]): PostingBatch {
  return {
    count: waiting.reduce((sum, { count }) => sum + count, 0),
    lines: () => {
      const pieces = waiting.flatMap(({ records }, at) =>
        at === 0 ? [records] : [BETWEEN, records],
      );
      return toText(concatBytes(pieces));
    },
    events: () => waiting.flatMap((outcomes) => outcomes.events()),
  };
}
