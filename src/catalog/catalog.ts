/**
 * The catalog: facts of the labs joined once with the offers of the hosts, and the names under
 * which a model is found. What an operator adds in his config file is joined by the gateway, not
 * here.
 */
import { err, ok, type Result } from '#base/result.ts';
import type { Offer } from '#providers/offers.ts';
import { BUILT_IN } from './data/built-in.ts';
import type { CatalogSources, ModelFacts, RetiredModel } from './models.ts';
import { nearestNames } from './nearest.ts';
import { compilePrice, type Price } from './pricing.ts';

export interface CatalogOffer {
  readonly providerId: string;
  /** The host's own id of the model: what goes upstream. */
  readonly upstreamModel: string;
  readonly offer: Offer;
  readonly price: Price;
  /** Tokens: the host's limit where it is known, else the lab's; null where neither is. */
  readonly context: number | null;
  readonly maxOutput: number | null;
  /** ISO date on which this host stops serving it; null where none is known. */
  readonly shutdown: string | null;
}

export interface CatalogModel {
  readonly facts: ModelFacts;
  /** As the sources list the providers: the labs' own hosts first, resellers last. */
  readonly offers: readonly CatalogOffer[];
}

/** A fault in the data; `subject` names the model or the offer. */
export interface CatalogFault {
  readonly subject: string;
  readonly message: string;
}

export interface Catalog {
  /** By public id, alias, or `<lab>/` before either; case does not matter. */
  find(name: string): CatalogModel | undefined;
  all(): readonly CatalogModel[];
  /** A model that its lab has shut down, by id or `<lab>/<id>`; undefined for all others. */
  retired(name: string): RetiredModel | undefined;
  /** The `n` names of `among` that somebody may have meant by `name`, best first. */
  nearest(name: string, among: Iterable<string>, n: number): readonly string[];
}

const NAME_LENGTH_MAX = 256;
const ISO_DATE = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;

/** Joins and checks; on faults there is no catalog, for a wrong price is worse than none. */
export function buildCatalog(
  sources: CatalogSources = BUILT_IN,
): Result<Catalog, readonly CatalogFault[]> {
  const faults: CatalogFault[] = [];
  const offersByModel = joinOffers(sources, faults);
  const models = sources.models.map((facts) => ({
    facts,
    offers: offersByModel.get(facts.id) ?? [],
  }));
  const byName = indexNames(models, faults);
  const retired = new Map(sources.retired?.map((one) => [one.id, one]));
  checkRetired(retired.values(), byName, faults);
  if (faults.length > 0) return err(faults);
  return ok({
    find: (name) => (name.length > NAME_LENGTH_MAX ? undefined : byName.get(name.toLowerCase())),
    all: () => models,
    retired: (name) =>
      name.length > NAME_LENGTH_MAX ? undefined : retired.get(withoutLab(name.toLowerCase())),
    nearest: nearestNames,
  });
}

function joinOffers(
  sources: CatalogSources,
  faults: CatalogFault[],
): ReadonlyMap<string, readonly CatalogOffer[]> {
  const factsById = new Map(sources.models.map((facts) => [facts.id, facts]));
  const joined = new Map<string, CatalogOffer[]>();
  for (const [providerId, offers] of Object.entries(sources.offers)) {
    const offered = new Set<string>();
    for (const offer of offers) {
      const upstreamModel = offer.upstreamModel ?? offer.model;
      const subject = `${providerId}: ${upstreamModel}`;
      // One id of a host may serve two names: a snapshot, and the name that has only ever meant it.
      const key = `${offer.model} ${upstreamModel}`;
      if (offered.has(key)) faults.push({ subject, message: 'is offered twice' });
      offered.add(key);
      const facts = factsById.get(offer.model);
      const made = facts === undefined ? noFacts(offer) : joinOffer(providerId, offer, facts);
      if (!made.ok) {
        faults.push({ subject, message: made.error });
        continue;
      }
      const others = joined.get(offer.model);
      if (others === undefined) joined.set(offer.model, [made.value]);
      else others.push(made.value);
    }
  }
  return joined;
}

function noFacts(offer: Offer): Result<CatalogOffer, string> {
  return err(`no facts about the model ${offer.model}`);
}

function joinOffer(
  providerId: string,
  offer: Offer,
  facts: ModelFacts,
): Result<CatalogOffer, string> {
  const price = compilePrice(offer.price);
  if (!price.ok) return err(`price of ${price.error.bucket}: ${price.error.message}`);
  if (!isIsoDate(offer.price.effectiveFrom)) return err('the price has no ISO date');
  if (offer.price.source === '') return err('the price has no source');
  if (offer.shutdown !== undefined && !isIsoDate(offer.shutdown)) {
    return err('the shutdown date is not an ISO date');
  }
  return ok({
    providerId,
    upstreamModel: offer.upstreamModel ?? offer.model,
    offer,
    price: price.value,
    context: offer.context ?? facts.context,
    maxOutput: offer.maxOutput ?? facts.maxOutput,
    shutdown: offer.shutdown ?? null,
  });
}

function isIsoDate(text: string): boolean {
  return ISO_DATE.test(text) && new Date(text).toISOString().startsWith(text);
}

function indexNames(
  models: readonly CatalogModel[],
  faults: CatalogFault[],
): ReadonlyMap<string, CatalogModel> {
  const byName = new Map<string, CatalogModel>();
  for (const model of models) {
    const { id, lab, aliases, shutdown } = model.facts;
    if (shutdown !== undefined && !isIsoDate(shutdown)) {
      faults.push({ subject: id, message: 'the shutdown date is not an ISO date' });
    }
    for (const name of [id, ...aliases]) {
      for (const key of withLab(name.toLowerCase(), lab)) {
        const other = byName.get(key);
        if (other !== undefined) {
          const message = `the name "${key}" already belongs to ${other.facts.id}`;
          if (other !== model || key === id) faults.push({ subject: id, message });
        }
        byName.set(key, model);
      }
    }
  }
  return byName;
}

function checkRetired(
  retired: Iterable<RetiredModel>,
  byName: ReadonlyMap<string, CatalogModel>,
  faults: CatalogFault[],
): void {
  for (const { id, shutdown, successor } of retired) {
    if (!isIsoDate(shutdown)) {
      faults.push({ subject: id, message: 'the shutdown date is not an ISO date' });
    }
    if (byName.has(id)) faults.push({ subject: id, message: 'is retired and offered' });
    if (successor !== null && !byName.has(successor)) {
      faults.push({ subject: id, message: `there is no model ${successor} to take its place` });
    }
  }
}

function withoutLab(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}

/** A name that has a slash already is whole. */
function withLab(name: string, lab: string): readonly string[] {
  return name.includes('/') ? [name] : [name, `${lab}/${name}`];
}
