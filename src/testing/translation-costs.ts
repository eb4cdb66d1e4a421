/**
 * What recorded exchanges cost, computed twice: by our arithmetic from the usage that our dialects
 * read, and by the calculator of `@pydantic/genai-prices` from the usage that it reads itself.
 */
import { calcPrice, extractUsage, findProvider, type Usage } from '@pydantic/genai-prices';
import { buildCatalog, type Catalog } from '#catalog/catalog.ts';
import { compilePrice, costOfUsage, type Price } from '#catalog/pricing.ts';
import type { ChatSupport, Target } from '#providers/provider.ts';
import { providers } from '#providers/registry.ts';
import type { PriceList } from '#wire/price.ts';
import type { Usage as OurUsage, UsageBucket } from '#wire/usage.ts';
import { readAwsFrames } from './recordings-aws-frames.ts';
import { at, listOf, numberOf, parse, stringOf } from './recordings-json.ts';
import { promptTokens } from './recordings-native-answer.ts';
import { readNative } from './recordings-native-reading.ts';
import type { NativeExchange } from './recordings-native-rows.ts';
import { readSse } from './recordings-reading.ts';

/** How the two came out for one exchange. Amounts are nano-dollars. */
export interface CostComparison {
  readonly exchange: NativeExchange;
  /** Null where the other calculator does not know the model. */
  readonly equalPrices: { readonly ours: number; readonly theirs: number } | null;
  /** Null where our catalog has no price of the model. */
  readonly catalog: { readonly ours: number; readonly theirs: number } | null;
  /** Why they differ, where it is known. */
  readonly reasons: readonly string[];
}

const THEIR_PROVIDERS: Readonly<Record<string, string>> = {
  anthropic: 'anthropic',
  gemini: 'google',
  vertex: 'google',
  bedrock: 'aws',
  cohere: 'cohere',
};

/** Their names of prices per million tokens, and our bucket. */
const BUCKETS: readonly (readonly [string, UsageBucket])[] = [
  ['input_mtok', 'input'],
  ['cache_read_mtok', 'cache_read'],
  ['cache_write_mtok', 'cache_write_5m'],
  ['cache_write_1h_mtok', 'cache_write_1h'],
  ['input_audio_mtok', 'audio_input'],
  ['input_image_mtok', 'image_input'],
  ['output_mtok', 'output'],
  ['output_audio_mtok', 'audio_output'],
  ['output_image_mtok', 'image_output'],
];

const NANO_PER_USD = 1e9;
const SEARCHES = 'web_searches';
const SEARCH_FEE = 'web_searches_kcount';
const SEARCHES_A_FEE = 1_000;
const AUDIO_CACHE = 'cache_audio_read_mtok';

/** Null where the recording tells no usage. */
export function compareCosts(exchange: NativeExchange, catalog: Catalog): CostComparison | null {
  if (exchange.status !== 200 || readNative(exchange).tokens === null) return null;
  const buckets = ourUsage(exchange)?.buckets;
  if (buckets === undefined) return null;
  const usage = theirUsage(exchange);
  const { model } = exchange;
  const providerId = THEIR_PROVIDERS[exchange.place] ?? '';
  const their = calcPrice(usage, model, { providerId });
  const ourPrice = catalogPrice(exchange, catalog);
  if (their === null) return { exchange, equalPrices: null, catalog: null, reasons: [] };
  const prices: Readonly<Record<string, unknown>> = their.model_price;
  const fee = ((usage[SEARCHES] ?? 0) * (numberOf(prices[SEARCH_FEE]) ?? 0)) / SEARCHES_A_FEE;
  const theirs = (their.total_price - fee) * NANO_PER_USD;
  const price = compile(prices);
  return {
    exchange,
    equalPrices: { ours: Number(costOfUsage(price, buckets)), theirs },
    catalog: ourPrice === null ? null : { ours: Number(costOfUsage(ourPrice, buckets)), theirs },
    reasons: reasonsOf(exchange, { fee, price, ourPrice, hasAudioCache: AUDIO_CACHE in prices }),
  };
}

/** Rounded once to the nano-dollar; theirs is a float. */
export function isEqual({ ours, theirs }: { readonly ours: number; readonly theirs: number }) {
  return Math.abs(ours - theirs) < 1 + theirs * Number.EPSILON * 8;
}

export function builtInCatalog(): Catalog {
  const catalog = buildCatalog();
  if (!catalog.ok) throw new Error('the catalog has faults');
  return catalog.value;
}

interface Known {
  readonly fee: number;
  readonly price: Price;
  readonly ourPrice: Price | null;
  readonly hasAudioCache: boolean;
}

