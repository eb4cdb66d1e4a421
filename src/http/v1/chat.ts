/** POST /v1/chat/completions. */
import { generationIdOf, newId } from '#base/ids.ts';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Call } from '#gateway/call.ts';
import { readChatRequest } from '#gateway/chat/read-request.ts';
import { serve } from '#gateway/serve.ts';
import type { GatewayServices } from '#gateway/dependencies.ts';
import type { HttpExchange } from '../exchange.ts';
import type { Lifecycle } from '../lifecycle.ts';

export interface ChatRouteServices {
  readonly gateway: GatewayServices;
  readonly lifecycle: Lifecycle;
  readonly clock: Clock;
  readonly log: Log;
}

/** Answers one exchange; the answer goes its own way to the sink. */
export function answerChat(services: ChatRouteServices): (exchange: HttpExchange) => void {
  const { gateway, lifecycle, clock, log } = services;
  const ended = (): void => lifecycle.end();
  return ({ inbound, sink }) => {
    const id = newId('req_');
    const call: Call = {
      id,
      generationId: generationIdOf(id),
      startedAtMs: clock.nowMs(),
      startedMonotonicMs: clock.monotonicMs(),
      inbound,
      sink,
      clock,
      log,
    };
    lifecycle.begin();
    // Never rejects.
    void serve(gateway, call, readChatRequest).then(ended);
  };
}
