/** The rules of derivation: one name for one model, the vote on prices, ends, and the tables. */
import { describe, expect, it } from 'vitest';
import { readModels } from '#catalog/read-models.ts';
import { readOffers, type Offer } from '#providers/offers.ts';
import { modelLines, offerLines } from './emit.ts';
import { labShutdown, shutdownOf, successorOf } from './ends.ts';
import type { Host } from './host.ts';
import { labOf, publicIdOf } from './names.ts';
import { choosePrice, mediaPrice, vote } from './prices.ts';
import type { DataSet, DevModel, LitellmModel, PricePoint, Sources } from './sources.ts';

const HOST: Host = { providerId: 'host', title: 'Host', dev: 'host', litellm: ['host/'] };

const NOTHING: Sources = {
  devModels: () => new Map(),
  devModel: () => undefined,
  canonical: () => undefined,
  genaiModel: () => undefined,
  litellmModel: () => undefined,
  litellmKeys: () => [],
  pricingPage: () => undefined,
};

function point(dataSet: DataSet, input: string, from?: string): PricePoint {
  return {
    dataSet,
    list: { input, output: '9' },
    tiers: [],
    effectiveFrom: from ?? '2026-09-23',
    dated: from !== undefined,
    notes: [],
  };
}

describe('one name', () => {
  it.each([
    ['global.anthropic.claude-haiku-4-5-20251001-v1:0', 'claude-haiku-4-5-20251001'],
    ['us.anthropic.claude-opus-4-6-v1', 'claude-opus-4-6'],
    ['claude-sonnet-4-5@20250929', 'claude-sonnet-4-5-20250929'],
    ['claude-opus-4-8@default', 'claude-opus-4-8'],
    ['anthropic/claude-opus-4.8', 'claude-opus-4-8'],
    ['us.meta.llama3-3-70b-instruct-v1:0', 'llama-3.3-70b'],
    ['meta-llama/Llama-3.3-70B-Instruct-Turbo', 'llama-3.3-70b'],
    ['deepseek.v3-v1:0', 'deepseek-v3.1'],
    ['us.deepseek.r1-v1:0', 'deepseek-r1'],
    ['openai.gpt-oss-120b-1:0', 'gpt-oss-120b'],
    ['amazon/nova-lite-v1', 'nova-lite'],
    ['eu.amazon.nova-lite-v1:0', 'nova-lite'],
    ['accounts/fireworks/models/deepseek-v3p2', 'deepseek-v3.2'],
    ['gpt-4o-2024-08-06', 'gpt-4o-2024-08-06'],
    ['cohere.embed-v4:0', 'embed-v4.0'],
  ])('%s is %s', (hosts, ours) => {
    expect(publicIdOf(hosts)).toBe(ours);
  });

  it('tells the lab, or takes the maker that the host writes before it', () => {
    expect(labOf('claude-opus-4-8', 'vendor/claude-opus-4.8')).toBe('anthropic');
    expect(labOf('aion-1.0', 'aion-labs/aion-1.0')).toBe('aion');
    expect(labOf('something-new', 'somebody/something-new')).toBe('somebody');
    expect(labOf('something-new', 'something-new')).toBeNull();
    expect(labOf('something-new', 'accounts/fireworks/models/something-new')).toBeNull();
  });
});

describe('the vote on a price', () => {
  it('needs a set that knows one', () => {
    expect(vote([], undefined)).toEqual({ winner: null, verdict: 'alone' });
    expect(choosePrice(HOST, 'm', NOTHING).sheet).toBeNull();
  });

  it('is open where two sets say two things', () => {
    const { winner, verdict } = vote(
      [point('genai-prices', '1'), point('litellm', '2')],
      undefined,
    );
    expect([winner?.dataSet, verdict]).toEqual(['genai-prices', 'disputed']);
  });

  it('goes to the majority against the youngest', () => {
    const points = [point('genai-prices', '1'), point('litellm', '2'), point('models.dev', '2')];
    const { winner, verdict } = vote(points, undefined);
    expect([winner?.list.input, verdict]).toEqual(['2', 'majority']);
  });

  it('goes to a set that knows the day; a day after the others were made is a change', () => {
    const others = [point('litellm', '2'), point('models.dev', '2')];
    const newer = vote([point('genai-prices', '1', '2026-08-21'), ...others], undefined);
    expect([newer.winner?.list.input, newer.verdict]).toEqual(['1', 'newer']);
    const older = vote([point('genai-prices', '1', '2026-03-13'), ...others], undefined);
    expect([older.winner?.list.input, older.verdict]).toEqual(['1', 'disputed']);
  });

  it('ends where a decision was made by hand', () => {
    const points = [point('genai-prices', '1'), point('litellm', '2')];
    expect(vote(points, 'litellm')).toMatchObject({ winner: points[1], verdict: 'decided' });
  });
});

