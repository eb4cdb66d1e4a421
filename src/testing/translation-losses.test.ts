/**
 * Random conversations in the common form, written in each dialect and read back: what is lost
 * stands in the committed table of docs/translation.md, which this test makes, and nothing else is.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formArbitrary } from './form-arbitrary.ts';
import { replaceTable } from './translation-doc.ts';
import { WAYS, lossMarkdown, lossesOf, roundTrip } from './translation-losses.ts';

const docPath = fileURLToPath(new URL('../../docs/translation.md', import.meta.url));
const writesDocs = process.env['OMNIX_WRITE_DOCS'] === '1';

/** Fixed, so that the table is the same on every machine. */
const SAMPLE = { seed: 2026, numRuns: 4_000 } as const;

describe('a request in the common form, written in a dialect and read back', () => {
  const table = lossesOf(fc.sample(formArbitrary, SAMPLE));

  it('loses what the committed table says', () => {
    const doc = readFileSync(docPath, 'utf8');
    const next = replaceTable(doc, 'losses', lossMarkdown(table));
    if (writesDocs) writeFileSync(docPath, next);
    expect(next, 'run again with OMNIX_WRITE_DOCS=1').toBe(writesDocs ? next : doc);
  });

  it.each(WAYS)('loses nothing else, and says nothing of its own: $name', (by) => {
    fc.assert(
      fc.property(formArbitrary, (form) => {
        const { losses } = roundTrip(form, by);
        const unknown = losses.filter(
          ({ kind, how }) => table.get(kind)?.get(by.name)?.has(how) !== true,
        );
        expect(unknown).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
