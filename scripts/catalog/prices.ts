/**
 * One price out of what the data sets say: a decision by hand, else the set that knows the day,
 * else the majority on input and output, else the youngest. Sets that agree with the winner fill in
 * its gaps.
 */
import type { Dispute } from '#catalog/disputes.ts';
import type { PriceList, PriceSheet, PriceTier } from '#wire/price.ts';
import { USAGE_BUCKETS } from '#wire/usage.ts';
import { IMAGE_PRICES, PRICES, TODAY } from './decisions.ts';
import { toDecimal } from './decimals.ts';
import type { Host } from './host.ts';
import type { MediaMode } from './media.ts';
import { withServices } from './tier-factors.ts';
import {
  DATA_SETS,
  type DataSet,
  devPoint,
  genaiPoint,
  litellmImage,
  type LitellmModel,
  litellmPoint,
  litellmUnits,
  type MutableList,
  type PricePoint,
  type Sources,
} from './sources.ts';

export interface ChosenPrice {
  readonly sheet: PriceSheet | null;
  readonly notes: readonly string[];
  readonly verdict: Verdict;
  readonly dispute: Dispute | null;
}

/** Youngest first. */
function pointsOf(host: Host, id: string, sources: Sources): readonly PricePoint[] {
  const genai = host.genai === undefined ? undefined : sources.genaiModel(host.genai, id);
  const dev = sources.devModel(host.dev, id);
  const litellm = host.litellm.map((prefix) => sources.litellmModel(prefix + id)).find(Boolean);
  const points = [
    genai === undefined ? null : genaiPoint(genai, TODAY),
    litellm === undefined ? null : litellmPoint(litellm),
    dev === undefined ? null : devPoint(dev),
  ];
  return points.filter((point) => point !== null).filter((point) => isPrice(host, id, point.list));
}

/** Zero means "not known" in the data sets, unless the host gives the model away. */
function isPrice(host: Host, id: string, list: MutableList): boolean {
  if (list.input === undefined || list.output === undefined) return false;
  return list.input !== '0' || list.output !== '0' || host.free?.includes(id) === true;
}

export function choosePrice(host: Host, id: string, sources: Sources): ChosenPrice {
  const decision = PRICES[`${host.providerId}/${id}`];
  if (decision !== undefined && typeof decision.take !== 'string') {
    const { list, source, effectiveFrom } = decision.take;
    const sheet = { list: ordered(list), tiers: [], source, effectiveFrom };
    return { sheet, notes: [decision.why], verdict: 'decided', dispute: null };
  }
  const points = pointsOf(host, id, sources);
  const { winner, verdict } = vote(points, takeOf(decision));
  if (winner === null) {
    return { sheet: null, notes: ['no price anywhere: left out'], verdict, dispute: null };
  }
  const agreeing = points.filter((point) => agree(point, winner));
  const notes = [...winner.notes, ...(decision === undefined ? [] : [decision.why])];
  const said = points.map((p) => `${p.dataSet} ${p.list.input}/${p.list.output}`).join(', ');
  if (agreeing.length < points.length) {
    notes.push(`${verdict.toUpperCase()} ${said}; taken: ${winner.dataSet}`);
  }
  const dispute =
    verdict === 'disputed'
      ? { offer: `${host.providerId}/${id}`, said, taken: winner.dataSet }
      : null;
  const page = host.page ?? sources.pricingPage(host.genai ?? '');
  const standard = toSheet(winner, agreeing, { page, host, id });
  return { sheet: withServices(host.providerId, id, standard), notes, verdict, dispute };
}

function takeOf(decision: (typeof PRICES)[string] | undefined): DataSet | undefined {
  return typeof decision?.take === 'string' ? decision.take : undefined;
}

/** How the price was found; only `disputed` leaves a doubt. */
export type Verdict = 'alone' | 'agreed' | 'decided' | 'newer' | 'majority' | 'disputed';

/**
 * The vote of the sets, youngest first: a decision by hand, else the set that knows the day from
 * which the price holds, else the majority, else the youngest. A dated price that began after the
 * day of every set that says otherwise is a change and no dispute.
 */
export function vote(
  points: readonly PricePoint[],
  decided: DataSet | undefined,
): { readonly winner: PricePoint | null; readonly verdict: Verdict } {
  const [youngest = null] = points;
  if (youngest === null) return { winner: null, verdict: 'alone' };
  const byHand = points.find((point) => point.dataSet === decided);
  if (byHand !== undefined) return { winner: byHand, verdict: 'decided' };
  if (points.length === 1) return { winner: youngest, verdict: 'alone' };
  const dated = points.find((point) => point.dated);
  const most = majority(points);
  const winner = dated ?? most ?? youngest;
  const others = points.filter((point) => !agree(point, winner));
  if (others.length === 0) return { winner, verdict: 'agreed' };
  if (winner.dated && others.every((o) => DATA_SETS[o.dataSet].date < winner.effectiveFrom)) {
    return { winner, verdict: 'newer' };
  }
  const isMost = most !== undefined && agree(most, winner);
  return { winner, verdict: isMost ? 'majority' : 'disputed' };
}

