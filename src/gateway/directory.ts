/**
 * Which models there are, under which names, and where each can run: the catalog joined once with
 * the operator's providers and models. Looked up on every request, so everything is made at the
 * start.
 */
import type { Catalog, CatalogModel, CatalogOffer } from '#catalog/catalog.ts';
import type { RetiredModel } from '#catalog/models.ts';
import { compilePrice, type Price } from '#catalog/pricing.ts';
import { isServedIn } from '#catalog/regions.ts';
import type { PriceSheet } from '#wire/price.ts';
import type { Directory, Endpoint, PublicModel } from './endpoint.ts';
import {
  ALL_MODALITIES,
  modalitiesOf,
  toEndpoints,
  type ConfiguredProvider,
  type Modalities,
  type Placed,
} from './make-endpoints.ts';

export interface ConfiguredEndpoint {
  readonly provider: string;
  /** The host's id; the public id where it is the same. */
  readonly model: string | null;
  readonly price: PriceSheet | null;
  readonly context: number | null;
  readonly maxOutput: number | null;
}

export interface ConfiguredModel {
  readonly id: string;
  readonly endpoints: readonly ConfiguredEndpoint[];
  /** An ordered chain of other models, instead of endpoints. */
  readonly alias: readonly string[] | null;
  readonly context: number | null;
  readonly maxOutput: number | null;
  readonly capabilities: readonly string[] | null;
}

export interface DirectoryFault {
  /** Path in the config file: `models.gpt-4o.endpoints[0].price`. */
  readonly path: string;
  readonly message: string;
}

export interface DirectorySources {
  readonly catalog: Catalog;
  readonly providers: readonly ConfiguredProvider[];
  readonly models: readonly ConfiguredModel[];
}

const SUGGESTIONS_MAX = 3;

function byPriority(
  groups: readonly { readonly priority: number; readonly endpoints: readonly Endpoint[] }[],
): readonly Endpoint[] {
  return groups.toSorted((a, b) => b.priority - a.priority).flatMap(({ endpoints }) => endpoints);
}

function catalogEndpoints(
  model: CatalogModel,
  providers: readonly ConfiguredProvider[],
): readonly Endpoint[] {
  const modalities = modalitiesOf(model.facts);
  const groups = model.offers.flatMap((offer) =>
    providers
      // What an operator deploys under names of his own is not offered by name.
      .filter(({ provider }) => provider.id === offer.providerId && provider.baseUrl !== null)
      .filter(({ region }) => isServedIn(offer.offer, region))
      .map((configured) => ({
        priority: configured.priority,
        endpoints: toEndpoints(configured, offer, modalities),
      })),
  );
  return byPriority(groups);
}

function fromCatalog(model: CatalogModel, endpoints: readonly Endpoint[]): PublicModel {
  const { facts } = model;
  return {
    id: facts.id,
    name: facts.name,
    lab: facts.lab,
    created: facts.created,
    context: facts.context,
    maxOutput: facts.maxOutput,
    inputModalities: facts.input,
    outputModalities: facts.output,
    capabilities: facts.capabilities,
    shutdown: facts.shutdown ?? null,
    successor: facts.successor ?? null,
    hosts: model.offers.map(({ providerId }) => providerId),
    offers: model.offers,
    endpoints,
    chain: null,
  };
}

/** What is known of a model that only the operator knows. */
function unknownModel(id: string, endpoints: readonly Endpoint[]): PublicModel {
  return {
    id,
    name: id,
    lab: null,
    created: 0,
    context: null,
    maxOutput: null,
    inputModalities: ['text'],
    outputModalities: ['text'],
    capabilities: [],
    shutdown: null,
    successor: null,
    hosts: [],
    offers: [],
    endpoints,
    chain: null,
  };
}

function firstOf(values: readonly (number | null | undefined)[]): number | null {
  return values.find((value) => value !== null && value !== undefined) ?? null;
}

class Builder {
  readonly faults: DirectoryFault[] = [];
  readonly models = new Map<string, PublicModel>();
  readonly #sources: DirectorySources;
  readonly #providers: ReadonlyMap<string, ConfiguredProvider>;

