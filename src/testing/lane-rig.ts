/**
 * The server with a hot route that a test answers as it likes, and a count of what went to
 * node:http: `POST /hot` is in the lane where the request is plain, anything else is the router's.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '#base/clock.ts';
import { toBytes, toText } from '#base/bytes.ts';
import type { HttpExchange } from '#http/exchange.ts';
import type { Served } from '#http/server.node.ts';
import { listenOnPort, type ListeningPort } from './test-gateway-port.ts';
import { openRaw, requestBytes } from './raw-client.ts';

export interface LaneRig extends ListeningPort {
  /** Requests that node:http read. */
  readonly byNode: () => number;
  readonly clock: { laterMs: number };
  readonly served: Served;
  /** What the hot route does from now on. */
  answerWith(answer: (exchange: HttpExchange) => void): void;
  close(): Promise<void>;
}

/** The body, in angle brackets. */
export async function echo({ inbound, sink }: HttpExchange): Promise<void> {
  const body = await inbound.readBody(2 ** 21);
  sink.send(200, [['content-type', 'text/plain']], toBytes(`<${toText(body)}>`));
}

export async function openLaneRig(): Promise<LaneRig> {
  const steps: (() => unknown)[] = [];
  const count = { byNode: 0 };
  const route = { answer: (exchange: HttpExchange): void => void echo(exchange) };
  const later = { laterMs: 0 };
  const clock: Clock = {
    nowMs: () => Date.now() + later.laterMs,
    monotonicMs: () => performance.now() + later.laterMs,
  };
  const served: Served = {
    fetch: () => new Response('<router>'),
    hot: new Map([['POST /hot', (exchange: HttpExchange) => route.answer(exchange)]]),
  };
  const log = { write: () => {} };
  const listening = await listenOnPort({ served, log, clock }, { add: (step) => steps.push(step) });
  listening.server.prependListener('request', () => {
    count.byNode += 1;
  });
  return {
    ...listening,
    clock: later,
    served,
    byNode: () => count.byNode,
    answerWith: (answer) => {
      route.answer = answer;
    },
    close: async () => {
      for (const step of steps) await step();
    },
  };
}

/** A plain request of the hot route. */
export function hotBytes(body: string, headers: readonly (readonly [string, string])[] = []) {
  return requestBytes({ path: '/hot', headers, body });
}

/** Sends the pieces so that each is read by itself; resolves when `count` answers have come. */
export async function sendPieces(
  port: number,
  pieces: readonly (string | Uint8Array)[],
  count: number,
): Promise<string> {
  const client = await openRaw(port);
  for (const piece of pieces) {
    await client.send(piece);
    for (let turns = 0; turns < 4; turns += 1) await turn();
  }
  while (!client.closed() && bodiesOf(client.received()).length < count) await turn();
  client.reset();
  return client.received().toString();
}

/** What the answers echoed, in the order in which they came. */
export function bodiesOf(received: string | Buffer): readonly string[] {
  return [...received.toString().matchAll(/<([^>]*)>/g)].map(([, body = '']) => body);
}
