/**
 * Our own way from socket to socket, without anything a gateway is for: the same server with its
 * lane, the same client, the same sinks. What the gateway costs beyond this is the price of its
 * policy. Run as its own process.
 */
import { systemClock } from '#base/clock.ts';
import { concatBytes } from '#base/bytes.ts';
import { silentLog } from '#base/log.ts';
import { NodeTransport } from '#base/transport.node.ts';
import type { Sink } from '#base/sink.ts';
import type { UpstreamExchange, UpstreamHandler } from '#base/transport.ts';
import type { HttpExchange } from '#http/exchange.ts';
import { createGatewayServer } from '#http/server.node.ts';

import { argumentAt, listenOnLoopback } from './child-side.ts';

const PATH = '/v1/chat/completions';
const BODY_BYTES_MAX = 32 * 1024 * 1024;

const url = argumentAt(0, 'origin of the upstream') + PATH;
const transport = new NodeTransport({ connectTimeoutMs: 10_000, connectionsMax: 4_096 });

/** A JSON answer is held and written once; a stream is written as it comes. */
function relayTo(sink: Sink, exchange: () => UpstreamExchange): UpstreamHandler {
  let headers: [string, string][] = [];
  let status = 0;
  let streamed = false;
  const parts: Uint8Array[] = [];
  return {
    onHead(code, { 'content-type': type = '' }) {
      status = code;
      headers = [['content-type', type]];
      streamed = type.startsWith('text/event-stream');
      if (streamed) sink.head(status, headers);
    },
    onData(bytes) {
      if (!streamed) {
        parts.push(bytes);
      } else if (!sink.write(bytes)) {
        exchange().pause();
        sink.onDrain(() => exchange().resume());
      }
    },
    onEnd() {
      if (streamed) sink.end();
      else sink.send(status, headers, concatBytes(parts));
    },
    onFail() {
      sink.destroy();
    },
  };
}

async function relay({ inbound, sink }: HttpExchange): Promise<void> {
  const reading = inbound.readBody(BODY_BYTES_MAX);
  const body = reading instanceof Promise ? await reading : reading;
  const authorization = inbound.header('authorization') ?? '';
  const headers = ['content-type', 'application/json', 'authorization', authorization];
  const sent: UpstreamExchange = transport.send(
    { method: 'POST', url, headers, body },
    relayTo(sink, () => sent),
  );
  sink.onGone(() => sent.abort());
}

const served = {
  fetch: () => new Response(null, { status: 404 }),
  hot: new Map([[`POST ${PATH}`, (exchange: HttpExchange) => void relay(exchange)]]),
};
listenOnLoopback(createGatewayServer(served, { log: silentLog, clock: systemClock }).server);
