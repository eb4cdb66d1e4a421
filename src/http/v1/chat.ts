/** POST /v1/chat/completions. */
import type { Handler } from 'hono';
import { generationIdOf, newId } from '#base/ids.ts';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Call } from '#gateway/call.ts';
import { serve } from '#gateway/serve.ts';
import type { GatewayServices } from '#gateway/dependencies.ts';
import type { OpenExchange } from '../exchange.ts';
import type { Lifecycle } from '../lifecycle.ts';

export interface ChatRouteServices {
  readonly gateway: GatewayServices;
  readonly openExchange: OpenExchange;
  readonly lifecycle: Lifecycle;
  readonly clock: Clock;
  readonly log: Log;
}

export function chatRoute(services: ChatRouteServices): Handler {
  const { gateway, openExchange, lifecycle, clock, log } = services;
  return (context) => {
    const exchange = openExchange(context);
    const id = newId('req_');
    const call: Call = {
      id,
      generationId: generationIdOf(id),
      startedAtMs: clock.nowMs(),
      startedMonotonicMs: clock.monotonicMs(),
      inbound: exchange.inbound,
      sink: exchange.sink,
      clock,
      log,
    };
    lifecycle.begin();
    // Never rejects; the answer goes its own way to the sink.
    void serve(gateway, call).finally(() => lifecycle.end());
    return exchange.response();
  };
}
