/** What the gateway needs; `compose.ts` fills it once. */
import type { Deadlines } from '#base/deadlines.ts';
import type { Transport } from '#base/transport.ts';
import type { Identity } from '#identity/identity.ts';
import type { RequestLedger } from '#ledger/ledger.ts';
import type { Directory } from './endpoint.ts';
import type { Idempotency } from './idempotency/idempotency.ts';
import type { TokenCounter } from './tokens.ts';
import type { TokenExchange } from './upstream/token-exchange.ts';

export interface GatewayLimits {
  readonly bodyBytesMax: number;
  /** Of an upstream's whole answer. */
  readonly answerBytesMax: number;
  /** Of one event of a stream. */
  readonly eventBytesMax: number;
  /**
   * After the client left, an upstream that bills on is read so long to learn its usage (money.md,
   * rule 6).
   */
  readonly drainMsMax: number;
}

export const DEFAULT_GATEWAY_LIMITS: GatewayLimits = {
  bodyBytesMax: 32 * 1024 * 1024,
  answerBytesMax: 64 * 1024 * 1024,
  eventBytesMax: 8 * 1024 * 1024,
  drainMsMax: 30_000,
};

export interface GatewayServices {
  readonly identity: Identity;
  readonly ledger: RequestLedger;
  readonly idempotency: Idempotency;
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
