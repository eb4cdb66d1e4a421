/** The price arithmetic against a second one in exact fractions, and its promises as properties. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatUsd } from '#base/money.ts';
import { PER_UNIT_BUCKETS, type PriceList, type PriceSheet, type PriceTier } from '#wire/price.ts';
import { USAGE_BUCKETS, type UsageBucket, type UsageBuckets } from '#wire/usage.ts';
import {
  compilePrice,
  costOfUsage,
  highestCost,
  priceUsage,
  type Price,
  type UsageBounds,
} from './pricing.ts';

function sheetOf(list: PriceList, tiers: readonly PriceTier[] = []): PriceSheet {
  return { list, tiers, source: 'test', effectiveFrom: '2026-11-20' };
}

function priceOf(list: PriceList, tiers: readonly PriceTier[] = []): Price {
  const price = compilePrice(sheetOf(list, tiers));
  if (!price.ok) throw new Error(`${price.error.bucket}: ${price.error.message}`);
  return price.value;
}

/**
 * A second arithmetic, written from contract.md alone: fractions of bigints over one denominator.
 */
const ORACLE_SCALE = 10n ** 24n;
const ORACLE_PARENTS = new Map<UsageBucket, UsageBucket>([
  ['cache_read', 'input'],
  ['cache_write_5m', 'input'],
  ['cache_write_1h', 'input'],
  ['audio_input', 'input'],
  ['image_input', 'input'],
  ['reasoning', 'output'],
  ['audio_output', 'output'],
  ['image_output', 'output'],
]);
const ORACLE_INPUTS: readonly UsageBucket[] = [
  'input',
  'cache_read',
  'cache_write_5m',
  'cache_write_1h',
  'audio_input',
  'image_input',
];

function scaled(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole) * ORACLE_SCALE + BigInt(fraction.padEnd(24, '0'));
}

function oracleList(sheet: PriceSheet, usage: UsageBuckets): PriceList {
  const inputs = ORACLE_INPUTS.reduce((sum, bucket) => sum + (usage[bucket] ?? 0), 0);
  const matching = sheet.tiers
    .filter((tier) => inputs > tier.aboveInputTokens)
    .toSorted((a, b) => a.aboveInputTokens - b.aboveInputTokens);
  const { aboveInputTokens: _, ...tier } = matching.at(-1) ?? { aboveInputTokens: 0 };
  return { ...sheet.list, ...tier };
}

function oracleExact(sheet: PriceSheet, usage: UsageBuckets): bigint {
  const list = oracleList(sheet, usage);
  let total = 0n;
  for (const bucket of USAGE_BUCKETS) {
    const parent = ORACLE_PARENTS.get(bucket);
    const text = list[bucket] ?? (parent === undefined ? undefined : list[parent]);
    const perUnit = PER_UNIT_BUCKETS.some((unit) => unit === bucket);
    // Everything per million units, so that nothing is divided before the end.
    total += BigInt(usage[bucket] ?? 0) * scaled(text ?? '0') * (perUnit ? 1_000_000n : 1n);
  }
  return total;
}

function oracleCost(sheet: PriceSheet, usage: UsageBuckets): bigint {
  const perNano = (ORACLE_SCALE * 1_000_000n) / 1_000_000_000n;
  const exact = oracleExact(sheet, usage);
  return exact / perNano + (exact % perNano === 0n ? 0n : 1n);
}

const decimalPrice = fc
  .tuple(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 999_999_999_999 }))
  .map(([whole, fraction]) => `${whole}.${String(fraction).padStart(12, '0')}`);
const optionalPrices = fc.record(
  Object.fromEntries(USAGE_BUCKETS.map((bucket) => [bucket, decimalPrice])),
  { requiredKeys: [] },
);
const prices = fc
  .tuple(optionalPrices, decimalPrice, decimalPrice)
  .map(([list, input, output]) => ({ ...list, input, output }));
