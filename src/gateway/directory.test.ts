/** Names, aliases, pins and the order of endpoints; and what is wrong with an operator's models. */
import { describe, expect, it } from 'vitest';
import { buildCatalog } from '#catalog/catalog.ts';
import type { ModelFacts } from '#catalog/models.ts';
import type { Offer } from '#providers/offers.ts';
import { providers } from '#providers/registry.ts';
import type { PriceSheet } from '#wire/price.ts';
import { buildDirectory, type ConfiguredEndpoint, type ConfiguredModel } from './directory.ts';
import type { PublicModel } from './endpoint.ts';
import type { ConfiguredProvider } from './make-endpoints.ts';

const PRICE: PriceSheet = {
  list: { input: '1', output: '2' },
  tiers: [],
  source: 'test',
  effectiveFrom: '2026-01-01',
};

function facts(id: string, lab: string, more: Partial<ModelFacts> = {}): ModelFacts {
  return {
    id,
    lab,
    name: id.toUpperCase(),
    created: 1,
    context: 1_000,
    maxOutput: 100,
    input: ['text'],
    output: ['text'],
    capabilities: ['tools'],
    aliases: [],
    ...more,
  };
}

const offer = (model: string, more: Partial<Offer> = {}): Offer => ({
  model,
  price: PRICE,
  ...more,
});

function catalogOf() {
  const catalog = buildCatalog({
    models: [
      facts('gpt-x', 'openai', { aliases: ['gpt-x-latest'] }),
      facts('llama-9', 'meta'),
      facts('nowhere', 'openai'),
      facts('sandbox/echo', 'sandbox'),
    ],
    offers: {
      openai: [offer('gpt-x', { context: 2_000 })],
      groq: [offer('llama-9', { upstreamModel: 'llama-9-fast', maxOutput: 50 })],
      together: [offer('llama-9', { upstreamModel: 'meta/Llama-9' })],
      sandbox: [offer('sandbox/echo')],
    },
  });
  if (!catalog.ok) throw new Error(JSON.stringify(catalog.error));
  return catalog.value;
}

type Id = 'openai' | 'groq' | 'together' | 'sandbox';

function host(name: string, id: Id, more: Partial<ConfiguredProvider> = {}): ConfiguredProvider {
  return {
    name,
    provider: providers[id],
    baseUrl: `https://${name}.test/v1`,
    secrets: [`key of ${name}`],
    region: null,
    project: null,
    account: null,
    headers: [],
    priority: 0,
    timeoutMs: null,
    book: id === 'sandbox' ? 'test' : 'live',
    ...more,
  };
}

function model(id: string, more: Partial<ConfiguredModel>): ConfiguredModel {
  const none = { alias: null, context: null, maxOutput: null, capabilities: null };
  return { id, endpoints: [], ...none, ...more };
}

const at = (provider: string, more: Partial<ConfiguredEndpoint> = {}): ConfiguredEndpoint => ({
  provider,
  model: null,
  price: null,
  context: null,
  maxOutput: null,
  ...more,
});

function build(hosts: readonly ConfiguredProvider[], models: readonly ConfiguredModel[] = []) {
  return buildDirectory({ catalog: catalogOf(), providers: hosts, models });
}

function directoryOf(hosts: readonly ConfiguredProvider[], models?: readonly ConfiguredModel[]) {
  const { directory, faults } = build(hosts, models);
  expect(faults).toEqual([]);
  return directory;
}

const endpointsOf = (models: readonly PublicModel[]): string[] =>
  models.flatMap(({ endpoints }) => endpoints.map(({ id }) => id));

const HOSTS = [host('openai', 'openai'), host('groq', 'groq'), host('together', 'together')];

