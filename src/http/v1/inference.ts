/** The doors through which models are asked: one path and one reader of bodies each. */
import { generationIdOf, newId } from '#base/ids.ts';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Call } from '#gateway/call.ts';
import { readChatRequest } from '#gateway/chat/read-request.ts';
import { readEmbeddingsRequest } from '#gateway/embeddings/read-request.ts';
import { serve, type ReadRequest } from '#gateway/serve.ts';
import type { GatewayServices } from '#gateway/dependencies.ts';
import type { HttpExchange } from '../exchange.ts';
import type { Lifecycle } from '../lifecycle.ts';

export interface InferenceServices {
  readonly gateway: GatewayServices;
  readonly lifecycle: Lifecycle;
  readonly clock: Clock;
  readonly log: Log;
}

/** The path of each door, all of them POST. */
const READERS: Readonly<Record<string, ReadRequest>> = {
  '/v1/chat/completions': readChatRequest,
  '/v1/embeddings': readEmbeddingsRequest,
};

export type AnswerExchange = (exchange: HttpExchange) => void;

/** By path. Answers one exchange; the answer goes its own way to the sink. */
export function inferenceRoutes(services: InferenceServices): ReadonlyMap<string, AnswerExchange> {
  const routes = Object.entries(READERS).map(([path, readRequest]): [string, AnswerExchange] => [
    path,
    answer(services, path, readRequest),
  ]);
  return new Map(routes);
}

function answer(
  services: InferenceServices,
  path: string,
  readRequest: ReadRequest,
): AnswerExchange {
  const { gateway, lifecycle, clock, log } = services;
  const ended = (): void => lifecycle.end();
  return ({ inbound, sink, keep }) => {
    const id = newId('req_');
    const call: Call = {
      id,
      generationId: generationIdOf(id),
      path,
      startedAtMs: clock.nowMs(),
      startedMonotonicMs: clock.monotonicMs(),
      inbound,
      sink,
      clock,
      log,
    };
    lifecycle.begin();
    // Never rejects.
    const served = serve(gateway, call, readRequest).then(ended);
    keep?.(served);
  };
}
