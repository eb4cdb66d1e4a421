/** The server on Node, as the process and the tests open it: node:http with the lane before it. */
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { HotRoutes } from './app.ts';
import { answerClientError, answerUnreadable } from './client-error.node.ts';
import { openSocketExchange } from './exchange.node.ts';
import { openLane, type Lane } from './lane/lane.node.ts';
import {
  HEADERS_TIMEOUT_MS,
  HEADER_BYTES_MAX,
  KEEP_ALIVE_MS,
  REQUEST_TIMEOUT_MS,
} from './socket-limits.ts';

export interface Served {
  /** Replaced when the gateway is ready. */
  fetch: (request: Request, env: unknown) => Response | Promise<Response>;
  /** Looked up before the router. */
  hot: HotRoutes;
}

export interface GatewayServer {
  readonly server: Server;
  readonly lane: Lane;
}

/** A server that does not listen yet. */
export function createGatewayServer(
  served: Served,
  { log, clock }: { readonly log: Log; readonly clock: Clock },
): GatewayServer {
  const listener = getRequestListener((request, env) => served.fetch(request, env), {
    overrideGlobalObjects: false,
    errorHandler: answerUnreadable(log),
  });
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
      noDelay: true,
    },
    (incoming, outgoing) => {
      const hot = served.hot.get(`${incoming.method} ${incoming.url}`);
      if (hot === undefined) void listener(incoming, outgoing);
      else hot(openSocketExchange(incoming, outgoing));
    },
  );
  server.on('clientError', (failure, socket) => {
    answerClientError(failure, socket, HEADER_BYTES_MAX);
  });
  return { server, lane: openLane(server, served, clock) };
}
