/** POST /v1/estimate: what a request would cost, for the bodies of the routes that run them. */
import type { Context, Hono } from 'hono';
import { newId } from '#base/ids.ts';
import type { Log } from '#base/log.ts';
import { admit, authenticate } from '#gateway/admit.ts';
import { readCeiling } from '#gateway/ceiling.ts';
import { readChatRequest } from '#gateway/chat/read-request.ts';
import type { GatewayServices } from '#gateway/dependencies.ts';
import { readEmbeddingsRequest } from '#gateway/embeddings/read-request.ts';
import { estimate } from '#gateway/estimate.ts';
import { IDEMPOTENCY_HEADER } from '#gateway/idempotency/refusals.ts';
import { scanBody } from '#gateway/scan-body.ts';
import type { ReadRequest } from '#gateway/serve.ts';
import {
  ENDPOINT_MARKS,
  ESTIMATED_ENDPOINTS,
  parseEstimateQuery,
  unknownShape,
  type EstimatedEndpoint,
} from '#wire/estimate.ts';
import { methodNotAllowed } from '#wire/refusals.ts';
import { answerOnce } from '../api/run-once.ts';
import type { OpenExchange } from '../exchange.ts';

export interface EstimateRouteServices {
  readonly gateway: GatewayServices;
  readonly openExchange: OpenExchange;
  readonly log: Log;
}

const READERS: Readonly<Record<EstimatedEndpoint, ReadRequest>> = {
  '/v1/chat/completions': readChatRequest,
  '/v1/embeddings': readEmbeddingsRequest,
};

/** Throws a GatewayError (400) where the body looks like no request. */
function endpointOf(body: Uint8Array): EstimatedEndpoint {
  const index = scanBody(body);
  const endpoint = ESTIMATED_ENDPOINTS.find((path) => index.member(0, ENDPOINT_MARKS[path]) >= 0);
  if (endpoint === undefined) throw unknownShape();
  return endpoint;
}

async function answer(services: EstimateRouteServices, context: Context): Promise<Response> {
  const { gateway, log, openExchange } = services;
  const { inbound } = openExchange(context);
  const caller = await authenticate(gateway.identity, inbound);
  admit(inbound, caller);
  const ceiling = readCeiling(inbound);
  const asked = parseEstimateQuery(context.req.query());
  const body = await inbound.readBody(gateway.limits.bodyBytesMax);
  const requestId = newId('req_');
  const run = async (): Promise<Response> => {
    const endpoint = asked ?? endpointOf(body);
    const request = READERS[endpoint](body);
    const { object, ...costs } = await estimate(gateway, { caller, request, ceiling });
    return context.json({ object, endpoint, ...costs }, 200, {
      'x-request-id': requestId,
      'cache-control': 'private, no-store',
    });
  };
  const clientKey = inbound.header(IDEMPOTENCY_HEADER);
  if (clientKey === null) return run();
  const { keyId } = caller;
  const { method, path } = context.req;
  const once = { requestId, keyId, clientKey, method, path, body };
  return answerOnce({ idempotency: gateway.idempotency, log }, once, run);
}

/** Adds the route. Errors are thrown and answered by the app. */
export function addEstimateRoute(app: Hono, services: EstimateRouteServices): void {
  app.post('/v1/estimate', async (context) => answer(services, context));
  app.all('/v1/estimate', (context) => {
    throw methodNotAllowed(context.req.method, ['POST']);
  });
}
