/**
 * GET /v1/models and /v1/models/{id}: what this key can use, valid for OpenAI, rich as
 * OpenRouter's.
 */
import type { Context, Hono } from 'hono';
import { newId } from '#base/ids.ts';
import { authenticate } from '#gateway/admit.ts';
import type { Directory, PublicModel } from '#gateway/endpoint.ts';
import { mayUse } from '#gateway/plan.ts';
import type { Caller, Identity } from '#identity/identity.ts';
import type { Model } from '#wire/models.ts';
import { invalidValue, methodNotAllowed, modelNotFound } from '#wire/refusals.ts';
import type { OpenExchange } from '../exchange.ts';

export interface ModelRouteServices {
  readonly identity: Identity;
  readonly directory: Directory;
  readonly openExchange: OpenExchange;
}

const MILLION_DIGITS = 6;

/** Dollars per million to dollars per token, exactly: the point moves six places. */
export function perToken(perMillion: string | undefined): string {
  const [whole = '0', fraction = ''] = (perMillion ?? '0').split('.', 2);
  const digits = whole.padStart(MILLION_DIGITS + 1, '0') + fraction;
  const point = digits.length - fraction.length - MILLION_DIGITS;
  const head = digits.slice(0, point).replace(/^0+(?=\d)/, '');
  const tail = digits.slice(point).replace(/0+$/, '');
  return tail === '' ? head : `${head}.${tail}`;
}

function pricingOf(model: PublicModel): Pick<Model, 'pricing'> {
  const list = model.endpoints[0]?.price.sheet.list;
  if (list === undefined) return {};
  return {
    pricing: {
      prompt: perToken(list.input),
      completion: perToken(list.output),
      request: list.request ?? '0',
      ...(list.cache_read === undefined ? {} : { input_cache_read: perToken(list.cache_read) }),
      ...(list.cache_write_5m === undefined
        ? {}
        : { input_cache_write: perToken(list.cache_write_5m) }),
      ...(list.reasoning === undefined ? {} : { internal_reasoning: perToken(list.reasoning) }),
    },
  };
}

function toModel(model: PublicModel): Model {
  return {
    id: model.id,
    object: 'model',
    created: model.created,
    owned_by: model.lab ?? model.endpoints[0]?.providerName ?? 'omnix',
    name: model.name,
    shutdown_date: model.shutdown,
    context_length: model.context,
    architecture: {
      input_modalities: [...model.inputModalities],
      output_modalities: [...model.outputModalities],
    },
    ...pricingOf(model),
    top_provider: { context_length: model.context, max_completion_tokens: model.maxOutput },
    capabilities: model.capabilities,
    providers: [...new Set(model.endpoints.map(({ providerName }) => providerName))],
    ...(model.chain === null ? {} : { alias: model.chain }),
  };
}

function respond(context: Context, body: unknown): Response {
  return context.json(body, 200, {
    'x-request-id': newId('req_'),
    'cache-control': 'private, no-store',
    vary: 'authorization',
  });
}

/** What a caller can use now. An alias is as usable as the models behind it. */
function usableBy(caller: Caller, directory: Directory): readonly PublicModel[] {
  return directory
    .available()
    .filter((model) => directory.resolve(model.id).every((behind) => mayUse(caller, behind)));
}

function listModels({ directory }: ModelRouteServices, caller: Caller, context: Context): Response {
  const wanted = context.req.query('available');
  if (wanted !== undefined && wanted !== 'all') throw invalidValue('available', "expected 'all'");
  const usable = new Set(usableBy(caller, directory));
  const shown = wanted === 'all' ? directory.all() : [...usable];
  const data = shown.map((model) => ({
    ...toModel(model),
    ...(wanted === 'all' ? { available: usable.has(model) } : {}),
  }));
  return respond(context, { object: 'list', data });
}

/** A path that is not well encoded names no model, and is no fault of ours. */
function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function showModel(services: ModelRouteServices, caller: Caller, context: Context): Response {
  const { directory } = services;
  const mayBeUsed = (model: PublicModel): boolean => mayUse(caller, model);
  const name = decode(context.req.path.replace(/^\/v1\/models\//, ''));
  const usable = usableBy(caller, directory);
  const named = usable.find(({ id }) => id === name);
  const [found] = named === undefined ? directory.resolve(name).filter(mayBeUsed) : [named];
  if (found === undefined) throw modelNotFound(name, directory.nearest(name, usable));
  const endpoints = found.endpoints.map((endpoint) => ({
    provider_name: endpoint.providerName,
    model: endpoint.target.model,
    context_length: endpoint.context,
    max_completion_tokens: endpoint.maxOutput,
    price: endpoint.price.sheet.list,
    price_source: endpoint.price.sheet.source,
    price_effective_date: endpoint.price.sheet.effectiveFrom,
  }));
  return respond(context, { ...toModel(found), endpoints });
}

function refuse(context: Context): never {
  throw methodNotAllowed(context.req.method, ['GET']);
}

/** Adds the routes. Errors are thrown and answered by the app. */
export function addModelRoutes(app: Hono, services: ModelRouteServices): void {
  const callerOf = async (context: Context): Promise<Caller> =>
    authenticate(services.identity, services.openExchange(context).inbound);
  app.get('/v1/models', async (context) => listModels(services, await callerOf(context), context));
  app.all('/v1/models', refuse);
  // Ids may hold slashes, raw or as %2F.
  app.get('/v1/models/:model{.+}', async (context) =>
    showModel(services, await callerOf(context), context),
  );
  app.all('/v1/models/:model{.+}', refuse);
}
