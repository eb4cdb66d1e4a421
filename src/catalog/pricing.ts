/**
 * Price arithmetic: a sheet of decimal strings compiled once into rates, and what usage costs at
 * them. Exact to the atto-dollar and rounded once, up (money.md, rule 1); there is no float in this
 * file.
 */
import {
  attoOf,
  maxUsd,
  parseRatePerMillion,
  parseRatePerUnit,
  roundUp,
  ZERO_USD,
  type NanoUsd,
  type Rate,
} from '#base/money.ts';
import { err, ok, type Result } from '#base/result.ts';
import { PER_UNIT_BUCKETS, type PriceList, type PriceSheet } from '#wire/price.ts';
import { USAGE_BUCKETS, type UsageBucket, type UsageBuckets } from '#wire/usage.ts';

type UnitBucket = (typeof PER_UNIT_BUCKETS)[number];
type TokenBucket = Exclude<UsageBucket, UnitBucket>;

/** Rates of every bucket that has one, by itself or by its parent. */
type Rates = Readonly<Partial<Record<UsageBucket, Rate>>>;

/** The dearest rate that a token of one side can have. */
interface DearestRates {
  readonly input: Rate;
  readonly inputMedia: Rate;
  readonly output: Rate;
  readonly outputMedia: Rate;
}

/** The prices that hold for requests of more than `aboveInputTokens` input tokens; -1 is "all". */
interface Band {
  readonly aboveInputTokens: number;
  readonly rates: Rates;
  readonly dearest: DearestRates;
}

/** A compiled sheet. Made by `compilePrice` only; keep it, compiling is not for the hot path. */
export interface Price {
  readonly sheet: PriceSheet;
  /** Names this very set of numbers: effective date and a digest. For receipts. */
  readonly version: string;
  /** Highest threshold first, so the first match is the tier; the last one is the list itself. */
  readonly bands: readonly [Band, ...Band[]];
  /** The service tier that this is the price of; null for the standard one. */
  readonly service: string | null;
  /** Prices of the host's other service tiers; null where none is known. */
  readonly services: ReadonlyMap<string, Price> | null;
}

export interface PriceFault {
  readonly bucket: UsageBucket | 'tiers';
  readonly message: string;
}

/** One line of a receipt: `units x rate / per = amount`, to the last digit. */
export interface PriceLine {
  readonly bucket: UsageBucket;
  readonly units: number;
  /** Dollars, a decimal string, per `per` units. */
  readonly rate: string;
  readonly per: 1 | 1_000_000;
  /** Dollars, a decimal string, exact and not rounded. */
  readonly amount: string;
}

export interface PricedUsage {
  /** The exact sum of the lines, rounded once, up, to a nano-dollar. */
  readonly cost: NanoUsd;
  readonly lines: readonly PriceLine[];
  /** The threshold of the tier that applied, in input tokens; null for the plain list. */
  readonly tier: number | null;
  /**
   * Buckets with units but neither a price nor a priced parent: they cost nothing, and it shows.
   * Most hosts charge nothing per request, so that one is not worth a word.
   */
  readonly unpriced: readonly UsageBucket[];
}

/**
 * What a request can use at the most. Media flags say that the side may carry audio or image
 * tokens.
 */
export interface UsageBounds {
  readonly inputTokensMax: number;
  readonly outputTokensMax: number;
  readonly requests: number;
  readonly images?: number;
  readonly seconds?: number;
  readonly characters?: number;
  readonly inputMedia?: boolean;
  readonly outputMedia?: boolean;
}

const RATE_DECIMALS_PER_MILLION = 12;
const RATE_DECIMALS_PER_UNIT = 18;

const PARENTS: Readonly<Record<TokenBucket, 'input' | 'output'>> = {
  input: 'input',
  cache_read: 'input',
  cache_write_5m: 'input',
  cache_write_1h: 'input',
  audio_input: 'input',
  image_input: 'input',
  output: 'output',
  reasoning: 'output',
  audio_output: 'output',
  image_output: 'output',
};

const INPUT_BUCKETS: readonly UsageBucket[] = [
  'input',
  'cache_read',
  'cache_write_5m',
  'cache_write_1h',
];
const INPUT_MEDIA_BUCKETS: readonly UsageBucket[] = ['audio_input', 'image_input'];
const OUTPUT_BUCKETS: readonly UsageBucket[] = ['output', 'reasoning'];
const OUTPUT_MEDIA_BUCKETS: readonly UsageBucket[] = ['audio_output', 'image_output'];

const FREE: Rate = orThrow(parseRatePerUnit('0'));

function orThrow(rate: Result<Rate, string>): Rate {
  if (!rate.ok) throw new Error(rate.error);
  return rate.value;
}

function isUnitBucket(bucket: UsageBucket): bucket is UnitBucket {
  return PER_UNIT_BUCKETS.some((unit) => unit === bucket);
}

/**
 * Compiles a sheet of decimal strings. A list needs `input` and `output` (write "0" for a side that
 * is free) or a price per unit; the fault names the bucket that is wrong.
 */
