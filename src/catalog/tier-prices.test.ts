/** Which price holds for a service tier: asked for, given, or neither known. */
import { describe, expect, it } from 'vitest';
import { nanoUsd } from '#base/money.ts';
import type { PriceSheet } from '#wire/price.ts';
import { compilePrice, costOfUsage, highestCost, type Price } from './pricing.ts';
import { askedPrice, isPricedApart, servedPrice } from './tier-prices.ts';

const sheet = (input: string, output: string, more: Partial<PriceSheet> = {}): PriceSheet => ({
  list: { input, output },
  tiers: [],
  source: 'test',
  effectiveFrom: '2026-01-01',
  ...more,
});

function compiled(given: PriceSheet): Price {
  const price = compilePrice(given);
  if (!price.ok) throw new Error(price.error.message);
  return price.value;
}

const PRICE = compiled(
  sheet('2', '10', { services: { flex: sheet('1', '5'), priority: sheet('4', '20') } }),
);
const PLAIN = compiled(sheet('2', '10'));
const MILLION = { input: 1_000_000 };

describe('a service tier that is asked for', () => {
  it('has its own price where the host has one', () => {
    const flex = askedPrice(PRICE, 'flex');
    expect(flex?.service).toBe('flex');
    expect(flex === null ? null : costOfUsage(flex, MILLION)).toBe(nanoUsd(1_000_000_000n));
  });

  it('may be called fast, as OpenAI calls priority since 2026-07-30', () => {
    expect(askedPrice(PRICE, 'fast')).toBe(askedPrice(PRICE, 'priority'));
  });

  it('has none where nobody priced it', () => {
    expect(askedPrice(PRICE, 'ultrafast')).toBeNull();
    expect(askedPrice(PLAIN, 'flex')).toBeNull();
    expect(askedPrice(PRICE, null)).toBeNull();
  });

  it.each(['auto', 'default', 'standard', 'standard_only', 'on_demand', ''])(
    'is the standard one with the word %j',
    (word) => {
      expect(isPricedApart(word)).toBe(false);
    },
  );

  it.each(['flex', 'priority', 'fast', 'scale', 'performance', 'anything'])(
    'may cost something else with the word %j',
    (word) => {
      expect(isPricedApart(word)).toBe(true);
    },
  );

  it('is held for at the dearer of its price and the standard one, which may be given', () => {
    const bounds = { inputTokensMax: 1_000_000, outputTokensMax: 0, requests: 1 };
    const held = (asked: string | null): bigint =>
      highestCost(PRICE, bounds, askedPrice(PRICE, asked));
    expect(held(null)).toBe(2_000_000_000n);
    expect(held('priority')).toBe(4_000_000_000n);
    expect(held('flex')).toBe(2_000_000_000n);
  });
});

describe('the service tier that answered', () => {
  it.each<[asked: string | null, said: string | null, billed: string | null]>([
    ['priority', 'priority', 'priority'],
    ['priority', 'fast', 'priority'],
    ['fast', 'priority', 'priority'],
    ['priority', 'default', null],
    ['flex', 'default', null],
    ['flex', 'flex', 'flex'],
    // An operator may have set a tier for all requests of his project.
    [null, 'priority', 'priority'],
    [null, 'default', null],
    [null, null, null],
    ['priority', null, 'priority'],
    // OpenAI's `response.created` says what was asked, not what is given.
    ['flex', 'auto', 'flex'],
    ['priority', 'unheard of', 'priority'],
    [null, 'unheard of', null],
  ])('asked for %j and told %j is billed as %j', (asked, said, billed) => {
    expect(servedPrice(PRICE, askedPrice(PRICE, asked), said)?.service ?? null).toBe(billed);
  });
});

describe('a sheet with service tiers', () => {
  it('is refused where a price of a tier is none', () => {
    const wrong = sheet('2', '10', { services: { flex: sheet('one', '5') } });
    expect(compilePrice(wrong)).toMatchObject({ ok: false, error: { bucket: 'input' } });
  });

  it('has the version that it had without them', () => {
    expect(PRICE.version).toBe(PLAIN.version);
    expect(askedPrice(PRICE, 'flex')?.version).not.toBe(PLAIN.version);
  });
});