describe('a sheet', () => {
  const dev: DevModel = {
    name: 'M',
    release_date: '2026-01-01',
    reasoning: false,
    tool_call: false,
    modalities: { input: ['text'], output: ['text'] },
    limit: { context: 1, output: 1 },
    cost: { input: 5, output: 25, cache_write: 6.25 },
  };
  const litellm: LitellmModel = {
    input_cost_per_token: 0.000_005,
    output_cost_per_token: 0.000_025,
    cache_read_input_token_cost: 0.000_000_5,
    input_cost_per_token_batches: 0.000_002_5,
  };
  const sources: Sources = { ...NOTHING, devModel: () => dev, litellmModel: () => litellm };

  it('is filled from the sets that agree, batch included', () => {
    expect(choosePrice({ ...HOST, page: 'https://page' }, 'm', sources)).toMatchObject({
      sheet: {
        list: {
          input: '5',
          cache_read: '0.5',
          cache_write_5m: '6.25',
          cache_write_1h: '6.25',
          output: '25',
        },
        batch: { input: '2.5' },
        source: 'https://page (litellm 2026-07-24)',
        effectiveFrom: '2026-07-24',
      },
      dispute: null,
    });
  });

  it("of a Claude has an hour's cache at twice the input, where no set knows it", () => {
    const { sheet } = choosePrice({ ...HOST, halfInBatch: 'all' }, 'claude-x', sources);
    expect(sheet?.list.cache_write_1h).toBe('10');
    expect(sheet?.batch).toEqual({
      input: '2.5',
      cache_read: '0.25',
      cache_write_5m: '3.125',
      cache_write_1h: '5',
      output: '12.5',
    });
  });

  it('has thoughts above a threshold at no less than answers', () => {
    const above = { ...litellm, output_cost_per_token_above_200k_tokens: 0.000_03 };
    const tierOf = (thought: number): unknown => {
      const model: LitellmModel = { ...above, output_cost_per_reasoning_token: thought };
      return choosePrice(HOST, 'm', { ...NOTHING, litellmModel: () => model }).sheet?.tiers[0];
    };
    expect(tierOf(0.000_025)).toMatchObject({ output: '30', reasoning: '30' });
    expect(tierOf(0.000_04)).not.toHaveProperty('reasoning');
  });

  it('knows the other service tiers of hosts that price them, of snapshots too', () => {
    const openai = { ...HOST, providerId: 'openai' };
    const sheetOf = (id: string) => choosePrice(openai, id, sources).sheet;
    expect(sheetOf('gpt-5.5-2026-04-23')?.services).toMatchObject({
      flex: { list: { input: '2.5', cache_read: '0.25', output: '12.5' } },
      priority: { list: { input: '12.5', cache_read: '1.25', output: '62.5' } },
    });
    expect(sheetOf('gpt-4.1')?.services).not.toHaveProperty('flex');
    expect(sheetOf('m')).not.toHaveProperty('services');
    expect(choosePrice(HOST, 'gpt-5.5', sources).sheet).not.toHaveProperty('services');
  });

  it('names its dispute', () => {
    const cheap: LitellmModel = { ...litellm, input_cost_per_token: 0.000_004 };
    const { dispute, notes } = choosePrice(HOST, 'm', { ...sources, litellmModel: () => cheap });
    expect(dispute).toEqual({
      offer: 'host/m',
      said: 'litellm 4/25, models.dev 5/25',
      taken: 'litellm',
    });
    expect(notes.join()).toContain('DISPUTED');
  });
});

