/**
 * The data sets behind the catalog, read into one shape: for a host's model, the prices that each
 * set knows and the facts that models.dev knows. They lie in `$OMNIX_SHARED/catalog` and are not
 * part of the repository: facts are taken from them, with their name as the source.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { PriceTier } from '#wire/price.ts';
import type { UsageBucket } from '#wire/usage.ts';
import { toDecimal } from './decimals.ts';

export type DataSet = 'genai-prices' | 'models.dev' | 'litellm';
export type MutableList = Partial<Record<UsageBucket, string>>;

/** What one data set says that one host charges for one model. */
export interface PricePoint {
  readonly dataSet: DataSet;
  readonly list: MutableList;
  readonly tiers: readonly PriceTier[];
  /** Of the host's batch API. */
  readonly batch?: MutableList;
  readonly effectiveFrom: string;
  /** The set knows the day on which this price began, so it is not an old one left over. */
  readonly dated: boolean;
  readonly notes: readonly string[];
}

export const DATA_SETS = {
  'genai-prices': {
    file: 'genai-prices_0.1.8_data.json',
    date: '2026-09-23',
    name: 'genai-prices 0.1.8',
  },
  'models.dev': {
    file: 'models.dev_api_2026-07-02.json',
    date: '2026-07-02',
    name: 'models.dev 2026-07-02',
  },
  litellm: {
    file: 'litellm_model_prices_and_context_window_2026-07-24.json',
    date: '2026-07-24',
    name: 'litellm 2026-07-24',
  },
} as const satisfies Record<DataSet, { file: string; date: string; name: string }>;
const CANONICAL_FILE = 'models.dev_canonical_models_2026-07-02.json';

const devModelSchema = z.looseObject({
  name: z.string(),
  release_date: z.string(),
  reasoning: z.boolean(),
  temperature: z.boolean().optional(),
  tool_call: z.boolean(),
  structured_output: z.boolean().optional(),
  open_weights: z.boolean().optional(),
  status: z.string().optional(),
  base_model: z.string().optional(),
  modalities: z.looseObject({ input: z.array(z.string()), output: z.array(z.string()) }),
  limit: z.looseObject({ context: z.number().default(0), output: z.number().default(0) }),
  cost: z
    .looseObject({
      tiers: z.array(z.looseObject({ tier: z.looseObject({ size: z.number() }) })).optional(),
    })
    .optional(),
});
export type DevModel = z.infer<typeof devModelSchema>;

const devSchema = z.record(
  z.string(),
  z.looseObject({ doc: z.string().optional(), models: z.record(z.string(), devModelSchema) }),
);

const genaiUnitSchema = z.union([
  z.number(),
  z.object({
    base: z.number(),
    tiers: z.array(z.object({ start: z.number(), price: z.number() })),
  }),
]);
const genaiPricesSchema = z.record(z.string(), genaiUnitSchema);
const genaiEntrySchema = z.looseObject({
  constraint: z.looseObject({ type: z.string(), start_date: z.string().optional() }).optional(),
  prices: genaiPricesSchema,
});
const genaiSchema = z.array(
  z.looseObject({
    id: z.string(),
    pricing_urls: z.array(z.string()).optional(),
    models: z.array(
      z.looseObject({
        id: z.string(),
        name: z.string().optional(),
        deprecated: z.boolean().optional(),
        context_window: z.number().optional(),
        match: z.unknown(),
        prices: z.union([z.array(genaiEntrySchema), genaiPricesSchema]),
      }),
    ),
  }),
);
type GenaiModel = z.infer<typeof genaiSchema>[number]['models'][number];

const litellmModelSchema = z.looseObject({
  mode: z.string().optional(),
  litellm_provider: z.string().optional(),
  deprecation_date: z.string().optional(),
  max_input_tokens: z.unknown().optional(),
  max_output_tokens: z.unknown().optional(),
  supported_endpoints: z.array(z.string()).optional(),
  output_vector_size: z.number().optional(),
  supports_embedding_image_input: z.boolean().optional(),
  supports_multimodal: z.boolean().optional(),
  tiered_pricing: z.array(z.looseObject({ range: z.array(z.number()).optional() })).optional(),
});
export type LitellmModel = z.infer<typeof litellmModelSchema>;

/**
 * Bucket names of genai-prices. What stands here neither in ours is a step of its own (search,
 * hours).
 */
