/** Outcomes that wait: in whatever parts they are posted, nothing of them is lost or doubled. */
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { toBytes, toText } from '#base/bytes.ts';
import { toUsageLine, type UsageEvent } from '#store/ledger-post.ts';

import { Allowance } from './allowance.ts';
import { RECORD_SEPARATOR } from './journal.ts';
import { toBatch, WaitingOutcomes } from './waiting-outcomes.ts';

const outcome = fc.record({
  organization: fc.constantFrom('org_a', 'org_b'),
  key: fc.constantFrom('key_a', 'key_b'),
  limited: fc.boolean(),
  creditClaim: fc.bigInt(0n, 9n),
  budgetClaim: fc.bigInt(1n, 9n),
});

it('in parts are the same outcomes, and all that is set aside for them is let go of', () => {
  fc.assert(
    fc.property(
      fc.array(outcome, { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 8 }),
      (given, size) => {
        const allowances = new Map<string, Allowance>();
        const allowanceOf = (id: string): Allowance => {
          const known = allowances.get(id) ?? new Allowance(id);
          allowances.set(id, known);
          return known;
        };
        const claims = given.map(({ organization, key, limited, creditClaim, budgetClaim }) => ({
          credit: allowanceOf(`live:credit:${organization}`),
          budget: limited ? allowanceOf(`${organization}:${key}`) : null,
          creditClaim,
          budgetClaim: limited ? budgetClaim : 0n,
        }));
        const events = given.map(({ organization, key }, at): UsageEvent => {
          const { creditClaim = 0n, budgetClaim = 0n } = claims[at] ?? {};
          const of = { organizationId: organization, keyId: `${organization}:${key}` };
          const what = { kind: 'outcome', book: 'live', attempt: 0, cost: 9n } as const;
          const rest = { platformCost: 0n, admittedAtMs: 1, detail: `{"at":${at}}` };
          return { requestId: `req_${at}`, ...of, ...what, creditClaim, budgetClaim, ...rest };
        });
        for (const { credit, budget, creditClaim, budgetClaim } of claims) {
          credit.settle(-creditClaim);
          budget?.settle(-budgetClaim);
        }
        const lines = events.map(toUsageLine).join(RECORD_SEPARATOR);
        const parts = new WaitingOutcomes(claims, toBytes(lines)).split(size);
        expect(parts.every(({ count }) => count >= 1 && count <= size)).toBe(true);
        expect(parts.map(({ records }) => toText(records)).join(RECORD_SEPARATOR)).toBe(lines);
        expect(toBatch(parts).lines()).toBe(lines);
        expect(toBatch(parts).events()).toEqual(events);
        for (const part of parts) part.forget();
        expect([...allowances.values()].map(({ unposted }) => unposted)).toEqual(
          [...allowances.values()].map(() => 0n),
        );
      },
    ),
  );
});
