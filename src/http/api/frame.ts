/**
 * What every management route shares: a request id, the caller, and errors that carry that id.
 * Written once, so that no route can forget it.
 */
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import { newId } from '#base/ids.ts';
import type { Result } from '#base/result.ts';
import type { Caller } from '#identity/identity.ts';
import type { LedgerUnavailable } from '#ledger/ledger.ts';
import { DatabaseUnavailable } from '#store/database.ts';
import { methodNotAllowed, permissionDenied } from '#wire/refusals.ts';
import { answerError, type FailedRequest } from '../error-answer.ts';
import { toMoneyJson, toResponse, type MoneyJson } from './answer.ts';
import type { ApiEnv, ApiServices } from './ports.ts';

export type ApiContext = Context<ApiEnv>;

/**
 * An app whose routes under `paths` run with `requestId` and `caller` set, and whose errors are
 * answered in full. Other paths stay untouched: whoever mounts the app has routes of its own
 * beside it.
 */
export function createFrame(services: ApiServices, paths: readonly string[]): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  const admit: MiddlewareHandler<ApiEnv> = async (context, next) => {
    context.set('requestId', newId('req_'));
    context.set('caller', await services.authenticate(context));
    await next();
    if (SAFE_METHODS.has(context.req.method) || context.error !== undefined) return;
    const { requestId, method, route, keyId } = whose(context);
    const { status } = context.res;
    const said = { request_id: requestId, key_id: keyId, method, route, status };
    services.log.write('info', 'changed', said);
  };
  for (const path of paths) app.use(path, admit);
  app.onError((thrown, context) => answerError(services.log, thrown, whose(context)));
  return app;
}

/** Methods that change nothing (RFC 9110, 9.2.1). */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** A request for the log. Whoever could not be authenticated is nobody. */
function whose(context: ApiContext): FailedRequest {
  const caller: Caller | undefined = context.get('caller');
  return {
    requestId: context.get('requestId'),
    method: context.req.method,
    route: routePath(context, -1),
    keyId: caller?.keyId,
  };
}

/** What the ledger read. Throws what becomes a 503 when it could not. */
export function readOrThrow<Value>(read: Result<Value, LedgerUnavailable>): Value {
  if (read.ok) return read.value;
  throw new DatabaseUnavailable(read.error.cause);
}

export function answer(context: ApiContext, status: number, value: MoneyJson): Response {
  return toResponse(context.get('requestId'), { status, json: toMoneyJson(value) });
}

/** Throws a GatewayError (403) unless a management key calls. `deed` completes "... may". */
export function requireManagement(context: ApiContext, deed: string): void {
  if (context.get('caller').kind === 'management') return;
  throw permissionDenied(
    `only a management key (sk-omx-mgmt-...) may ${deed}, and this is an inference key.`,
  );
}

/** The last handler of a path: the methods that it does not take. */
export function refuseMethod(...allowed: readonly string[]): (context: ApiContext) => never {
  return (context) => {
    throw methodNotAllowed(context.req.method, allowed);
  };
}