function reasonsOf(exchange: NativeExchange, known: Known): string[] {
  const reasons: string[] = [];
  const text = exchange.body.toString('utf8');
  if (known.fee > 0) reasons.push('fees of searches, for which usage has no bucket');
  if (text.includes('"type":"compaction"')) {
    reasons.push('a compaction, which the other calculator leaves out');
  }
  const cachedAudio = /"cacheTokensDetails":[^\]]*"AUDIO"/.test(text);
  if (cachedAudio && known.hasAudioCache) {
    reasons.push('cached audio, which has a price of its own that our buckets do not know');
  }
  if (known.ourPrice !== null) reasons.push(...priceDifferences(known.ourPrice, known.price));
  return reasons;
}

function priceDifferences(ours: Price, theirs: Price): string[] {
  return BUCKETS.flatMap(([, bucket]) => {
    const [our, their] = [ours.sheet.list[bucket], theirs.sheet.list[bucket]];
    if (Number(our ?? ours.sheet.list.input) === Number(their ?? our)) return [];
    if (our === their || their === undefined) return [];
    return [`${bucket}: ${our ?? 'none'} (${ours.sheet.effectiveFrom}) for ${their}`];
  });
}

type Draft = Partial<Record<UsageBucket, string>>;

function compile(prices: Readonly<Record<string, unknown>>): Price {
  const list: Draft = {};
  const tiers = new Map<number, Draft>();
  for (const [theirName, bucket] of BUCKETS) {
    const said = prices[theirName];
    const base = numberOf(said) ?? numberOf(at(said, 'base'));
    if (base !== null) list[bucket] = decimal(base);
    for (const step of listOf(at(said, 'tiers'))) addTier(tiers, bucket, step);
  }
  // Where they have one price for writes, it holds for both lifetimes.
  if (list.cache_write_5m !== undefined) list.cache_write_1h ??= list.cache_write_5m;
  const compiled = compilePrice({
    list: withSides(list),
    tiers: [...tiers].map(([aboveInputTokens, tier]) => ({ ...tier, aboveInputTokens })),
    source: 'genai-prices',
    effectiveFrom: '2026-01-01',
  });
  if (!compiled.ok) throw new Error(compiled.error.message);
  return compiled.value;
}

function addTier(tiers: Map<number, Draft>, bucket: UsageBucket, step: unknown): void {
  const start = numberOf(at(step, 'start')) ?? 0;
  const tier = tiers.get(start) ?? {};
  tier[bucket] = decimal(numberOf(at(step, 'price')) ?? 0);
  tiers.set(start, tier);
}

function withSides(list: PriceList): PriceList {
  return { input: '0', output: '0', ...list };
}

/** Of a price as they write it: at most six digits after the point. */
function decimal(price: number): string {
  return price.toFixed(6).replace(/\.?0+$/, '');
}

function theirUsage(exchange: NativeExchange): Usage {
  const provider = findProvider({ providerId: THEIR_PROVIDERS[exchange.place] ?? '' });
  if (!exchange.streamed && provider !== undefined) {
    return extractUsage(provider, parse(exchange.body.toString('utf8')), 'default').usage;
  }
  const { tokens } = readNative(exchange);
  if (tokens === null) return {};
  return {
    input_tokens: promptTokens(tokens),
    cache_read_tokens: tokens.cacheRead,
    cache_write_tokens: tokens.cacheWrite5m + tokens.cacheWrite1h,
    cache_write_1h_tokens: tokens.cacheWrite1h,
    output_tokens: tokens.generated,
  };
}

function targetOf({ model }: NativeExchange): Target {
  return {
    baseUrl: 'https://upstream.test',
    model,
    region: 'us-east-1',
    project: 'p',
    account: null,
  };
}

function supportOf(exchange: NativeExchange): ChatSupport {
  const entry = Object.entries(providers).find(([id]) => id === exchange.place)?.[1];
  const chat = entry !== undefined && 'chat' in entry ? entry.chat : undefined;
  const support = typeof chat === 'function' ? chat(targetOf(exchange)) : chat;
  if (support === undefined) throw new Error(`no chat at ${exchange.place}`);
  return support;
}

function ourUsage(exchange: NativeExchange): OurUsage | null {
  const { codec } = supportOf(exchange);
  const { body, dialect } = exchange;
  if (!exchange.streamed) return codec.decode(parse(body.toString('utf8'))).usage;
  const decoder = codec.stream();
  let usage: OurUsage | null = null;
  const events =
    dialect === 'bedrock'
      ? readAwsFrames(body).map(({ event, payload }) => ({ event, data: payload }))
      : readSse(body.toString('utf8')).map((data) => ({
          event: stringOf(at(parse(data), 'type')) || null,
          data,
        }));
  for (const event of events) {
    for (const one of decoder.push(event)) if (one.type === 'usage') usage = one.usage;
  }
  for (const one of decoder.end()) if (one.type === 'usage') usage = one.usage;
  return usage;
}

function catalogPrice({ place, model }: NativeExchange, catalog: Catalog): Price | null {
  for (const { offers } of catalog.all()) {
    const offer = offers.find((one) => one.providerId === place && one.upstreamModel === model);
    if (offer !== undefined) return offer.price;
  }
  const named = catalog.find(model)?.offers.find((one) => one.providerId === place);
  return named?.price ?? null;
}
