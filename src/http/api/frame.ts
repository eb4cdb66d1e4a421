/**
 * What every management route shares: a request id, the caller, and errors that carry that id.
 * Written once, so that no route can forget it.
 */
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { newId } from '#base/ids.ts';
import type { Result } from '#base/result.ts';
import type { LedgerUnavailable } from '#ledger/ledger.ts';
import { DatabaseUnavailable } from '#store/database.ts';
import { methodNotAllowed, permissionDenied } from '#wire/refusals.ts';
import { answerError } from '../error-answer.ts';
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
  };
  for (const path of paths) app.use(path, admit);
  app.onError((thrown, context) =>
    answerError(services.log, thrown, {
      requestId: context.get('requestId'),
      method: context.req.method,
    }),
  );
  return app;
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