const GENAI_BUCKETS: Readonly<Record<string, UsageBucket>> = {
  input_mtok: 'input',
  output_mtok: 'output',
  cache_read_mtok: 'cache_read',
  cache_write_mtok: 'cache_write_5m',
  cache_write_1h_mtok: 'cache_write_1h',
  input_audio_mtok: 'audio_input',
  output_audio_mtok: 'audio_output',
  input_image_mtok: 'image_input',
  output_image_mtok: 'image_output',
  output_reasoning_mtok: 'reasoning',
  requests_kcount: 'request',
};
const DEV_BUCKETS: Readonly<Record<string, UsageBucket>> = {
  input: 'input',
  output: 'output',
  cache_read: 'cache_read',
  cached_input: 'cache_read',
  cache_write: 'cache_write_5m',
  cached_write: 'cache_write_5m',
  reasoning: 'reasoning',
  input_audio: 'audio_input',
  output_audio: 'audio_output',
};
const LITELLM_BUCKETS: Readonly<Record<string, UsageBucket>> = {
  input_cost_per_token: 'input',
  output_cost_per_token: 'output',
  cache_read_input_token_cost: 'cache_read',
  cache_creation_input_token_cost: 'cache_write_5m',
  cache_creation_input_token_cost_above_1hr: 'cache_write_1h',
  output_cost_per_reasoning_token: 'reasoning',
  input_cost_per_audio_token: 'audio_input',
  output_cost_per_audio_token: 'audio_output',
  input_cost_per_image_token: 'image_input',
  output_cost_per_image_token: 'image_output',
};
const LITELLM_BATCH: Readonly<Record<string, UsageBucket>> = {
  input_cost_per_token_batches: 'input',
  output_cost_per_token_batches: 'output',
};

export interface Sources {
  devModels(host: string): ReadonlyMap<string, DevModel>;
  devModel(host: string, id: string): DevModel | undefined;
  /** Facts by models.dev's own `<lab>/<model>`. */
  canonical(id: string): DevModel | undefined;
  genaiModel(host: string, id: string): GenaiModel | undefined;
  litellmModel(key: string): LitellmModel | undefined;
  litellmKeys(): readonly string[];
  pricingPage(genaiHost: string): string | undefined;
}

export function readSources(shared: string): Sources {
  const read = (file: string): unknown =>
    JSON.parse(readFileSync(join(shared, 'catalog', file), 'utf8'));
  const dev = devSchema.parse(read(DATA_SETS['models.dev'].file));
  const canonical = z.record(z.string(), devModelSchema).parse(read(CANONICAL_FILE));
  const genai = new Map(
    genaiSchema.parse(read(DATA_SETS['genai-prices'].file)).map((host) => [host.id, host]),
  );
  const litellm = new Map<string, LitellmModel>();
  const rawLitellm = z.record(z.string(), z.unknown()).parse(read(DATA_SETS.litellm.file));
  for (const [key, value] of Object.entries(rawLitellm)) {
    const model = litellmModelSchema.safeParse(value);
    if (model.success && key !== 'sample_spec') litellm.set(key, model.data);
  }
  return {
    devModels: (host) => new Map(Object.entries(dev[host]?.models ?? {})),
    devModel: (host, id) => dev[host]?.models[id],
    canonical: (id) => canonical[id],
    genaiModel: (host, id) =>
      genai.get(host)?.models.find((model) => matches(model.match, id.toLowerCase())),
    litellmModel: (key) => litellm.get(key),
    litellmKeys: () => [...litellm.keys()],
    pricingPage: (host) => genai.get(host)?.pricing_urls?.[0],
  };
}

/** The match rules of genai-prices. */
function matches(rule: unknown, id: string): boolean {
  if (typeof rule !== 'object' || rule === null) return false;
  return Object.entries(rule).some(([kind, value]) => {
    if (Array.isArray(value)) {
      const inner = value.map((one) => matches(one, id));
      return kind === 'and' ? inner.every(Boolean) : inner.some(Boolean);
    }
    const text = String(value).toLowerCase();
    if (kind === 'equals') return id === text;
    if (kind === 'starts_with') return id.startsWith(text);
    if (kind === 'ends_with') return id.endsWith(text);
    if (kind === 'contains') return id.includes(text);
    return kind === 'regex' && new RegExp(String(value), 'i').test(id);
  });
}

type GenaiEntry = z.infer<typeof genaiEntrySchema>;

/**
 * The price of today in genai-prices: the last entry that has begun; of daily windows, the dearest.
 */
export function genaiPoint(model: GenaiModel, today: string): PricePoint | null {
  const entries = Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }];
  const begun = entries.filter((entry) => (startOf(entry) ?? '') <= today && !isWindow(entry));
  const current = begun.at(-1);
  if (current === undefined) return null;
  const point = readGenaiPrices(current.prices);
  const windows = entries.filter(isWindow);
  for (const window of windows) raise(point.list, readGenaiPrices(window.prices).list);
  const began = startOf(current);
  return {
    dataSet: 'genai-prices',
    ...point,
    effectiveFrom: began ?? DATA_SETS['genai-prices'].date,
    dated: began !== undefined,
    notes: [
      ...changesAfter(entries, today),
      ...(windows.length > 0 ? ['differs by time of day: the dearest was taken'] : []),
    ],
  };
}

function startOf(entry: GenaiEntry): string | undefined {
  return entry.constraint?.start_date;
}

