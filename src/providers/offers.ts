/**
 * What one host serves, at what price: the form of every provider's `offers.ts`, and the reader of
 * the table in which the derived ones are written. A table is a fifth of the same data as objects,
 * and every start and every bundle pays for its size.
 */
import { USAGE_BUCKETS, type UsageBucket } from '#wire/usage.ts';
import type { PriceSheet, PriceTier } from '#wire/price.ts';

export interface Offer {
  /** Public id of the model, a key of the catalog's facts. */
  readonly model: string;
  /** The host's own id for it, where it differs. */
  readonly upstreamModel?: string;
  readonly price: PriceSheet;
  /** Tokens; where the host's limits differ from the lab's. */
  readonly context?: number;
  readonly maxOutput?: number;
  /** ISO date on which the host stops serving it. */
  readonly shutdown?: string;
  /** How the names of the regions begin that serve this id at this price; absent: all regions. */
  readonly regions?: readonly string[];
}

type MutableList = Partial<Record<UsageBucket, string>>;

interface Origin {
  readonly effectiveFrom: string;
  readonly source: string;
}

const BUCKETS: ReadonlyMap<string, UsageBucket> = new Map(
  USAGE_BUCKETS.map((bucket) => [bucket, bucket]),
);

/**
 * Reads a table: a line `@ <ISO date> <source>` says from when and where the prices of the lines
 * below it are; every other line is an offer, `<model> [as=<host's id>] [context=N]
 * [max_output=N] [until=<date>] [regions=a,b] <bucket>=<price> ...`, then `batch <bucket>=<price>
 * ...`, then for each tier `>N <bucket>=<price> ...`; or, of an offer above, what it costs in
 * another service tier of the host: `+ <host's id> <service tier> <bucket>=<price> ...` and tiers.
 * Throws on anything else: the table is data of ours.
 */
export function readOffers(table: string): readonly Offer[] {
  const offers: Offer[] = [];
  let origin: Origin | null = null;
  for (const line of table.split('\n')) {
    if (line === '') continue;
    if (line.startsWith('@ ')) {
      origin = { effectiveFrom: line.slice(2, 12), source: line.slice(13) };
      continue;
    }
    if (origin === null) throw new Error(`an offer without a source: ${line}`);
    if (line.startsWith('+ ')) addService(offers, line, origin);
    else offers.push(readOffer(line, origin));
  }
  return offers;
}

function addService(offers: Offer[], line: string, origin: Origin): void {
  const [, id = '', service = '', ...words] = line.split(' ');
  const at = offers.findIndex(({ model, upstreamModel }) => (upstreamModel ?? model) === id);
  const offer = offers[at];
  if (offer === undefined) throw new Error(`a service tier of no offer: ${line}`);
  const services = { ...offer.price.services, [service]: readPrice(words, line, origin).price };
  offers[at] = { ...offer, price: { ...offer.price, services } };
}

function readOffer(line: string, origin: Origin): Offer {
  const [model = '', ...words] = line.split(' ');
  const { price, facts } = readPrice(words, line, origin);
  return { model, ...readFacts(facts, line), price };
}

interface PriceRead {
  readonly price: PriceSheet;
  readonly facts: ReadonlyMap<string, string>;
}

function readPrice(words: readonly string[], line: string, origin: Origin): PriceRead {
  const list: MutableList = {};
  const tiers: PriceTier[] = [];
  const facts = new Map<string, string>();
  let batch: MutableList | undefined;
  let current = list;
  for (const word of words) {
    const at = word.indexOf('=');
    if (word === 'batch') {
      batch = {};
      current = batch;
    } else if (word.startsWith('>')) {
      current = {};
      // The tier is filled by the words that follow.
      tiers.push(Object.assign(current, { aboveInputTokens: Number(word.slice(1)) }));
    } else if (at < 1) throw new Error(`not a word of an offer: ${word} in ${line}`);
    else {
      const bucket = BUCKETS.get(word.slice(0, at));
      if (bucket === undefined) facts.set(word.slice(0, at), word.slice(at + 1));
      else current[bucket] = word.slice(at + 1);
    }
  }
  return { price: { list, tiers, ...(batch === undefined ? {} : { batch }), ...origin }, facts };
}

const FACTS = new Set(['as', 'context', 'max_output', 'until', 'regions']);

function readFacts(
  facts: ReadonlyMap<string, string>,
  line: string,
): Omit<Offer, 'model' | 'price'> {
  for (const name of facts.keys()) {
    if (!FACTS.has(name)) throw new Error(`not a fact of an offer: ${name} in ${line}`);
  }
  const upstreamModel = facts.get('as');
  const context = facts.get('context');
  const maxOutput = facts.get('max_output');
  const shutdown = facts.get('until');
  const regions = facts.get('regions');
  return {
    ...(upstreamModel === undefined ? {} : { upstreamModel }),
    ...(context === undefined ? {} : { context: Number(context) }),
    ...(maxOutput === undefined ? {} : { maxOutput: Number(maxOutput) }),
    ...(shutdown === undefined ? {} : { shutdown }),
    ...(regions === undefined ? {} : { regions: regions.split(',') }),
  };
}
