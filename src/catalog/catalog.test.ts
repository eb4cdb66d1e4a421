/**
 * The catalog that ships is whole and right, its names lead where they should, and bad data is
 * refused.
 */
import { describe, expect, it } from 'vitest';
import { formatUsd, subtractUsd } from '#base/money.ts';
import type { Offer } from '#providers/offers.ts';
import { buildCatalog, type Catalog, type CatalogOffer } from './catalog.ts';
import { BUILT_IN } from './data/built-in.ts';
import { isChatModel, type CatalogSources, type ModelFacts } from './models.ts';
import { costOfUsage } from './pricing.ts';

const DERIVED_FOR = '2026-11-20';

function build(sources?: CatalogSources): Catalog {
  const catalog = buildCatalog(sources);
  if (!catalog.ok) {
    throw new Error(catalog.error.map((fault) => `${fault.subject}: ${fault.message}`).join('\n'));
  }
  return catalog.value;
}

const catalog = build();

function offerOf(providerId: string, model: string): CatalogOffer {
  const found = catalog.find(model)?.offers.find((offer) => offer.providerId === providerId);
  if (found === undefined) throw new Error(`${providerId} does not offer ${model}`);
  return found;
}

describe('the catalog that ships', () => {
  const offers = catalog.all().flatMap((model) => model.offers);

  it('has at least 600 models of at least 25 providers, each with facts and a price', () => {
    const listed = Object.values(BUILT_IN.offers).flat();
    expect(offers.length).toBe(listed.length);
    expect(catalog.all().length).toBeGreaterThanOrEqual(600);
    expect(new Set(offers.map(({ providerId }) => providerId)).size).toBeGreaterThanOrEqual(25);
    for (const model of catalog.all()) expect(model.offers, model.facts.id).not.toHaveLength(0);
  });

  it('offers nothing that its host has shut down', () => {
    const dead = offers.filter((offer) => offer.shutdown !== null && offer.shutdown <= DERIVED_FOR);
    expect(dead.map((offer) => `${offer.providerId}/${offer.upstreamModel}`)).toEqual([]);
  });

  it('warns of the shutdowns that are known', () => {
    expect(offerOf('openai', 'gpt-5').shutdown).toBe('2026-12-11');
    expect(offerOf('openai', 'o3').shutdown).toBe('2026-12-11');
    expect(offerOf('openai', 'gpt-4o').shutdown).toBe('2027-01-14');
    expect(offerOf('openai', 'gpt-4.1-mini').shutdown).toBe('2027-01-14');
  });

  it('gives nothing away by accident', () => {
    const used = { input: 1, output: 1, image: 1, second: 1, character: 1 };
    const free = offers.filter(({ price }) => costOfUsage(price, used) === 0n);
    // Z.AI publishes these two as free for good: https://docs.z.ai/guides/overview/pricing
    expect(free.map((offer) => offer.upstreamModel)).toEqual(['glm-4.5-flash', 'glm-4.7-flash']);
  });

  it('never has a cache read dearer than input', () => {
    for (const { providerId, upstreamModel, price } of offers) {
      const read = costOfUsage(price, { cache_read: 1000 });
      const plain = costOfUsage(price, { input: 1000 });
      expect(read <= plain, `${providerId}/${upstreamModel}`).toBe(true);
    }
  });

  it('has limits that can be true', () => {
    const chat = catalog.all().filter(({ facts }) => isChatModel(facts));
    const absurd = chat
      .flatMap((model) => model.offers)
      .filter(({ context, maxOutput }) => (context ?? 4096) < 4000 || (maxOutput ?? 1024) < 1024);
    expect(absurd.map((offer) => `${offer.providerId}/${offer.upstreamModel}`)).toEqual([]);
  });
});