function toSheet(
  winner: PricePoint,
  agreeing: readonly PricePoint[],
  {
    page,
    host,
    id,
  }: { readonly page: string | undefined; readonly host: Host; readonly id: string },
): PriceSheet {
  const list: MutableList = {};
  for (const point of agreeing.toReversed()) Object.assign(list, point.list);
  Object.assign(list, winner.list);
  const tiers = (agreeing.find((point) => point.tiers.length > 0) ?? winner).tiers;
  const set = DATA_SETS[winner.dataSet].name;
  const isClaude = id.includes('claude');
  const batch = batchOf(withBothCacheWrites(list, isClaude), agreeing, host);
  return {
    list: withBothCacheWrites(list, isClaude),
    tiers: tiers.map((tier) => orderedTier(withThoughts(tier, list), isClaude)),
    ...(batch === undefined ? {} : { batch: ordered(batch) }),
    source: page === undefined ? set : `${page} (${set})`,
    effectiveFrom: winner.effectiveFrom,
  };
}

function batchOf(
  list: MutableList,
  agreeing: readonly PricePoint[],
  { halfInBatch }: Host,
): MutableList | undefined {
  if (halfInBatch !== undefined) return halves(list, halfInBatch);
  return agreeing.find((point) => point.batch !== undefined)?.batch;
}

const HALF = 0.5;
const SIDES = ['input', 'output'] as const;

function halves(list: MutableList, which: 'all' | 'sides'): MutableList {
  const half: MutableList = {};
  for (const bucket of which === 'all' ? USAGE_BUCKETS : SIDES) {
    const price = list[bucket];
    if (price !== undefined) half[bucket] = toDecimal(Number(price) * HALF);
  }
  return half;
}

interface Medium {
  /** In litellm. */
  readonly key: string;
  readonly id: string;
  readonly mode: MediaMode;
}

/**
 * The price of a model that is no chat, as litellm has it: per token, per image, per second or per
 * character. A side that costs nothing has to say so.
 */
export function mediaPrice(host: Host, medium: Medium, sources: Sources): PriceSheet | null {
  const { key } = medium;
  const model = sources.litellmModel(key);
  const litellm = model === undefined ? null : litellmPoint(model);
  const genai = embedderPoint(host, medium, sources);
  const point = litellm ?? genai;
  if (point === null) return null;
  const page = host.page ?? sources.pricingPage(host.genai ?? '');
  const agreeing = [point, genai].filter((one) => one !== null).filter((one) => agree(one, point));
  const sheet = toSheet(point, agreeing, { page, host, id: key });
  const units = model === undefined ? null : litellmUnits(model);
  if (units !== null) return { ...sheet, list: units, tiers: [] };
  return tokenSheet(sheet, point, imagePrice(host, medium, { model, list: sheet.list }));
}

function tokenSheet(sheet: PriceSheet, point: PricePoint, images: MutableList): PriceSheet | null {
  const { input, output = point.list.image_output ?? point.list.audio_output ?? '0' } = point.list;
  if (input === undefined || input === '0') return null;
  const { input: batch } = sheet.batch ?? {};
  return {
    ...sheet,
    list: ordered({ ...sheet.list, ...images, output }),
    ...(batch === undefined ? {} : { batch: { input: batch } }),
  };
}

/** Of an embedder that prices no tokens of images: decided by hand, or a price for each image. */
function imagePrice(
  host: Host,
  { id, mode }: Medium,
  known: { readonly model: LitellmModel | undefined; readonly list: PriceList },
): MutableList {
  const decided = IMAGE_PRICES[`${host.providerId}/${id}`];
  if (decided !== undefined) return decided;
  const { model, list } = known;
  const isSilent = mode === 'embedding' && list.image_input === undefined;
  return model === undefined || !isSilent ? {} : litellmImage(model);
}

/** Of an embedder, in genai-prices, which alone prices the tokens of images; it has no output. */
function embedderPoint(host: Host, { id, mode }: Medium, sources: Sources): PricePoint | null {
  if (mode !== 'embedding' || host.genai === undefined) return null;
  const model = sources.genaiModel(host.genai, id);
  const point = model === undefined ? null : genaiPoint(model, TODAY);
  return point === null ? null : { ...point, list: { output: '0', ...point.list } };
}

function agree(a: PricePoint, b: PricePoint): boolean {
  return a.list.input === b.list.input && a.list.output === b.list.output;
}

function majority(points: readonly PricePoint[]): PricePoint | undefined {
  return points.find((point) => points.some((other) => other !== point && agree(other, point)));
}

/**
 * A host with one price for cache writes charges it however long they live. Claude's are known by
 * their lab's rule wherever they run: 1.25 times the input for five minutes, twice for an hour.
 */
function withBothCacheWrites(list: MutableList, isClaude: boolean): MutableList {
  const { input, cache_write_5m: fiveMinutes, cache_write_1h: hour } = list;
  if (fiveMinutes === undefined) return ordered(list);
  const twice = toDecimal(2 * Number(input));
  const known = hour !== undefined && (!isClaude || hour !== fiveMinutes) ? hour : null;
  return ordered({ ...list, cache_write_1h: known ?? (isClaude ? twice : fiveMinutes) });
}

/** A tier that says nothing of thoughts: they cost no less than its answers. */
function withThoughts(tier: PriceTier, { reasoning }: MutableList): PriceTier {
  const { output } = tier;
  if (reasoning === undefined || tier.reasoning !== undefined || output === undefined) return tier;
  return Number(reasoning) < Number(output) ? { ...tier, reasoning: output } : tier;
}

function orderedTier({ aboveInputTokens, ...list }: PriceTier, isClaude: boolean): PriceTier {
  return { aboveInputTokens, ...withBothCacheWrites(list, isClaude) };
}

function ordered(list: MutableList): MutableList {
  const result: MutableList = {};
  for (const bucket of USAGE_BUCKETS) {
    const price = list[bucket];
    if (price !== undefined) result[bucket] = price;
  }
  return result;
}
