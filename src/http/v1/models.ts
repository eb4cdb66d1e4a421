/**
 * GET /v1/models and /v1/models/{id}: what this key can use, valid for OpenAI, rich as
 * OpenRouter's.
 */
import type { Context, Hono } from 'hono';
import type { Clock } from '#base/clock.ts';
import { newId } from '#base/ids.ts';
import { endMessage } from '#catalog/lifecycle.ts';
import { authenticate } from '#gateway/admit.ts';
import type { Directory, PublicModel } from '#gateway/endpoint.ts';
import { reachable, usableModels } from '#gateway/reach.ts';
import type { Caller, Identity } from '#identity/identity.ts';
import { methodNotAllowed, modelNotFound, modelShutDown } from '#wire/refusals.ts';
import type { OpenExchange } from '../exchange.ts';
import { readModelQuery } from './model-filters.ts';
import { endpointsOf, toEndpointsHead, toModel } from './model-view.ts';

export interface ModelRouteServices {
  readonly identity: Identity;
  readonly directory: Directory;
  readonly openExchange: OpenExchange;
  readonly clock: Clock;
}

function respond(context: Context, body: unknown): Response {
  return context.json(body, 200, {
    'x-request-id': newId('req_'),
    'cache-control': 'private, no-store',
    vary: 'authorization',
  });
}

function listModels(services: ModelRouteServices, caller: Caller, context: Context): Response {
  const { directory, clock } = services;
  const query = readModelQuery(context.req.query());
  const usable = new Map(usableModels(directory, caller).map((model) => [model.id, model]));
  const all = (): readonly PublicModel[] =>
    directory.all().map((model) => usable.get(model.id) ?? model);
  const shown = query.all ? all() : [...usable.values()];
  const nowMs = clock.nowMs();
  const data = shown.filter(query.matches).map((model) => ({
    ...toModel(model, nowMs),
    ...(query.all ? { available: usable.has(model.id) } : {}),
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

/** Which model a path names, and whether only its endpoints are wanted. */
interface Wanted {
  readonly model: PublicModel;
  readonly endpointsOnly: boolean;
}

const ENDPOINTS = '/endpoints';

/** Also what nobody serves here; not what is served only where this caller may not have it run. */
function firstReachable(
  { directory }: ModelRouteServices,
  caller: Caller,
  name: string,
): PublicModel | undefined {
  for (const model of directory.resolve(name)) {
    const seen = reachable(directory, caller, model);
    if (seen !== null && (seen === model || seen.endpoints.length > 0)) return seen;
  }
  return undefined;
}

function findModel(services: ModelRouteServices, caller: Caller, name: string): Wanted {
  const { directory } = services;
  const usable = usableModels(directory, caller);
  const find = (wanted: string): PublicModel | undefined =>
    usable.find(({ id }) => id === wanted) ?? firstReachable(services, caller, wanted);
  const whole = find(name);
  if (whole !== undefined) return { model: whole, endpointsOnly: false };
  const endpointsOnly = name.endsWith(ENDPOINTS);
  const asked = endpointsOnly ? name.slice(0, -ENDPOINTS.length) : name;
  const model = endpointsOnly ? find(asked) : undefined;
  if (model !== undefined) return { model, endpointsOnly };
  const retired = directory.retired(asked);
  if (retired !== undefined) throw modelShutDown(endMessage(retired, 'ended'));
  throw modelNotFound(asked, directory.nearest(asked, usable));
}

function showModel(services: ModelRouteServices, caller: Caller, context: Context): Response {
  const name = decode(context.req.path.replace(/^\/v1\/models\//, ''));
  const { model, endpointsOnly } = findModel(services, caller, name);
  const endpoints = endpointsOf(model);
  if (endpointsOnly) return respond(context, { data: { ...toEndpointsHead(model), endpoints } });
  return respond(context, { ...toModel(model, services.clock.nowMs()), endpoints });
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
