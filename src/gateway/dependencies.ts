/** What the gateway needs; `compose.ts` fills it once. */
import type { Deadlines } from '#base/deadlines.ts';
import type { Transport } from '#base/transport.ts';
import type { Identity } from '#identity/identity.ts';
import type { Ledger } from '#ledger/ledger.ts';
import type { Directory } from './endpoint.ts';
import type { TokenCounter } from './tokens.ts';
import type { TokenExchange } from './upstream/token-exchange.ts';

export interface GatewayLimits {
  readonly bodyBytesMax: number;
  /** Of an upstream's whole answer. */
  readonly answerBytesMax: number;
  /** Of one event of a stream. */
  readonly eventBytesMax: number;
}

export const DEFAULT_GATEWAY_LIMITS: GatewayLimits = {
  bodyBytesMax: 32 * 1024 * 1024,
  answerBytesMax: 64 * 1024 * 1024,
  eventBytesMax: 8 * 1024 * 1024,
};

export interface GatewayServices {
  readonly identity: Identity;
  readonly ledger: Ledger;
  readonly directory: Directory;
  readonly transport: Transport;
  /** For endpoints of the sandbox: answers in process. */
  readonly sandboxTransport: Transport;
  /** For hosts that want a token in place of the secret. */
  readonly tokenExchange: TokenExchange;
  readonly deadlines: Deadlines;
  readonly tokens: TokenCounter;
  readonly limits: GatewayLimits;
}