export function compilePrice(
  sheet: PriceSheet,
  service: string | null = null,
): Result<Price, PriceFault> {
  const list = compileBand(sheet.list, -1);
  if (!list.ok) return list;
  const missing = missingBucket(sheet.list);
  if (missing !== null) return err(missing);

  const tiers = compileTiers(sheet);
  if (!tiers.ok) return tiers;
  const batch = compileBand(sheet.batch ?? {}, -1);
  if (!batch.ok) return batch;
  const services = compileServices(sheet.services);
  if (!services.ok) return services;
  const [first, ...rest] = tiers.value;
  return ok({
    sheet,
    version: `${sheet.effectiveFrom}:${digest(sheet)}`,
    bands: first === undefined ? [list.value] : [first, ...rest, list.value],
    service,
    services: services.value,
  });
}

/** Highest threshold first. */
function compileTiers(sheet: PriceSheet): Result<readonly Band[], PriceFault> {
  const tiers: Band[] = [];
  for (const { aboveInputTokens, ...tier } of sheet.tiers) {
    if (!Number.isSafeInteger(aboveInputTokens) || aboveInputTokens < 0) {
      return err({ bucket: 'tiers', message: 'a threshold is a whole number of tokens' });
    }
    if (tiers.some((other) => other.aboveInputTokens === aboveInputTokens)) {
      return err({ bucket: 'tiers', message: `two tiers start above ${aboveInputTokens} tokens` });
    }
    const compiled = compileBand({ ...sheet.list, ...tier }, aboveInputTokens);
    if (!compiled.ok) return compiled;
    tiers.push(compiled.value);
  }
  return ok(tiers.toSorted((a, b) => b.aboveInputTokens - a.aboveInputTokens));
}

function compileServices(
  sheets: PriceSheet['services'] = {},
): Result<ReadonlyMap<string, Price> | null, PriceFault> {
  const services = new Map<string, Price>();
  for (const [service, sheet] of Object.entries(sheets)) {
    const compiled = compilePrice(sheet, service);
    if (!compiled.ok) return compiled;
    services.set(service, compiled.value);
  }
  return ok(services.size === 0 ? null : services);
}

function missingBucket(list: PriceList): PriceFault | null {
  const input = list.input !== undefined;
  const output = list.output !== undefined;
  if (input && output) return null;
  if (input) return { bucket: 'output', message: 'a price for input needs one for output' };
  if (output) return { bucket: 'input', message: 'a price for output needs one for input' };
  if (PER_UNIT_BUCKETS.some((bucket) => list[bucket] !== undefined)) return null;
  return { bucket: 'input', message: 'a price needs input and output, or a price per unit' };
}

function compileBand(list: PriceList, aboveInputTokens: number): Result<Band, PriceFault> {
  const own: Partial<Record<UsageBucket, Rate>> = {};
  for (const bucket of USAGE_BUCKETS) {
    const text = list[bucket];
    if (text === undefined) continue;
    const rate = isUnitBucket(bucket) ? parseRatePerUnit(text) : parseRatePerMillion(text);
    if (!rate.ok) return err({ bucket, message: rate.error });
    own[bucket] = rate.value;
  }
  const rates: Partial<Record<UsageBucket, Rate>> = {};
  for (const bucket of USAGE_BUCKETS) {
    const rate = own[bucket] ?? (isUnitBucket(bucket) ? undefined : own[PARENTS[bucket]]);
    if (rate !== undefined) rates[bucket] = rate;
  }
  return ok({ aboveInputTokens, rates, dearest: dearestRates(rates) });
}

function dearestRates(rates: Rates): DearestRates {
  return {
    input: dearestOf(rates, INPUT_BUCKETS),
    inputMedia: dearestOf(rates, [...INPUT_BUCKETS, ...INPUT_MEDIA_BUCKETS]),
    output: dearestOf(rates, OUTPUT_BUCKETS),
    outputMedia: dearestOf(rates, [...OUTPUT_BUCKETS, ...OUTPUT_MEDIA_BUCKETS]),
  };
}

function dearestOf(rates: Rates, buckets: readonly UsageBucket[]): Rate {
  let dearest = FREE;
  for (const bucket of buckets) {
    const rate = rates[bucket];
    if (rate !== undefined && rate > dearest) dearest = rate;
  }
  return dearest;
}

