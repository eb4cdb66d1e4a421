/** A test gateway on a real port, on the way that `node.ts` takes. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Log } from '#base/log.ts';
import type { HotRoutes } from '#http/app.ts';
import { answerUnreadable } from '#http/client-error.node.ts';
import { openSocketExchange } from '#http/exchange.node.ts';

export interface ListeningPort {
  readonly port: number;
  readonly url: string;
}

interface Listening {
  readonly app: Hono;
  readonly hot: HotRoutes;
  readonly log: Log;
}

interface Closing {
  add(step: () => unknown): void;
}

/** A port of 127.0.0.1. As `node.ts` does: the hot routes are looked up before the router. */
export async function listenOnPort(
  { app, hot, log }: Listening,
  closers: Closing,
): Promise<ListeningPort> {
  const listener = getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
    errorHandler: answerUnreadable(log),
  });
  const server = createServer((incoming, outgoing) => {
    const route = hot.get(`${incoming.method} ${incoming.url}`);
    if (route === undefined) void listener(incoming, outgoing);
    else route(openSocketExchange(incoming, outgoing));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.add(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { port, url: `http://127.0.0.1:${port}` };
}
