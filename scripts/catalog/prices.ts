/**
 * One price out of what the data sets say: a decision by hand, else the set that knows the day,
 * else the majority on input and output, else the youngest. Sets that agree with the winner fill in
 * its gaps.
 */
import type { PriceSheet, PriceTier } from '#wire/price.ts';
import { USAGE_BUCKETS } from '#wire/usage.ts';
import { PRICES, SHUTDOWNS, TODAY } from './decisions.ts';
import type { Host } from './hosts.ts';
import {
  DATA_SETS,
  devPoint,
  genaiPoint,
  litellmPoint,
  type MutableList,
  type PricePoint,
  type Sources,
} from './sources.ts';

export interface ChosenPrice {
  readonly sheet: PriceSheet | null;
  readonly notes: readonly string[];
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
    return { sheet, notes: [decision.why] };
  }
  const points = pointsOf(host, id, sources);
  const decided = points.find((point) => point.dataSet === decision?.take);
  const winner = decided ?? points.find((point) => point.dated) ?? majority(points) ?? points[0];
  if (winner === undefined) return { sheet: null, notes: ['no price anywhere: left out'] };
  const agreeing = points.filter((point) => agree(point, winner));
  const notes = [...winner.notes, ...(decision === undefined ? [] : [decision.why])];
  if (agreeing.length < points.length) {
    const said = points.map((p) => `${p.dataSet} ${p.list.input}/${p.list.output}`).join(', ');
    notes.push(`DISAGREE ${said}; taken: ${winner.dataSet}`);
  }
  const page = host.page ?? sources.pricingPage(host.genai ?? '');
  return { sheet: toSheet(winner, agreeing, page), notes };
}

function toSheet(
  winner: PricePoint,
  agreeing: readonly PricePoint[],
  page: string | undefined,
): PriceSheet {
  const list: MutableList = {};
  for (const point of agreeing.toReversed()) Object.assign(list, point.list);
  Object.assign(list, winner.list);
  const tiers = (agreeing.find((point) => point.tiers.length > 0) ?? winner).tiers;
  const set = DATA_SETS[winner.dataSet].name;
  return {
    list: withBothCacheWrites(list),
    tiers: tiers.map(orderedTier),
    source: page === undefined ? set : `${page} (${set})`,
    effectiveFrom: winner.effectiveFrom,
  };
}

function agree(a: PricePoint, b: PricePoint): boolean {
  return a.list.input === b.list.input && a.list.output === b.list.output;
}

function majority(points: readonly PricePoint[]): PricePoint | undefined {
  return points.find((point) => points.some((other) => other !== point && agree(other, point)));
}

/** A host with one price for cache writes charges it however long they live. */
function withBothCacheWrites(list: MutableList): MutableList {
  const fiveMinutes = list.cache_write_5m;
  return ordered(
    fiveMinutes === undefined
      ? list
      : { ...list, cache_write_1h: list.cache_write_1h ?? fiveMinutes },
  );
}

function orderedTier({ aboveInputTokens, ...list }: PriceTier): PriceTier {
  return { aboveInputTokens, ...withBothCacheWrites(list) };
}

function ordered(list: MutableList): MutableList {
  const result: MutableList = {};
  for (const bucket of USAGE_BUCKETS) {
    const price = list[bucket];
    if (price !== undefined) result[bucket] = price;
  }
  return result;
}

/** The day on which a host stops serving a model: decided by hand, else what litellm knows. */
export function shutdownOf(host: Host, id: string, sources: Sources): string | undefined {
  const byHand = SHUTDOWNS[host.providerId]?.find(([pattern]) => pattern.test(id))?.[1];
  if (byHand !== undefined) return byHand;
  for (const prefix of host.litellm) {
    const date = sources.litellmModel(prefix + id)?.deprecation_date;
    if (date !== undefined) return date;
  }
  return undefined;
}
