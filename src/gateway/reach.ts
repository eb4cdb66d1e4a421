/**
 * What a key may use: a test key the sandbox, a key with lists only what stands in them, any other
 * key everything. Asked by the plan, by the suggestions for a wrong name, and by /v1/models.
 */
import type { Caller } from '#identity/identity.ts';
import { GatewayError } from '#wire/errors.ts';
import { quote } from '#wire/refusals.ts';
import type { Directory, Endpoint, PublicModel } from './endpoint.ts';

type Listed = ReadonlyMap<string, ReadonlySet<Endpoint>>;

/** Lists are few, and live as long as their keys are in memory: each is looked up once. */
const listedModels = new WeakMap<readonly string[], { of: Directory; listed: Listed }>();

/** The endpoints of the models that a list names, by public id. A pin names one provider's only. */
function listedIn(directory: Directory, names: readonly string[]): Listed {
  const known = listedModels.get(names);
  if (known?.of === directory) return known.listed;
  const listed = new Map<string, Set<Endpoint>>();
  for (const { id, endpoints } of names.flatMap((name) => directory.resolve(name))) {
    const before = listed.get(id) ?? [];
    listed.set(id, new Set([...before, ...endpoints]));
  }
  listedModels.set(names, { of: directory, listed });
  return listed;
}

function isSandbox({ endpoints }: PublicModel): boolean {
  return endpoints.length > 0 && endpoints.every(({ book }) => book === 'test');
}

/**
 * The model with the endpoints that this caller may use, which may be none; null where the model is
 * not for this caller at all. The model itself where nothing is kept from him.
 */
export function reachable(
  directory: Directory,
  caller: Caller,
  model: PublicModel,
): PublicModel | null {
  const { models, providers } = caller;
  if (caller.kind === 'test' && !isSandbox(model)) return null;
  if (models === null && providers === null) return model;
  const listed = models === null ? null : listedIn(directory, models);
  const allowed = listed === null ? null : listed.get(model.id);
  if (allowed === undefined) return null;
  const endpoints = model.endpoints.filter(
    (endpoint) =>
      (allowed === null || allowed.has(endpoint)) &&
      (providers === null || providers.includes(endpoint.providerName)),
  );
  return endpoints.length === model.endpoints.length ? model : { ...model, endpoints };
}

/** What a caller can use now. An alias is there if all the models behind it are for him. */
export function usableModels(directory: Directory, caller: Caller): readonly PublicModel[] {
  return directory.available().flatMap((model) => {
    const behind = directory.resolve(model.id).map((one) => reachable(directory, caller, one));
    const usable = behind.filter((one) => one !== null);
    if (usable.length < behind.length) return [];
    if (usable.every(({ endpoints }) => endpoints.length === 0)) return [];
    return model.chain === null ? usable : [model];
  });
}

const NAMES_TOLD_MAX = 8;

function told(names: readonly string[]): string {
  const list = names.slice(0, NAMES_TOLD_MAX).map(quote).join(', ');
  const more = names.length - NAMES_TOLD_MAX;
  return more > 0 ? `${list} and ${more} more (GET /v1/key lists them)` : list;
}

interface Refused {
  readonly model: PublicModel;
  /** Where in the body it was named. */
  readonly param: string;
}

/** For a model of which `reachable` is null. */
export function refuseModel(caller: Caller, { model, param }: Refused): GatewayError {
  const message =
    caller.models === null || (caller.kind === 'test' && !isSandbox(model))
      ? `A test-mode key reaches only the models under 'sandbox/', not ${quote(model.id)}. ` +
        'Make a live key with POST /v1/keys.'
      : `This API key may use only the models in its list, ${told(caller.models)}, and not ` +
        `${quote(model.id)}. Name one of those, or let a management key change the 'models' of the ` +
        'key with PATCH /v1/keys/{hash}.';
  return new GatewayError('permission_denied', { message, param, limitSource: 'key' });
}

/** For a model that is served, but nowhere where this caller may have it run. */
export function refuseProviders(caller: Caller, { model, param }: Refused): GatewayError {
  const { models, providers } = caller;
  const lists =
    providers === null
      ? `the models in its list, ${told(models ?? [])}`
      : `the providers ${told(providers)}`;
  const hosts = new Set(model.endpoints.map(({ providerName }) => quote(providerName)));
  return new GatewayError('permission_denied', {
    message:
      `This API key may use only ${lists}, and ${quote(model.id)} would run at ` +
      `${[...hosts].join(', ')}. Name another model (GET /v1/models lists those that you can ` +
      'use), or let a management key change the lists of the key with PATCH /v1/keys/{hash}.',
    param,
    limitSource: 'key',
  });
}