  constructor(sources: DirectorySources) {
    this.#sources = sources;
    this.#providers = new Map(sources.providers.map((provider) => [provider.name, provider]));
  }

  build(): void {
    for (const model of this.#sources.catalog.all()) {
      const endpoints = catalogEndpoints(model, this.#sources.providers);
      this.models.set(model.facts.id, fromCatalog(model, endpoints));
    }
    for (const model of this.#sources.models) {
      this.models.set(model.id, model.alias === null ? this.#served(model) : this.#alias(model));
    }
  }

  #served(model: ConfiguredModel): PublicModel {
    const known = this.#sources.catalog.find(model.id);
    const groups = model.endpoints.map((endpoint, index) =>
      this.#endpoint(model, endpoint, { known, path: `models.${model.id}.endpoints[${index}]` }),
    );
    const endpoints = byPriority(groups);
    const base =
      known === undefined ? unknownModel(model.id, endpoints) : fromCatalog(known, endpoints);
    return {
      ...base,
      id: model.id,
      context: model.context ?? base.context,
      maxOutput: model.maxOutput ?? base.maxOutput,
      capabilities: model.capabilities ?? base.capabilities,
    };
  }

  #endpoint(
    model: ConfiguredModel,
    endpoint: ConfiguredEndpoint,
    { known, path }: { readonly known: CatalogModel | undefined; readonly path: string },
  ): { priority: number; endpoints: readonly Endpoint[] } {
    const none = { priority: 0, endpoints: [] };
    const configured = this.#providers.get(endpoint.provider);
    if (configured === undefined) {
      const names = [...this.#providers.keys()].join(', ');
      this.#fault(
        `${path}.provider`,
        `there is no provider "${endpoint.provider}"; there are: ${names}`,
      );
      return none;
    }
    const upstreamModel = endpoint.model ?? model.id;
    const offer = this.#offer(known, configured, upstreamModel);
    const price = this.#price(endpoint, offer, path);
    if (price === null) return none;
    const limits = [endpoint, model, offer, known?.facts];
    const placed: Placed = {
      upstreamModel,
      price,
      context: firstOf(limits.map((source) => source?.context)),
      maxOutput: firstOf(limits.map((source) => source?.maxOutput)),
      shutdown: offer?.upstreamModel === upstreamModel ? offer.shutdown : null,
    };
    // Of what only the operator knows, the caller says what it is for.
    const modalities: Modalities = known === undefined ? ALL_MODALITIES : modalitiesOf(known.facts);
    return {
      priority: configured.priority,
      endpoints: toEndpoints(configured, placed, modalities),
    };
  }

  /** The host's own offer of the model, by the host's id or by ours. */
  #offer(
    known: CatalogModel | undefined,
    configured: ConfiguredProvider,
    upstreamModel: string,
  ): CatalogOffer | undefined {
    const model = known ?? this.#sources.catalog.find(upstreamModel);
    const offers =
      model?.offers.filter((offer) => offer.providerId === configured.provider.id) ?? [];
    return offers.find((offer) => offer.upstreamModel === upstreamModel) ?? offers[0];
  }

  #price(
    endpoint: ConfiguredEndpoint,
    offer: CatalogOffer | undefined,
    path: string,
  ): Price | null {
    if (endpoint.price === null) {
      if (offer !== undefined) return offer.price;
      this.#fault(
        `${path}.price`,
        'the catalog has no price for this model at this provider; give one',
      );
      return null;
    }
    const compiled = compilePrice(endpoint.price);
    if (compiled.ok) return compiled.value;
    this.#fault(`${path}.price.${compiled.error.bucket}`, compiled.error.message);
    return null;
  }

  #alias(model: ConfiguredModel): PublicModel {
    const chain = model.alias ?? [];
    const names = new Set(this.#sources.models.map(({ id }) => id));
    for (const [index, name] of chain.entries()) {
      if (names.has(name) || this.#sources.catalog.find(name) !== undefined) continue;
      this.#fault(`models.${model.id}.alias[${index}]`, `there is no model "${name}"`);
    }
    if (this.#reaches(model.id, chain, new Set())) {
      this.#fault(`models.${model.id}.alias`, 'the alias leads back to itself');
    }
    return { ...unknownModel(model.id, []), chain };
  }

  #reaches(goal: string, chain: readonly string[], seen: Set<string>): boolean {
    return chain.some((name) => {
      if (name === goal) return true;
      if (seen.has(name)) return false;
      seen.add(name);
      const next = this.#sources.models.find(({ id }) => id === this.#idOf(name));
      return next?.id === goal || this.#reaches(goal, next?.alias ?? [], seen);
    });
  }

  /** The id under which a name is found: the catalog knows models by several. */
  #idOf(name: string): string {
    if (this.#sources.models.some(({ id }) => id === name)) return name;
    return this.#sources.catalog.find(name)?.facts.id ?? name;
  }

  #fault(path: string, message: string): void {
    this.faults.push({ path, message });
  }
}

