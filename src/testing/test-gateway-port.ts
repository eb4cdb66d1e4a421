/** A test gateway on a real port, on the way that `node.ts` takes. */
import { once } from 'node:events';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import { createGatewayServer, type GatewayServer, type Served } from '#http/server.node.ts';

export interface ListeningPort extends GatewayServer {
  readonly port: number;
  readonly url: string;
}

interface Listening {
  readonly served: Served;
  readonly log: Log;
  readonly clock: Clock;
}

interface Closing {
  add(step: () => unknown): void;
}

/** A port of 127.0.0.1. */
export async function listenOnPort(
  { served, log, clock }: Listening,
  closers: Closing,
): Promise<ListeningPort> {
  const listening = createGatewayServer(served, { log, clock });
  const { server, lane } = listening;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.add(async () => {
    server.closeAllConnections();
    lane.closeAll();
    server.close();
    await once(server, 'close');
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { ...listening, port, url: `http://127.0.0.1:${port}` };
}
