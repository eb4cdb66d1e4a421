/** The long run of the random histories. */
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { history, runHistory } from '#testing/ledger-history.ts';
import { createLedgerRig } from '#testing/ledger-rig.ts';

it('promise 3: 300 histories leave books that balance and receipts that are true', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const rig = await createLedgerRig();
      try {
        expect(await runHistory(rig, steps)).toEqual([]);
      } finally {
        await rig.drop();
      }
    }),
    { numRuns: 300 },
  );
});