const tier = fc
  .tuple(optionalPrices, fc.integer({ min: 0, max: 300_000 }))
  .map(([list, aboveInputTokens]) => ({ ...list, aboveInputTokens }));
const sheets = fc
  .tuple(prices, fc.uniqueArray(tier, { maxLength: 3, selector: (t) => t.aboveInputTokens }))
  .map(([list, tiers]) => sheetOf(list, tiers));
const usages = fc.record(
  Object.fromEntries(USAGE_BUCKETS.map((bucket) => [bucket, fc.nat({ max: 200_000 })])),
  { requiredKeys: [] },
);

function compiled(sheet: PriceSheet): Price {
  return priceOf(sheet.list, sheet.tiers);
}

describe('what usage costs', () => {
  it('equals a second arithmetic in exact fractions, whatever the prices', () => {
    fc.assert(
      fc.property(sheets, usages, (sheet, usage) => {
        const price = compiled(sheet);
        expect(costOfUsage(price, usage)).toBe(oracleCost(sheet, usage));
        expect(priceUsage(price, usage).cost).toBe(oracleCost(sheet, usage));
      }),
      { numRuns: 300 },
    );
  });

  it('can be done again by hand from the lines of the receipt', () => {
    fc.assert(
      fc.property(sheets, usages, (sheet, usage) => {
        const { cost, lines } = priceUsage(compiled(sheet), usage);
        let sum = 0n;
        for (const line of lines) {
          expect(scaled(line.amount) * BigInt(line.per)).toBe(
            BigInt(line.units) * scaled(line.rate),
          );
          sum += scaled(line.amount);
        }
        const perNano = ORACLE_SCALE / 1_000_000_000n;
        expect(cost).toBe((sum + perNano - 1n) / perNano);
      }),
      { numRuns: 200 },
    );
  });

  it('never falls when usage grows within a tier', () => {
    fc.assert(
      fc.property(prices, usages, usages, (list, usage, more) => {
        const price = priceOf(list);
        const larger = Object.fromEntries(
          USAGE_BUCKETS.map((bucket) => [bucket, (usage[bucket] ?? 0) + (more[bucket] ?? 0)]),
        );
        expect(costOfUsage(price, larger) >= costOfUsage(price, usage)).toBe(true);
      }),
    );
  });

  it('rounds once, up, and only at the end', () => {
    const price = priceOf({ input: '0.0001', output: '0.0001' });
    // A tenth of a nano-dollar each: two halves of the same nano-dollar are not two nano-dollars.
    expect(costOfUsage(price, { input: 1 })).toBe(1n);
    expect(costOfUsage(price, { input: 5, output: 5 })).toBe(1n);
    expect(costOfUsage(price, { input: 5, output: 6 })).toBe(2n);
    expect(costOfUsage(price, {})).toBe(0n);
  });

  it('takes the parent of a bucket that has no price, and says what had neither', () => {
    const price = priceOf({ input: '2', output: '8', cache_read: '0.5' });
    const used = { cache_read: 1_000_000, cache_write_1h: 1_000_000, reasoning: 1_000_000 };
    expect(formatUsd(costOfUsage(price, used))).toBe('10.5');
    const priced = priceUsage(price, { ...used, image: 3, request: 1 });
    expect(priced.lines.map((line) => line.rate)).toEqual(['0.5', '2', '8']);
    expect(priced.unpriced).toEqual(['image']);
  });

  it.each([
    ['cache_read', '2'],
    ['cache_write_5m', '2'],
    ['cache_write_1h', '2'],
    ['audio_input', '2'],
    ['image_input', '2'],
    ['reasoning', '8'],
    ['audio_output', '8'],
    ['image_output', '8'],
  ])(
    'charges %s like its side where it has no price (contract: Config file, parent of a bucket)',
    (bucket, rate) => {
      const price = priceOf({ input: '2', output: '8' });
      const { lines, unpriced } = priceUsage(price, { [bucket]: 1_000_000 });
      expect(lines.map((line) => line.rate)).toEqual([rate]);
      expect(unpriced).toEqual([]);
    },
  );

  it('charges per unit where the price is per unit (contract: Config file, prices per unit)', () => {
    const price = priceOf({
      image: '0.04',
      second: '0.1512',
      character: '0.000015',
      request: '0.005',
    });
    const usage = { image: 2, second: 8, character: 1000, request: 1 };
    expect(formatUsd(costOfUsage(price, usage))).toBe('1.3096');
    expect(priceUsage(price, usage).lines[2]).toEqual({
      bucket: 'character',
      units: 1000,
      rate: '0.000015',
      per: 1,
      amount: '0.015',
    });
  });

  it('stays a number and above zero when usage breaks its contract', () => {
    const price = priceOf({ input: '1', output: '1' });
    expect(costOfUsage(price, { input: -5 })).toBe(0n);
    expect(costOfUsage(price, { input: Number.NaN })).toBe(0n);
    expect(costOfUsage(price, { input: 1.5 })).toBe(2000n);
    expect(costOfUsage(price, { input: Number.POSITIVE_INFINITY })).toBeGreaterThan(0n);
  });
});