/** Dollars for a million tokens each of input, cached input and output. */
const PUBLISHED: readonly (readonly [provider: string, model: string, prices: string])[] = [
  // https://developers.openai.com/api/docs/pricing, as genai-prices 0.1.8 read it until 2026-09-23
  ['openai', 'gpt-4o-mini', '0.15 0.075 0.6'],
  ['openai', 'gpt-4o', '2.5 1.25 10'],
  ['openai', 'gpt-4.1', '2 0.5 8'],
  ['openai', 'gpt-5', '1.25 0.125 10'],
  ['openai', 'gpt-5-mini', '0.25 0.025 2'],
  ['openai', 'o3', '2 0.5 8'],
  // Cut on 2026-08-21 from 5 / 0.5 / 30, and introduced on 2026-09-22.
  ['openai', 'gpt-5.6-sol', '8 0.8 30'],
  ['openai', 'gpt-6-luna', '0.2 0.02 0.75'],
  // https://api-docs.deepseek.com/quick_start/pricing, peak, read on 2026-10-27
  ['deepseek', 'deepseek-flash', '0.3 0.006 1.2'],
  ['deepseek', 'deepseek-v4-pro', '1.32 0.044 3.96'],
  // https://console.groq.com/docs/models
  ['groq', 'gpt-oss-120b', '0.15 0.075 0.6'],
  ['groq', 'qwen3-32b', '0.29 0.29 0.59'],
  // https://mistral.ai/pricing/api
  ['mistral', 'mistral-large-2512', '0.5 0.05 1.5'],
  ['mistral', 'mistral-small-latest', '0.15 0.15 0.6'],
  // https://docs.x.ai/docs/models, above 200,000 tokens
  ['xai', 'grok-4.3', '2.5 0.4 5'],
  // https://platform.kimi.ai/docs/pricing/chat
  ['moonshot', 'kimi-k2.6', '0.95 0.16 4'],
  // https://docs.z.ai/guides/overview/pricing
  ['zai', 'glm-5.2', '1.4 0.26 4.4'],
  // https://platform.claude.com/docs/en/about-claude/pricing
  ['anthropic', 'claude-opus-4-8', '5 0.5 25'],
  ['anthropic', 'claude-haiku-4-5', '1 0.1 5'],
  // https://ai.google.dev/gemini-api/docs/pricing, above 200,000 tokens
  ['gemini', 'gemini-3.1-pro-preview', '4 0.4 18'],
  ['vertex', 'claude-haiku-4-5', '1 0.1 5'],
  // https://aws.amazon.com/bedrock/pricing/, the global profile
  ['bedrock', 'claude-opus-4-8', '5 0.5 25'],
  ['cohere', 'command-r7b-12-2024', '0.0375 0.0375 0.15'],
  ['openai', 'text-embedding-3-small', '0.02 0.02 0'],
  ['azure-openai', 'text-embedding-3-small', '0.02 0.02 0'],
  ['bedrock', 'embed-v4.0', '0.12 0.12 0'],
  ['bedrock', 'titan-embed-text', '0.02 0.02 0'],
  // https://docs.voyageai.com/docs/pricing
  ['voyage', 'voyage-4-large', '0.12 0.12 0'],
  // https://www.cerebras.ai/pricing
  ['cerebras', 'gpt-oss-120b', '0.35 0.35 0.75'],
];

describe('published prices', () => {
  it.each(PUBLISHED)('%s charges for %s what its page says', (provider, model, prices) => {
    const { price } = offerOf(provider, model);
    const million = 1_000_000;
    // A million input tokens reach the dearest tier, and so does output only beside them.
    const input = costOfUsage(price, { input: million });
    const cached = costOfUsage(price, { cache_read: million });
    const both = costOfUsage(price, { input: million, output: million });
    const [wantedInput = '', wantedCached = '', wantedOutput = ''] = prices.split(' ');
    expect(formatUsd(input)).toBe(wantedInput);
    expect(formatUsd(cached)).toBe(wantedCached);
    expect(formatUsd(subtractUsd(both, input))).toBe(wantedOutput);
  });

  it('change above the threshold that the host names, and not at it', () => {
    const { price } = offerOf('openai', 'gpt-5.4');
    // https://developers.openai.com/api/docs/pricing: "<272K" against from 272,000 on
    expect(formatUsd(costOfUsage(price, { input: 271_999 }))).toBe('0.6799975');
    expect(formatUsd(costOfUsage(price, { input: 272_000 }))).toBe('1.36');
  });

  it('of Claude know both lifetimes of its cache, wherever it runs', () => {
    for (const { facts, offers } of catalog.all()) {
      if (facts.lab !== 'anthropic') continue;
      for (const { price, providerId, upstreamModel } of offers) {
        const { cache_write_5m: five, cache_write_1h: hour } = price.sheet.list;
        if (five === undefined) continue;
        const ratio = Number(hour) / Number(price.sheet.list.input);
        expect(ratio, `${providerId}/${upstreamModel}`).toBeCloseTo(2, 6);
      }
    }
  });

  it('of a regional profile stand beside those of the global one', () => {
    const ids = catalog.find('claude-opus-4-8')?.offers.filter((o) => o.providerId === 'bedrock');
    expect(ids?.[0]?.upstreamModel).toBe('global.anthropic.claude-opus-4-8');
    expect(ids?.find(({ offer }) => offer.regions?.includes('eu-'))?.upstreamModel).toBe(
      'eu.anthropic.claude-opus-4-8',
    );
  });

  it('of a batch are half at hosts that say so', () => {
    expect(offerOf('anthropic', 'claude-opus-4-8').offer.price.batch).toMatchObject({
      input: '2.5',
      cache_read: '0.25',
      output: '12.5',
    });
  });

  it('of service tiers are those that hosts publish, each with its source', () => {
    expect(offerOf('openai', 'gpt-5.5').offer.price.services).toMatchObject({
      flex: { list: { input: '2.5', output: '15' } },
      priority: { list: { input: '12.5', cache_read: '1.25', output: '75' } },
    });
    const { priority } = offerOf('openai', 'gpt-5.4').offer.price.services ?? {};
    expect(priority).toMatchObject({ list: { input: '5', output: '30' } });
    expect(priority?.source).toContain('developers.openai.com');
    expect(offerOf('openai', 'gpt-4.1').offer.price.services).not.toHaveProperty('flex');
  });

  it('carry a source and the day from which they hold', () => {
    const { offer } = offerOf('openai', 'gpt-5.6-sol');
    expect(offer.price.source).toContain('developers.openai.com');
    expect(offer.price.effectiveFrom).toBe('2026-08-21');
  });
});