describe('names', () => {
  const directory = directoryOf(HOSTS);

  it.each(['gpt-x', 'openai/gpt-x', 'gpt-x-latest', 'openai/gpt-x-latest', 'GPT-X'])(
    '%s is the same model (contract: Answers, lab alias)',
    (name) => {
      expect(directory.resolve(name).map(({ id }) => id)).toEqual(['gpt-x']);
      expect(endpointsOf(directory.resolve(name))).toEqual(['openai/gpt-x']);
    },
  );

  it('of a lab lead to all hosts, in the order of the catalog', () => {
    expect(endpointsOf(directory.resolve('meta/llama-9'))).toEqual([
      'groq/llama-9-fast',
      'together/meta/Llama-9',
    ]);
  });

  it("of a provider pin to it, by our id or the host's", () => {
    expect(endpointsOf(directory.resolve('together/llama-9'))).toEqual(['together/meta/Llama-9']);
    expect(endpointsOf(directory.resolve('together/meta/Llama-9'))).toEqual([
      'together/meta/Llama-9',
    ]);
    expect(endpointsOf(directory.resolve('groq/meta/llama-9'))).toEqual(['groq/llama-9-fast']);
    expect(directory.resolve('openai/llama-9')).toEqual([]);
  });

  it('of a lab are no pin where a provider is named like it (contract: Answers, provider pin)', () => {
    const hosts = [host('meta', 'groq'), host('together', 'together'), host('mine', 'groq')];
    const named = directoryOf(hosts);
    const all = ['meta/llama-9-fast', 'mine/llama-9-fast', 'together/meta/Llama-9'];
    expect(endpointsOf(named.resolve('meta/llama-9')).toSorted()).toEqual(all);
    expect(endpointsOf(named.resolve('mine/llama-9'))).toEqual(['mine/llama-9-fast']);
  });

  it('that nobody has are nothing, and the nearest are told', () => {
    for (const name of ['gpt-y', '', '/', 'groq/', '/gpt-x', 'gpt-x?ms=5', '__proto__', '?']) {
      expect(directory.resolve(name), name).toEqual([]);
    }
    expect(directory.nearest('gpt-xx', directory.available())).toContain('gpt-x');
  });

  it('of the sandbox take parameters', () => {
    const sandbox = directoryOf([host('sandbox', 'sandbox')]);
    expect(sandbox.resolve('sandbox/echo?ms=5').map(({ id }) => id)).toEqual(['sandbox/echo']);
  });

  it('of models that run nowhere are known and not available', () => {
    expect(directory.resolve('nowhere').map(({ endpoints }) => endpoints)).toEqual([[]]);
    expect(directory.available().map(({ id }) => id)).toEqual(['gpt-x', 'llama-9']);
    expect(directory.all().map(({ id }) => id)).toContain('nowhere');
  });
});

describe('endpoints', () => {
  it("take the host's limits before the lab's, and the operator's before both (contract: Config file, limits)", () => {
    const [own] = directoryOf(HOSTS).resolve('gpt-x');
    expect(own?.endpoints[0]).toMatchObject({ context: 2_000, maxOutput: 100 });
    const configured = directoryOf(HOSTS, [
      model('gpt-x', {
        context: 700,
        endpoints: [at('openai', { maxOutput: 70 }), at('openai', { context: 7 })],
      }),
    ]);
    const [mine] = configured.resolve('gpt-x');
    expect(mine?.endpoints).toMatchObject([
      { context: 700, maxOutput: 70 },
      { context: 7, maxOutput: 100 },
    ]);
    expect(mine).toMatchObject({ name: 'GPT-X', lab: 'openai', context: 700 });
  });

  it('stand in strict order of priority, then as they are written (contract: Config file, priority)', () => {
    const hosts = [
      host('low', 'groq', { priority: -1 }),
      host('first', 'openai'),
      host('high', 'together', { priority: 5 }),
      host('second', 'openai'),
    ];
    const priced = (name: string): ConfiguredEndpoint => at(name, { model: 'm', price: PRICE });
    const endpoints = ['low', 'second', 'high', 'first'].map(priced);
    const directory = directoryOf(hosts, [model('mine', { endpoints })]);
    expect(endpointsOf(directory.resolve('mine'))).toEqual([
      'high/m',
      'second/m',
      'first/m',
      'low/m',
    ]);
    expect(endpointsOf(directory.resolve('llama-9'))).toEqual([
      'high/meta/Llama-9',
      'low/llama-9-fast',
    ]);
  });

  it('are one for each key, in the order of the keys', () => {
    const directory = directoryOf([host('openai', 'openai', { secrets: ['k1', 'k2', 'k3'] })]);
    const [found] = directory.resolve('gpt-x');
    expect(found?.endpoints.map(({ secret }) => secret)).toEqual(['k1', 'k2', 'k3']);
  });

  it('carry place, headers and patience', () => {
    const [found] = directoryOf([
      host('openai', 'openai', {
        region: 'eu',
        account: 'acc',
        headers: [['x-a', 'b']],
        timeoutMs: 77,
      }),
    ]).resolve('gpt-x');
    expect(found?.endpoints[0]).toMatchObject({
      target: { region: 'eu', account: 'acc', model: 'gpt-x', baseUrl: 'https://openai.test/v1' },
      headers: [['x-a', 'b']],
      silenceMs: { firstEvent: 77, wholeAnswer: 77, idle: 77 },
    });
  });

  it('of a configured model replace those of the catalog', () => {
    const only = at('groq', { model: 'other', price: PRICE });
    const directory = directoryOf(HOSTS, [model('gpt-x', { endpoints: [only] })]);
    for (const name of ['gpt-x', 'openai/gpt-x', 'gpt-x-latest']) {
      expect(endpointsOf(directory.resolve(name))).toEqual(['groq/other']);
    }
  });

  it("take the catalog's price where the operator gives none", () => {
    const directory = directoryOf(HOSTS, [
      model('mine', { endpoints: [at('groq', { model: 'llama-9-fast', price: PRICE })] }),
      model('llama-9', { endpoints: [at('groq')] }),
    ]);
    const [catalogued] = directory.resolve('llama-9');
    expect(catalogued?.endpoints[0]?.price.sheet).toBe(PRICE);
  });
});

