/**
 * The HTTP surface: every route of the program is mounted here. A route also needs its place in
 * `openapi/operations.ts`; a test compares the two.
 */
import { Hono, type Context } from 'hono';
import { getPath } from 'hono/utils/url';
import { newId } from '#base/ids.ts';
import { authenticate } from '#gateway/admit.ts';
import type { Identity } from '#identity/identity.ts';
import { GatewayError } from '#wire/errors.ts';
import { methodNotAllowed } from '#wire/refusals.ts';
import { createManagementApp } from './api/management.ts';
import type { CreditDesk, LedgerReads } from './api/ports.ts';
import { addDocsRoutes, type DocsServices } from './docs/routes.ts';
import { answerError, type FailedRequest } from './error-answer.ts';
import type { HttpExchange, OpenExchange } from './exchange.ts';
import { CORS_HEADERS, preflightHeaders } from './cors.ts';
import { meantPath, pathWarning } from './forgiving-path.ts';
import { unknownRoute } from './unknown-route.ts';
import { addEstimateRoute } from './v1/estimate.ts';
import { inferenceRoutes, type InferenceServices } from './v1/inference.ts';
import { addModelRoutes } from './v1/models.ts';

export interface AppServices extends InferenceServices {
  readonly identity: Identity;
  readonly reads: LedgerReads;
  readonly credit: CreditDesk;
  readonly openExchange: OpenExchange;
}

export interface StatusServices extends Pick<InferenceServices, 'lifecycle' | 'log'>, DocsServices {
  /** The serving process, told to callers on this machine only; null on runtimes without one. */
  pidFor(context: Context): number | null;
}

function addStatusRoutes(app: Hono, services: StatusServices): void {
  const { lifecycle, version } = services;
  app.get('/', (context) => context.json({ name: 'OmniX', version, api: '/v1', ready: '/ready' }));
  app.get('/health', (context) => {
    const pid = services.pidFor(context);
    return context.json({ status: 'ok', version, ...(pid === null ? {} : { pid }) });
  });
  app.get('/ready', (context) => {
    const reason = lifecycle.hindrance;
    if (reason === null) return context.json({ status: 'ready', version });
    return context.json({ status: 'not_ready', reason }, 503, { 'retry-after': '1' });
  });
  addDocsRoutes(app, services);
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

function notReady(services: StatusServices): GatewayError {
  const { state } = services.lifecycle;
  const message =
    state.kind === 'draining'
      ? 'This process is shutting down. Try again: another one will answer.'
      : 'The gateway is starting. Try again in a moment; GET /ready tells when it is.';
  return new GatewayError('service_unavailable', { message, headers: [['connection', 'close']] });
}

function failedRequest({ req }: Context): FailedRequest {
  return { requestId: newId('req_'), method: req.method };
}

/** What answers while the rest is being brought up: /health, /ready, and a clear 503. */
export function createStatusApp(services: StatusServices): Hono {
  const app = createForgivingApp(new Set());
  addStatusRoutes(app, services);
  app.all('*', () => {
    throw notReady(services);
  });
  app.onError((thrown, context) => answerError(services.log, thrown, failedRequest(context)));
  return app;
}

/** The first words of the paths below /v1, once every route is mounted. */
function resourcesOf(app: Hono): readonly string[] {
  return app.routes.flatMap(({ path }) => /^\/v1\/([^/*:]+)/.exec(path)?.[1] ?? []);
}

/** Which methods a path takes, by the routes that are mounted. */
function methodsAt(app: Hono, path: string): readonly string[] {
  const taken = METHODS.filter((method) =>
    app.router.match(method, path)[0].some(([[, route]]) => route.method === method),
  );
  return taken.includes('GET') ? ['HEAD', ...taken] : taken;
}

function nothingAt({ req: { method, path, raw } }: Context): GatewayError {
  return unknownRoute(method, { asked: getPath(raw), meant: path });
}

/** Tells what a path takes without a key: it says nothing that the reference does not say. */
function answerOptions(app: Hono, context: Context): Response {
  const { req } = context;
  const methods = methodsAt(app, req.path);
  if (methods.length === 0) throw nothingAt(context);
  const allow = ['OPTIONS', ...methods].toSorted().join(', ');
  const headers = new Headers({ allow });
  if (req.header('access-control-request-method') !== undefined) {
    const asked = req.header('access-control-request-headers');
    for (const [name, value] of preflightHeaders(allow, asked)) headers.set(name, value);
  }
  return new Response(null, { status: 204, headers });
}

/** Method and path, as in "POST /v1/chat/completions". */
export type HotRoutes = ReadonlyMap<string, (exchange: HttpExchange) => void>;

/**
 * The few routes whose exact path a runtime may look up before the router, because that alone saves
 * a tenth of the request (docs/decisions). They are mounted in the app as well and do the same
 * there.
 */
export function createHotRoutes(services: InferenceServices): HotRoutes {
  return new Map([...inferenceRoutes(services)].map(([path, answer]) => [`POST ${path}`, answer]));
}

/**
 * An app that reads paths as they were meant and says so on the answer, and gives every answer an
 * id. `resources` may be filled later.
 */
function createForgivingApp(resources: ReadonlySet<string>): Hono {
  const app = new Hono({ getPath: (request) => meantPath(getPath(request), resources) });
  app.use(async (context, next) => {
    await next();
    const warning = pathWarning(context);
    const isRoute = warning !== null && methodsAt(app, context.req.path).length > 0;
    if (isRoute) context.header('warning', warning);
    if (context.req.header('origin') !== undefined) {
      for (const [name, value] of CORS_HEADERS) context.header(name, value);
    }
    if (!context.res.headers.has('x-request-id')) context.header('x-request-id', newId('req_'));
  });
  return app;
}

/** The whole surface. Requests are refused while the process drains. */
export function createApp(services: AppServices & StatusServices): Hono {
  const { identity, gateway, reads, credit, log, lifecycle, openExchange, clock } = services;
  const resources = new Set<string>();
  const app = createForgivingApp(resources);
  app.use(async (context, next) => {
    const startedMs = clock.monotonicMs();
    await next();
    // Those that run models say it themselves.
    if (context.res.headers.has('openai-processing-ms')) return;
    const tookMs = Math.max(1, Math.round(clock.monotonicMs() - startedMs));
    context.header('openai-processing-ms', String(tookMs));
  });
  app.options('*', (context) => answerOptions(app, context));
  addStatusRoutes(app, services);
  for (const [path, answer] of inferenceRoutes(services)) {
    app.post(path, (context) => {
      if (lifecycle.state.kind !== 'ready') throw notReady(services);
      const exchange = openExchange(context);
      answer(exchange);
      return exchange.response();
    });
    app.all(path, (context) => {
      throw methodNotAllowed(context.req.method, ['POST']);
    });
  }
  addEstimateRoute(app, { gateway, openExchange, log });
  addModelRoutes(app, { identity, directory: gateway.directory, openExchange, clock });
  app.route(
    '/v1',
    createManagementApp({
      identity,
      ledger: reads,
      credit,
      directory: gateway.directory,
      idempotency: gateway.idempotency,
      clock,
      log,
      authenticate: async (context) => authenticate(identity, openExchange(context).inbound),
    }),
  );
  app.notFound((context) => {
    return answerError(log, nothingAt(context), failedRequest(context));
  });
  app.onError((thrown, context) => answerError(log, thrown, failedRequest(context)));
  for (const resource of resourcesOf(app)) resources.add(resource);
  return app;
}