describe('names', () => {
  it('lead to the same model by id, alias, lab and any case', () => {
    for (const name of [
      'llama-3.3-70b',
      'meta/llama-3.3-70b',
      'meta-llama/llama-3.3-70b-instruct',
      'meta-llama/Llama-3.3-70B-Instruct-Turbo',
      'llama-3.3-70b-versatile',
    ]) {
      expect(catalog.find(name)?.facts.id, name).toBe('llama-3.3-70b');
    }
    expect(catalog.find('openai/gpt-4o')?.facts.id).toBe('gpt-4o');
    expect(catalog.find('sandbox/echo')?.facts.lab).toBe('sandbox');
    expect(catalog.find('nope')).toBeUndefined();
    expect(catalog.find('x'.repeat(100_000))).toBeUndefined();
  });

  it('of a snapshot lead to that snapshot, never to what its model points to today', () => {
    expect(offerOf('openai', 'gpt-4o-2024-11-20').upstreamModel).toBe('gpt-4o-2024-11-20');
  });

  it('unknown ones bring up those that may have been meant', () => {
    const ids = catalog.all().map((model) => model.facts.id);
    expect(catalog.nearest('gtp-4o-mini', ids, 3)[0]).toBe('gpt-4o-mini');
    expect(catalog.nearest('openai/gpt4o', ids, 1)).toEqual(['gpt-4o']);
    expect(catalog.nearest('deepseek', ids, 2)[0]).toMatch(/^deepseek-/);
  });
});

describe('data that cannot be right', () => {
  const facts: ModelFacts = {
    id: 'm-1',
    lab: 'lab',
    name: 'M 1',
    created: 0,
    context: 8192,
    maxOutput: null,
    input: ['text'],
    output: ['text'],
    capabilities: [],
    aliases: ['m'],
  };
  const offer: Offer = {
    model: 'm-1',
    price: {
      list: { input: '1', output: '2' },
      tiers: [],
      source: 'test',
      effectiveFrom: '2026-11-20',
    },
  };

  function faultsOf(models: readonly ModelFacts[], offers: readonly Offer[]): readonly string[] {
    const built = buildCatalog({ models, offers: { host: offers } });
    return built.ok ? [] : built.error.map((fault) => fault.message);
  }

  it('is refused: two models of one name', () => {
    expect(faultsOf([facts], [offer])).toEqual([]);
    expect(faultsOf([facts, { ...facts, aliases: [] }], [offer])).not.toEqual([]);
    const other = { ...facts, id: 'm-2', aliases: ['M'] };
    expect(faultsOf([facts, other], [offer])[0]).toContain('already belongs to m-1');
  });

  it('is refused: an offer of an unknown model, or the same one twice', () => {
    expect(faultsOf([facts], [{ ...offer, model: 'm-9' }])).toEqual([
      'no facts about the model m-9',
    ]);
    expect(faultsOf([facts], [offer, offer])).toEqual(['is offered twice']);
  });

  it('is refused: no price, no source, no date', () => {
    const withPrice = (change: Partial<Offer['price']>): Offer => ({
      ...offer,
      price: { ...offer.price, ...change },
    });
    expect(faultsOf([facts], [withPrice({ list: {} })])[0]).toContain('price of input');
    expect(faultsOf([facts], [withPrice({ source: '' })])).toEqual(['the price has no source']);
    expect(faultsOf([facts], [withPrice({ effectiveFrom: '2026-02-30' })])).toEqual([
      'the price has no ISO date',
    ]);
    expect(faultsOf([facts], [{ ...offer, shutdown: 'soon' }])).toEqual([
      'the shutdown date is not an ISO date',
    ]);
    expect(faultsOf([{ ...facts, shutdown: '11/12/2026' }], [offer])).toEqual([
      'the shutdown date is not an ISO date',
    ]);
  });
});
