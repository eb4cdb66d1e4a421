/**
 * The cost of every recorded exchange of the translated hosts, against an independent calculator:
 * to the nano-dollar where the prices are equal, and every other difference listed in
 * docs/translation.md with its reason.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import floor from '#testing/recordings-floor.json' with { type: 'json' };
import { NATIVE_PLACES, loadNativeRecordings } from '#testing/recordings-native-rows.ts';
import { findRecordings } from '#testing/recordings-rows.ts';
import {
  builtInCatalog,
  compareCosts,
  isEqual,
  type CostComparison,
} from '#testing/translation-costs.ts';
import { markdownTable, replaceTable } from '#testing/translation-doc.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = findRecordings(root);
const writesDocs = process.env['OMNIX_WRITE_DOCS'] === '1';
const docPath = `${root}docs/translation.md`;

describe.runIf(folder !== null)('costs of recorded exchanges', () => {
  const catalog = builtInCatalog();
  const exchanges = folder === null ? [] : loadNativeRecordings(folder).exchanges;
  const all = exchanges.flatMap((exchange) => compareCosts(exchange, catalog) ?? []);
  const counts = NATIVE_PLACES.map(({ name }) => {
    const own = all.filter(({ exchange }) => exchange.place === name);
    const known = own.filter(({ equalPrices }) => equalPrices !== null);
    const priced = known.filter(({ catalog: ours }) => ours !== null);
    return {
      name,
      usage: own.length,
      known: known.length,
      equal: known.filter(({ equalPrices: pair }) => pair !== null && isEqual(pair)).length,
      priced: priced.length,
      same: priced.filter(({ catalog: pair }) => pair !== null && isEqual(pair)).length,
    };
  });

  it('are equal to the nano-dollar at equal prices, or differ for a known reason', () => {
    const unequal = all.filter(({ equalPrices: pair }) => pair !== null && !isEqual(pair));
    const unknown = unequal.filter(({ reasons }) => !reasons.some((why) => why.includes('which')));
    expect(
      unknown.map(({ exchange, equalPrices }) => ({ ...equalPrices, at: exchange.label })),
    ).toEqual([]);
    for (const { name, equal } of counts) {
      expect(equal, name).toBeGreaterThanOrEqual(floor.costs[floorKey(name)] ?? 0);
    }
  });

  it('stand in the committed table, with every difference of prices', () => {
    const made = `${countTable()}\n\n${differenceTable(all)}`;
    const doc = readFileSync(docPath, 'utf8');
    const next = replaceTable(doc, 'costs', made);
    if (writesDocs) writeFileSync(docPath, next);
    expect(next, 'run again with OMNIX_WRITE_DOCS=1').toBe(writesDocs ? next : doc);
  });

  function countTable(): string {
    return markdownTable(
      [
        'host',
        'exchanges with usage',
        'known to the calculator',
        'equal at equal prices',
        'in our catalog',
        'equal at our price',
      ],
      counts.map(({ name, ...row }) => [name, ...Object.values(row).map(String)]),
    );
  }
});

function floorKey(name: string): keyof typeof floor.costs {
  for (const key of Object.keys(floor.costs)) if (isFloorKey(key) && key === name) return key;
  throw new Error(`no floor of ${name}`);
}

function isFloorKey(key: string): key is keyof typeof floor.costs {
  return key in floor.costs;
}

/** One row for each host, model and reason. */
function differenceTable(all: readonly CostComparison[]): string {
  const rows = new Map<string, number>();
  for (const { exchange, equalPrices, catalog, reasons } of all) {
    const add = (why: string) => {
      const key = JSON.stringify([exchange.place, exchange.model, why]);
      rows.set(key, (rows.get(key) ?? 0) + 1);
    };
    if (exchange.model === 'recorded-model') continue;
    if (equalPrices === null) add('the calculator does not know the model');
    else if (catalog === null) add('this host does not offer the model in our catalog');
    for (const why of reasons) add(why);
    const isUnexplained = catalog !== null && !isEqual(catalog) && reasons.length === 0;
    if (isUnexplained) add('NOT EXPLAINED');
  }
  const cells = [...rows].map(([key, times]) => [...readKey(key), String(times)]);
  const sorted = cells.toSorted((a, b) => (a.join() < b.join() ? -1 : 1));
  return markdownTable(['host', 'model', 'why it differs', 'exchanges'], sorted);
}

function readKey(key: string): string[] {
  const parsed: unknown = JSON.parse(key);
  return Array.isArray(parsed) ? parsed.map(String) : [];
}