function changesAfter(entries: readonly GenaiEntry[], today: string): readonly string[] {
  const dates = entries.flatMap((entry) => startOf(entry) ?? []);
  return dates.filter((date) => date > today).map((date) => `changes on ${date}`);
}

function isWindow(entry: GenaiEntry): boolean {
  return entry.constraint !== undefined && startOf(entry) === undefined;
}

function raise(list: MutableList, other: MutableList): void {
  for (const bucket of Object.values(GENAI_BUCKETS)) {
    const theirs = other[bucket];
    if (theirs !== undefined && Number(theirs) > Number(list[bucket] ?? '0')) list[bucket] = theirs;
  }
}

function readGenaiPrices(prices: z.infer<typeof genaiPricesSchema>): {
  list: MutableList;
  tiers: PriceTier[];
} {
  const list: MutableList = {};
  const tiers = new Map<number, MutableList>();
  for (const [unit, price] of Object.entries(prices)) {
    const bucket = GENAI_BUCKETS[unit];
    if (bucket === undefined) continue;
    const shift = bucket === 'request' ? -3 : 0;
    list[bucket] = toDecimal(typeof price === 'number' ? price : price.base, shift);
    if (typeof price === 'number') continue;
    for (const { start, price: above } of price.tiers) {
      const tier = tiers.get(start) ?? {};
      tier[bucket] = toDecimal(above, shift);
      tiers.set(start, tier);
    }
  }
  return { list, tiers: toTiers(tiers) };
}

function toTiers(tiers: ReadonlyMap<number, MutableList>): PriceTier[] {
  return [...tiers]
    .toSorted(([a], [b]) => a - b)
    .map(([aboveInputTokens, list]) => ({ aboveInputTokens, ...list }));
}

export function devPoint(model: DevModel): PricePoint | null {
  if (model.cost === undefined) return null;
  const tiers = new Map<number, MutableList>();
  for (const tier of model.cost.tiers ?? [])
    tiers.set(tier.tier.size, readUnits(tier, DEV_BUCKETS, 0));
  return {
    dataSet: 'models.dev',
    list: readUnits(model.cost, DEV_BUCKETS, 0),
    tiers: toTiers(tiers),
    effectiveFrom: DATA_SETS['models.dev'].date,
    dated: false,
    notes: [],
  };
}

export function litellmPoint(model: LitellmModel): PricePoint {
  const tiers = litellmTiers(model);
  let list = readUnits(model, LITELLM_BUCKETS, 6);
  for (const tier of model.tiered_pricing ?? []) {
    const above = tier.range?.[0] ?? 0;
    const prices = readUnits(tier, LITELLM_BUCKETS, 6);
    if (above === 0) list = { ...list, ...prices };
    else tiers.set(above, prices);
  }
  const batch = readUnits(model, LITELLM_BATCH, 6);
  return {
    dataSet: 'litellm',
    list,
    ...(Object.keys(batch).length === 0 ? {} : { batch }),
    tiers: toTiers(tiers),
    effectiveFrom: DATA_SETS.litellm.date,
    dated: false,
    notes: [],
  };
}

function litellmTiers(model: LitellmModel): Map<number, MutableList> {
  const tiers = new Map<number, MutableList>();
  for (const [unit, value] of Object.entries(model)) {
    const match = /^(.*)_above_(\d+)k_tokens$/.exec(unit);
    const bucket = LITELLM_BUCKETS[match?.[1] ?? ''];
    if (match === null || bucket === undefined || typeof value !== 'number') continue;
    const above = Number(match[2]) * 1000;
    tiers.set(above, { ...tiers.get(above), [bucket]: toDecimal(value, 6) });
  }
  return tiers;
}

const LITELLM_UNITS: readonly (readonly [unit: string, bucket: UsageBucket])[] = [
  ['output_cost_per_image', 'image'],
  ['input_cost_per_second', 'second'],
  ['input_cost_per_character', 'character'],
];

/** What an image costs an embedder that does not count it in tokens. */
export function litellmImage(model: LitellmModel): MutableList {
  const value = model['input_cost_per_image'];
  return typeof value === 'number' && value > 0 ? { image: toDecimal(value) } : {};
}

/** A price per unit, for a model that has none per token. */
export function litellmUnits(model: LitellmModel): MutableList | null {
  if (typeof model['input_cost_per_token'] === 'number') return null;
  for (const [unit, bucket] of LITELLM_UNITS) {
    const value = model[unit];
    if (typeof value === 'number' && value > 0) return { [bucket]: toDecimal(value) };
  }
  return null;
}

function readUnits(
  units: Readonly<Record<string, unknown>>,
  buckets: Readonly<Record<string, UsageBucket>>,
  shift: number,
): MutableList {
  const list: MutableList = {};
  for (const [unit, bucket] of Object.entries(buckets)) {
    const value = units[unit];
    if (typeof value === 'number') list[bucket] = toDecimal(value, shift);
  }
  return list;
}
