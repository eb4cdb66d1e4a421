/** The HTTP surface: every route of the program is mounted here. */
import { describeError } from '#base/describe-error.ts';
import { Hono, type Context } from 'hono';
import { newId } from '#base/ids.ts';
import { authenticate } from '#gateway/admit.ts';
import type { Identity } from '#identity/identity.ts';
import { GatewayError, toGatewayError } from '#wire/errors.ts';
import { errorHeaders, toOpenAiErrorBody } from '#wire/openai-error.ts';
import { methodNotAllowed, unknownUrl } from '#wire/refusals.ts';
import { createManagementApp } from './api/management.ts';
import type { CreditDesk, LedgerReads } from './api/ports.ts';
import { errorPage } from './docs/error-page.ts';
import type { HttpExchange, OpenExchange } from './exchange.ts';
import { answerChat, type ChatRouteServices } from './v1/chat.ts';
import { addModelRoutes } from './v1/models.ts';

export interface AppServices extends ChatRouteServices {
  readonly identity: Identity;
  readonly reads: LedgerReads;
  readonly credit: CreditDesk;
  readonly openExchange: OpenExchange;
}

export interface StatusServices extends Pick<ChatRouteServices, 'lifecycle' | 'log'> {
  readonly version: string;
  /** The serving process, told to callers on this machine only; null on runtimes without one. */
  pidFor(context: Context): number | null;
}

function answerError(services: Pick<StatusServices, 'log'>, thrown: unknown): Response {
  const error = toGatewayError(thrown);
  const requestId = newId('req_');
  if (error.status >= 500) {
    const reason: unknown = error.cause ?? '';
    const cause = describeError(reason);
    services.log.write('error', 'request_failed', {
      request_id: requestId,
      status: error.status,
      code: error.code,
      cause,
    });
  }
  const headers = new Headers([
    ['content-type', 'application/json'],
    ['x-request-id', requestId],
  ]);
  for (const [name, value] of errorHeaders(error)) headers.set(name, value);
  const body = JSON.stringify(toOpenAiErrorBody(error, requestId));
  return new Response(body, { status: error.status, headers });
}

function addStatusRoutes(app: Hono, services: StatusServices): void {
  const { lifecycle, version } = services;
  app.get('/', (context) => context.json({ name: 'OmniX', version, api: '/v1', ready: '/ready' }));
  const errors = errorPage();
  app.get('/docs/errors', (context) => context.html(errors));
  app.get('/health', (context) => {
    const pid = services.pidFor(context);
    return context.json({ status: 'ok', version, ...(pid === null ? {} : { pid }) });
  });
  app.get('/ready', (context) => {
    const { state } = lifecycle;
    if (state.kind === 'ready') return context.json({ status: 'ready', version });
    const reason = state.kind === 'starting' ? state.reason : 'draining';
    return context.json({ status: 'not_ready', reason }, 503, { 'retry-after': '1' });
  });
}

function notReady(services: StatusServices): GatewayError {
  const { state } = services.lifecycle;
  const message =
    state.kind === 'draining'
      ? 'This process is shutting down. Try again: another one will answer.'
      : 'The gateway is starting. Try again in a moment; GET /ready tells when it is.';
  return new GatewayError('service_unavailable', { message, headers: [['connection', 'close']] });
}

/** What answers while the rest is being brought up: /health, /ready, and a clear 503. */
export function createStatusApp(services: StatusServices): Hono {
  const app = new Hono();
  addStatusRoutes(app, services);
  app.all('*', () => {
    throw notReady(services);
  });
  app.onError((thrown) => answerError(services, thrown));
  return app;
}

function hintFor(path: string): string | undefined {
  if (path.startsWith('/v1/v1/')) return 'The path has /v1 twice: the base URL ends with /v1 once.';
  if (/^\/(chat|models|keys|key|credits|generation)\b/.test(path)) {
    return 'The path lacks /v1: the base URL ends with /v1.';
  }
  return undefined;
}

/** Method and path, as in "POST /v1/chat/completions". */
export type HotRoutes = ReadonlyMap<string, (exchange: HttpExchange) => void>;

/**
 * The few routes whose exact path a runtime may look up before the router, because that alone saves
 * a tenth of the request (docs/decisions). They are mounted in the app as well and do the same
 * there.
 */
export function createHotRoutes(services: ChatRouteServices): HotRoutes {
  return new Map([['POST /v1/chat/completions', answerChat(services)]]);
}

/** The whole surface. Requests are refused while the process drains. */
export function createApp(services: AppServices & StatusServices): Hono {
  const { identity, gateway, reads, credit, log, lifecycle, openExchange, clock } = services;
  const app = new Hono();
  addStatusRoutes(app, services);
  const chat = answerChat(services);
  app.post('/v1/chat/completions', (context) => {
    if (lifecycle.state.kind !== 'ready') throw notReady(services);
    const exchange = openExchange(context);
    chat(exchange);
    return exchange.response();
  });
  app.all('/v1/chat/completions', (context) => {
    throw methodNotAllowed(context.req.method, ['POST']);
  });
  addModelRoutes(app, { identity, directory: gateway.directory, openExchange, clock });
  app.route(
    '/v1',
    createManagementApp({
      identity,
      ledger: reads,
      credit,
      log,
      authenticate: async (context) => authenticate(identity, openExchange(context).inbound),
    }),
  );
  app.notFound((context) => {
    const { method, path } = context.req;
    return answerError(services, unknownUrl(method, path, hintFor(path)));
  });
  app.onError((thrown) => answerError(services, thrown));
  return app;
}