/** FNV-1a over the numbers: equal sheets have equal versions on every machine. */
function digest(sheet: PriceSheet): string {
  const lists = [sheet.list, ...sheet.tiers, ...(sheet.batch === undefined ? [] : [sheet.batch])];
  const entries = lists.map((list) =>
    Object.entries(list).toSorted(([left], [right]) => (left < right ? -1 : 1)),
  );
  const text = JSON.stringify(entries);
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/**
 * Units as they are billed. Usage is whole and not negative by its contract; should it not be, the
 * arithmetic must neither throw after an answer was given nor go below zero: a part counts as a
 * whole.
 */
function billedUnits(units: number | undefined): number {
  if (units === undefined || !(units > 0)) return 0;
  if (Number.isSafeInteger(units)) return units;
  return units > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : units - (units % 1) + 1;
}

function bandFor(price: Price, buckets: UsageBuckets): Band {
  const [highest] = price.bands;
  if (price.bands.length === 1) return highest;
  const inputTokens =
    billedUnits(buckets.input) +
    billedUnits(buckets.cache_read) +
    billedUnits(buckets.cache_write_5m) +
    billedUnits(buckets.cache_write_1h) +
    billedUnits(buckets.audio_input) +
    billedUnits(buckets.image_input);
  return price.bands.find((band) => inputTokens > band.aboveInputTokens) ?? highest;
}

/** What usage costs, in nano-dollars: `priceUsage` without the receipt. */
export function costOfUsage(price: Price, buckets: UsageBuckets): NanoUsd {
  return costOfSides(price, buckets).total;
}

/** Buckets that stand on the side of the answer. */
const ANSWER_SIDE: ReadonlySet<UsageBucket> = new Set([...OUTPUT_BUCKETS, ...OUTPUT_MEDIA_BUCKETS]);

/** What usage costs, and what its input alone would. Each is rounded once. */
export function costOfSides(
  price: Price,
  buckets: UsageBuckets,
): { readonly total: NanoUsd; readonly input: NanoUsd } {
  const { rates } = bandFor(price, buckets);
  let input = 0n;
  let answer = 0n;
  for (const bucket of USAGE_BUCKETS) {
    const units = buckets[bucket];
    if (units === undefined || units === 0) continue;
    const rate = rates[bucket];
    if (rate === undefined) continue;
    const atto = attoOf(billedUnits(units), rate);
    if (ANSWER_SIDE.has(bucket)) answer += atto;
    else input += atto;
  }
  return { total: roundUp(input + answer), input: roundUp(input) };
}

/** What usage costs, with every line of the arithmetic, so that it can be done again by hand. */
export function priceUsage(price: Price, buckets: UsageBuckets): PricedUsage {
  const band = bandFor(price, buckets);
  const lines: PriceLine[] = [];
  const unpriced: UsageBucket[] = [];
  for (const bucket of USAGE_BUCKETS) {
    const units = billedUnits(buckets[bucket]);
    if (units === 0) continue;
    const rate = band.rates[bucket];
    if (rate !== undefined) lines.push(toLine(bucket, units, rate));
    else if (bucket !== 'request') unpriced.push(bucket);
  }
  return {
    cost: costOfUsage(price, buckets),
    lines,
    tier: band.aboveInputTokens < 0 ? null : band.aboveInputTokens,
    unpriced,
  };
}

function toLine(bucket: UsageBucket, units: number, rate: Rate): PriceLine {
  const perUnit = isUnitBucket(bucket);
  return {
    bucket,
    units,
    rate: toDecimal(rate, perUnit ? RATE_DECIMALS_PER_UNIT : RATE_DECIMALS_PER_MILLION),
    per: perUnit ? 1 : 1_000_000,
    amount: toDecimal(BigInt(units) * rate, RATE_DECIMALS_PER_UNIT),
  };
}

function toDecimal(scaled: bigint, decimals: number): string {
  const digits = scaled.toString().padStart(decimals + 1, '0');
  const fraction = digits.slice(-decimals).replace(/0+$/, '');
  return `${digits.slice(0, -decimals)}${fraction === '' ? '' : `.${fraction}`}`;
}

/**
 * The most that a request within `bounds` can cost, in nano-dollars, whatever it turns out to use:
 * the dearest rate of each side, in the dearest tier that so many input tokens can reach. `asked`
 * is the price of a service tier that was asked for: the host may give it, or the standard one.
 */
export function highestCost(
  price: Price,
  bounds: UsageBounds,
  asked: Price | null = null,
): NanoUsd {
  const highest = highestInBands(price, bounds);
  return asked === null ? highest : maxUsd(highest, highestInBands(asked, bounds));
}

function highestInBands(price: Price, bounds: UsageBounds): NanoUsd {
  const inputTokensMax = billedUnits(bounds.inputTokensMax);
  let highest = ZERO_USD;
  let inputTokensInBand = inputTokensMax;
  for (const band of price.bands) {
    if (band.aboveInputTokens >= inputTokensMax && band.aboveInputTokens >= 0) continue;
    highest = maxUsd(highest, highestCostInBand(band, bounds, inputTokensInBand));
    inputTokensInBand = band.aboveInputTokens;
  }
  return highest;
}

function highestCostInBand(band: Band, bounds: UsageBounds, inputTokens: number): NanoUsd {
  const { rates, dearest } = band;
  const input = bounds.inputMedia === true ? dearest.inputMedia : dearest.input;
  const output = bounds.outputMedia === true ? dearest.outputMedia : dearest.output;
  return roundUp(
    attoOf(inputTokens, input) +
      attoOf(billedUnits(bounds.outputTokensMax), output) +
      attoOf(billedUnits(bounds.requests), rates.request ?? FREE) +
      attoOf(billedUnits(bounds.images), rates.image ?? FREE) +
      attoOf(billedUnits(bounds.seconds), rates.second ?? FREE) +
      attoOf(billedUnits(bounds.characters), rates.character ?? FREE),
  );
}