describe('aliases', () => {
  const fast = model('fast', { alias: ['gpt-x', 'meta/llama-9'] });

  it('are an ordered chain, also of other aliases (contract: Config file, aliases)', () => {
    const directory = directoryOf(HOSTS, [model('any', { alias: ['fast', 'gpt-x'] }), fast]);
    const chain = ['openai/gpt-x', 'groq/llama-9-fast', 'together/meta/Llama-9'];
    expect(endpointsOf(directory.resolve('fast'))).toEqual(chain);
    expect(endpointsOf(directory.resolve('any'))).toEqual([...chain, 'openai/gpt-x']);
    expect(directory.available().map(({ id }) => id)).toContain('fast');
    expect(endpointsOf(directory.resolve('groq/fast'))).toEqual(['groq/llama-9-fast']);
  });

  it('are available while anything behind them is', () => {
    const directory = directoryOf(HOSTS, [
      model('none', { alias: ['nowhere'] }),
      model('some', { alias: ['nowhere', 'gpt-x'] }),
    ]);
    const available = directory.available().map(({ id }) => id);
    expect(available).toContain('some');
    expect(available).not.toContain('none');
  });
});

describe('what an operator got wrong is refused, with its path', () => {
  it.each<[string, readonly ConfiguredModel[], string, RegExp]>([
    [
      'an unknown model in a chain',
      [model('fast', { alias: ['gpt-x', 'gpt-zzz'] })],
      'models.fast.alias[1]',
      /there is no model "gpt-zzz"/,
    ],
    ['an alias of itself', [model('a', { alias: ['a'] })], 'models.a.alias', /back to itself/],
    [
      'an unknown provider',
      [model('m', { endpoints: [at('openai', { price: PRICE }), at('nobody')] })],
      'models.m.endpoints[1].provider',
      /no provider "nobody"; there are: openai, groq, together/,
    ],
    [
      'no price anywhere (contract: Config file, no price)',
      [model('m.1', { endpoints: [at('openai')] })],
      'models.m.1.endpoints[0].price',
      /no price/,
    ],
    [
      'a price of one side',
      [
        model('m', {
          endpoints: [at('openai', { price: { ...PRICE, list: { input: '1' } } })],
        }),
      ],
      'models.m.endpoints[0].price.output',
      /needs one for output/,
    ],
  ])('%s', (_case, models, path, message) => {
    const { faults } = build(HOSTS, models);
    expect(faults).toHaveLength(1);
    expect(faults[0]?.path).toBe(path);
    expect(faults[0]?.message).toMatch(message);
  });

  it('a circle of any length, told for each of its members', () => {
    const { faults } = build(HOSTS, [
      model('a', { alias: ['b'] }),
      model('b', { alias: ['gpt-x', 'c'] }),
      model('c', { alias: ['a'] }),
      model('d', { alias: ['a'] }),
    ]);
    expect(faults.map(({ path }) => path)).toEqual([
      'models.a.alias',
      'models.b.alias',
      'models.c.alias',
    ]);
  });

  it('a circle through another name of the same model', () => {
    for (const name of ['openai/gpt-x', 'gpt-x-latest', 'GPT-X']) {
      const { faults } = build(HOSTS, [model('gpt-x', { alias: [name] })]);
      expect(faults.map(({ path }) => path)).toEqual(['models.gpt-x.alias']);
    }
  });

  it('everything at once', () => {
    const { faults } = build(HOSTS, [
      model('a', { alias: ['b-zzz'] }),
      model('m', { endpoints: [at('nobody'), at('openai')] }),
    ]);
    expect(faults.map(({ path }) => path)).toEqual([
      'models.a.alias[0]',
      'models.m.endpoints[0].provider',
      'models.m.endpoints[1].price',
    ]);
  });
});