describe('tiers', () => {
  const price = priceOf({ input: '2.5', output: '15', cache_read: '0.25' }, [
    { aboveInputTokens: 500, input: '7', output: '30' },
    { aboveInputTokens: 100, input: '5', output: '22.5', cache_read: '0.5' },
  ]);

  it('apply to the whole request when all input together exceeds the threshold (contract: Config file, tiers)', () => {
    expect(priceUsage(price, { input: 60, cache_read: 40, output: 1 }).tier).toBeNull();
    const above = priceUsage(price, { input: 60, cache_read: 41, output: 1 });
    expect(above.tier).toBe(100);
    expect(above.lines.map((line) => line.rate)).toEqual(['5', '0.5', '22.5']);
  });

  it('choose the highest that matches; what it leaves out keeps the price of the list', () => {
    const top = priceUsage(price, { input: 500, cache_read: 1, cache_write_5m: 1, output: 1 });
    expect(top.tier).toBe(500);
    expect(top.lines.map((line) => line.rate)).toEqual(['7', '0.25', '7', '30']);
  });
});

describe('the highest cost', () => {
  const bounds = fc.record({
    inputTokensMax: fc.nat({ max: 600_000 }),
    outputTokensMax: fc.nat({ max: 200_000 }),
    requests: fc.constant(1),
  });
  const shares = fc.array(fc.nat({ max: 1000 }), { minLength: 11, maxLength: 11 });

  /** Usage within the bounds: each side is dealt out to its buckets by the shares. */
  function deal(
    total: number,
    buckets: readonly UsageBucket[],
    parts: readonly number[],
  ): UsageBuckets {
    const sum = parts.slice(0, buckets.length).reduce((a, b) => a + b, 0) + 1;
    return Object.fromEntries(
      buckets.map((bucket, at) => [bucket, Math.floor((total * (parts[at] ?? 0)) / sum)]),
    );
  }

  it('is never below what any usage within the bounds costs', () => {
    fc.assert(
      fc.property(sheets, bounds, shares, fc.boolean(), (sheet, bound, parts, media) => {
        const price = compiled(sheet);
        const inputs = media ? ORACLE_INPUTS : ORACLE_INPUTS.slice(0, 4);
        const outputs: UsageBucket[] = ['output', 'reasoning'];
        if (media) outputs.push('audio_output', 'image_output');
        const usage = {
          ...deal(bound.inputTokensMax, inputs, parts),
          ...deal(bound.outputTokensMax, outputs, parts.slice(6)),
          request: 1,
        };
        const most = highestCost(price, { ...bound, inputMedia: media, outputMedia: media });
        expect(most >= costOfUsage(price, usage)).toBe(true);
        const all = { input: bound.inputTokensMax, output: bound.outputTokensMax, request: 1 };
        expect(most >= costOfUsage(price, all)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('is no higher than the dearest usage really is', () => {
    const price = priceOf({ input: '1', output: '2', cache_write_1h: '3', audio_input: '10' });
    const bound: UsageBounds = { inputTokensMax: 10, outputTokensMax: 10, requests: 1 };
    expect(highestCost(price, bound)).toBe(costOfUsage(price, { cache_write_1h: 10, output: 10 }));
    expect(highestCost(price, { ...bound, inputMedia: true })).toBe(
      costOfUsage(price, { audio_input: 10, output: 10 }),
    );
  });

  it('leaves out a tier that so few tokens cannot reach, and keeps a dearer list below one', () => {
    const dearer = priceOf({ input: '1', output: '1' }, [
      { aboveInputTokens: 100, input: '2', output: '2' },
    ]);
    const bound = (inputTokensMax: number): UsageBounds => ({
      inputTokensMax,
      outputTokensMax: 0,
      requests: 1,
    });
    expect(highestCost(dearer, bound(100))).toBe(100_000n);
    expect(highestCost(dearer, bound(101))).toBe(202_000n);
    const cheaper = priceOf({ input: '10', output: '1' }, [
      { aboveInputTokens: 100, input: '1', output: '1' },
    ]);
    // A hundred tokens of the list cost more than all 150 in the tier.
    expect(highestCost(cheaper, bound(150))).toBe(1_000_000n);
  });

  it('counts fees and units that are asked for', () => {
    const price = priceOf({ input: '0', output: '0', request: '0.005', image: '0.04' });
    const bound: UsageBounds = { inputTokensMax: 9, outputTokensMax: 9, requests: 2, images: 3 };
    expect(formatUsd(highestCost(price, bound))).toBe('0.13');
  });
});

describe('a price sheet that cannot be right', () => {
  function faultOf(sheet: PriceSheet): string | null {
    const price = compilePrice(sheet);
    return price.ok ? null : price.error.bucket;
  }

  it('is refused with the name of the bucket', () => {
    expect(faultOf(sheetOf({}))).toBe('input');
    expect(faultOf(sheetOf({ cache_read: '1' }))).toBe('input');
    expect(faultOf(sheetOf({ input: '1' }))).toBe('output');
    expect(faultOf(sheetOf({ output: '1' }))).toBe('input');
    expect(faultOf(sheetOf({ input: '1', output: '-1' }))).toBe('output');
    expect(faultOf(sheetOf({ input: '1e-6', output: '1' }))).toBe('input');
    expect(faultOf(sheetOf({ input: '1', output: '1', image: 'free' }))).toBe('image');
    expect(faultOf(sheetOf({ image: '0.04' }))).toBeNull();
    expect(faultOf(sheetOf({ input: '0', output: '0' }))).toBeNull();
  });

  it('is refused for tiers that are no thresholds, or the same twice', () => {
    const list = { input: '1', output: '1' };
    expect(faultOf(sheetOf(list, [{ aboveInputTokens: 1.5 }]))).toBe('tiers');
    expect(faultOf(sheetOf(list, [{ aboveInputTokens: -1 }]))).toBe('tiers');
    expect(faultOf(sheetOf(list, [{ aboveInputTokens: 5 }, { aboveInputTokens: 5 }]))).toBe(
      'tiers',
    );
    expect(faultOf(sheetOf(list, [{ aboveInputTokens: 5, output: 'x' }]))).toBe('output');
  });
});

describe('the version of a price', () => {
  it('is the same for the same numbers and another for others', () => {
    const version = priceOf({ input: '1', output: '2' }).version;
    expect(priceOf({ output: '2', input: '1' }).version).toBe(version);
    expect(priceOf({ input: '1', output: '3' }).version).not.toBe(version);
    expect(version.startsWith('2026-11-20:')).toBe(true);
  });
});