describe("an embedder's sheet", () => {
  const host: Host = { ...HOST, genai: 'host' };
  const medium = { key: 'host/m', id: 'm', mode: 'embedding' } as const;
  const tokens: LitellmModel = { input_cost_per_token: 0.000_000_2, output_cost_per_token: 0 };
  const genai = {
    id: 'm',
    match: {},
    prices: { input_mtok: 0.2, input_image_mtok: 0.45 },
  };

  it('has images by the token where a set knows that, else by the piece', () => {
    const priced = { ...tokens, input_cost_per_image: 0.000_12 };
    const alone: Sources = { ...NOTHING, litellmModel: () => priced };
    expect(mediaPrice(host, medium, alone)?.list).toEqual({
      input: '0.2',
      output: '0',
      image: '0.00012',
    });
    const both: Sources = { ...alone, genaiModel: () => genai };
    expect(mediaPrice(host, medium, both)?.list).toEqual({
      input: '0.2',
      image_input: '0.45',
      output: '0',
    });
    expect(mediaPrice(host, { ...medium, mode: 'audio_speech' }, both)?.list).toEqual({
      input: '0.2',
      output: '0',
    });
  });

  it('takes nothing from a set that says another price', () => {
    const other = { ...genai, prices: { input_mtok: 0.3, input_image_mtok: 0.45 } };
    const sources = { ...NOTHING, litellmModel: () => tokens, genaiModel: () => other };
    expect(mediaPrice(host, medium, sources)?.list).toEqual({ input: '0.2', output: '0' });
  });

  it('may be that of the youngest set alone, or of nobody', () => {
    const sources = { ...NOTHING, genaiModel: () => genai };
    expect(mediaPrice(host, medium, sources)).toMatchObject({
      list: { input: '0.2', output: '0' },
      source: 'genai-prices 0.1.8',
    });
    expect(mediaPrice(host, medium, NOTHING)).toBeNull();
  });
});

describe('the end', () => {
  it('is what was decided by hand, else what litellm says', () => {
    const openai: Host = { ...HOST, providerId: 'openai', litellm: [''] };
    const dated: Sources = {
      ...NOTHING,
      litellmModel: () => ({ deprecation_date: '2030-01-01' }),
    };
    expect(shutdownOf(openai, 'gpt-5-mini', dated)).toBe('2026-12-11');
    expect(successorOf(openai, 'gpt-5-mini')).toBe('gpt-5.6-terra');
    expect(shutdownOf(HOST, 'm', dated)).toBe('2030-01-01');
    // Google's page says that this one stays, whatever was announced before.
    const gemini: Host = { ...HOST, providerId: 'gemini' };
    expect(shutdownOf(gemini, 'gemini-2.5-flash-lite', dated)).toBeUndefined();
  });

  it("of a closed model is its lab's; open weights have none", () => {
    expect(labShutdown('gpt-4o')).toEqual({ shutdown: '2027-01-14', successor: 'gpt-6-luna' });
    expect(labShutdown('gpt-oss-120b')).toEqual({});
    expect(labShutdown('llama-3.3-70b')).toEqual({});
  });
});

describe('the tables', () => {
  it('of offers read as they were written', () => {
    const price = {
      list: { input: '1', output: '2' },
      tiers: [{ aboveInputTokens: 1000, input: '2' }],
      batch: { input: '0.5' },
      source: 'https://page (set)',
      effectiveFrom: '2026-01-01',
    };
    const { batch: _batch, ...plain } = price;
    const flex = { ...plain, list: { input: '0.5', output: '1' } };
    const services = { flex, priority: { ...flex, source: 's', tiers: [] } };
    const offers: readonly Offer[] = [
      { model: 'a', price: { ...price, services } },
      {
        model: 'b',
        upstreamModel: 'org/b',
        context: 1,
        maxOutput: 2,
        shutdown: '2027-01-01',
        regions: ['eu-', 'us-'],
        price: { list: { second: '0.1' }, tiers: [], source: 's', effectiveFrom: '2026-02-02' },
      },
    ];
    expect(readOffers(offerLines(offers).join('\n'))).toEqual(offers);
  });

  it('of facts read as they were written', () => {
    const table =
      '# lab\nm|M|2026-01-02|1/-|text>text|tools|a b|until=2027-01-01 then=n\nn|N|-|-/2|audio>text|||';
    expect(modelLines(readModels(table)).join('\n')).toBe(table);
  });
});