class Names implements Directory {
  readonly #models: ReadonlyMap<string, PublicModel>;
  readonly #sources: DirectorySources;
  readonly #providerNames: ReadonlySet<string>;
  readonly #available: readonly PublicModel[];

  constructor(models: ReadonlyMap<string, PublicModel>, sources: DirectorySources) {
    this.#models = models;
    this.#sources = sources;
    this.#providerNames = new Set(sources.providers.map(({ name }) => name));
    this.#available = [...models.values()].filter((model) =>
      this.#expand(model).some(({ endpoints }) => endpoints.length > 0),
    );
  }

  resolve(name: string): readonly PublicModel[] {
    const model = this.#named(name);
    if (model !== undefined) return this.#expand(model);
    const query = name.indexOf('?');
    if (query > 0) return this.resolve(name.slice(0, query)).filter(isSandbox);
    return this.#pinned(name);
  }

  available(): readonly PublicModel[] {
    return this.#available;
  }

  all(): readonly PublicModel[] {
    return [...this.#models.values()];
  }

  retired(name: string): RetiredModel | undefined {
    return this.#sources.catalog.retired(name);
  }

  nearest(name: string, among: readonly PublicModel[]): readonly string[] {
    const names = among.map(({ id }) => id);
    return this.#sources.catalog.nearest(name, names, SUGGESTIONS_MAX);
  }

  #named(name: string): PublicModel | undefined {
    const exact = this.#models.get(name);
    if (exact !== undefined) return exact;
    const known = this.#sources.catalog.find(name);
    return known === undefined ? undefined : this.#models.get(known.facts.id);
  }

  /** `above` is the way here: a circle, which is a fault, must still come to an end. */
  #expand(model: PublicModel, above: readonly string[] = []): readonly PublicModel[] {
    if (model.chain === null) return [model];
    if (above.includes(model.id)) return [];
    return model.chain.flatMap((name) => {
      const next = this.#named(name);
      return next === undefined ? [] : this.#expand(next, [...above, model.id]);
    });
  }

  /** `<configured provider>/<model>`: only that provider's endpoints, by our id or the host's. */
  #pinned(name: string): readonly PublicModel[] {
    const slash = name.indexOf('/');
    const provider = name.slice(0, Math.max(0, slash));
    if (!this.#providerNames.has(provider)) return [];
    const rest = name.slice(slash + 1);
    const named = this.#named(rest);
    const models = named === undefined ? this.all() : this.#expand(named);
    return models.flatMap((model) => {
      const endpoints = model.endpoints.filter(
        (endpoint) =>
          endpoint.providerName === provider &&
          (named !== undefined || endpoint.target.model === rest),
      );
      return endpoints.length === 0 ? [] : [{ ...model, endpoints }];
    });
  }
}

function isSandbox(model: PublicModel): boolean {
  return model.endpoints.length > 0 && model.endpoints.every(({ book }) => book === 'test');
}

/** The directory, and what is wrong with the operator's part of it: with faults, do not start. */
export function buildDirectory(sources: DirectorySources): {
  readonly directory: Directory;
  readonly faults: readonly DirectoryFault[];
} {
  const builder = new Builder(sources);
  builder.build();
  return { directory: new Names(builder.models, sources), faults: builder.faults };
}
