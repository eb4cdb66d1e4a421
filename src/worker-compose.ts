/** The gateway on Workers: what one isolate builds once, and its requests share. */
import { waitUntil } from 'cloudflare:workers';
import { systemClock } from '#base/clock.ts';
import { WebDeadlines } from '#base/deadlines.web.ts';
import { webDigests } from '#base/digest.ts';
import { newId } from '#base/ids.ts';
import type { Log } from '#base/log.ts';
import { createWebLog } from '#base/log.web.ts';
import { WebTransport } from '#base/transport.web.ts';
import { DEFAULT_GATEWAY_LIMITS, type GatewayServices } from '#gateway/dependencies.ts';
import { SandboxTransport } from '#gateway/sandbox/transport.ts';
import { Idempotency } from '#gateway/idempotency/idempotency.ts';
import { createTokenCounter } from '#gateway/tokens.ts';
import { TokenExchange } from '#gateway/upstream/token-exchange.ts';
import type { LedgerReads } from '#http/api/ports.ts';
import { createApp } from '#http/app.ts';
import { webExchanges } from '#http/exchange.web.ts';
import { Lifecycle } from '#http/lifecycle.ts';
import { createIdentity } from '#identity/create-identity.ts';
import type { Identity } from '#identity/identity.ts';
import { CreditAccounts } from '#ledger/credit-accounts.ts';
import { LedgerReads as PostedReads } from '#ledger/ledger-reads.ts';
import { webSchedule } from '#ledger/schedule.web.ts';
import { WorkerLedger, type RemoteLedger } from '#ledger/worker-ledger.ts';
import type { Database } from '#store/database.ts';
import { openWorkerPostgres } from '#store/postgres.worker.ts';
import packageJson from '../package.json' with { type: 'json' };
import { composeCredit, composeDirectory, composeReads } from './compose-shared.ts';
import type { WorkerBindings } from './worker-bindings.ts';
import { readWorkerConfig, type WorkerConfig } from './worker-config.ts';
import { encodingFrom, type Assets } from './worker-tokens.ts';

/** A client that left must be settled within the 30 s that its context still has. */
const DRAIN_MS_MAX = 20_000;
/** A revocation reaches every process in 5 s: what an isolate knows of keys is not older. */
const KEYS_FRESH_MS = 2_000;
const KEYS_STALE_MS = 4_000;
/** While the database is away, keys that are known serve on. */
const KEYS_WAIT_MS = 1_000;
/** The request that asked was cut off: nobody will hear the answer. */
const KEYS_LOST_MS = 15_000;
/** An isolate has 128 MB, and several requests at once. */
const BODY_BYTES_MAX = 16 * 1024 * 1024;
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

export interface Gateway {
  fetch(request: Request): Promise<Response>;
  /** What must be done every few minutes, by whichever isolate. */
  sweep(): Promise<void>;
}

/** What the object and the queue need too. */
export interface Ground {
  readonly config: WorkerConfig;
  readonly log: Log;
  readonly database: Database;
}

/** Throws ConfigRefused. */
export function composeGround(bindings: WorkerBindings): Ground {
  const config = readWorkerConfig(bindings);
  const log = createWebLog({ level: config.logLevel, clock: systemClock });
  return {
    config,
    log,
    database: openWorkerPostgres({ hyperdrive: bindings.HYPERDRIVE, waitUntil }),
  };
}

/**
 * Credit and receipts are the object's to tell: it knows what is not posted yet. A key's usage is
 * that of Postgres, which follows within seconds.
 */
function readsOf(database: Database, objectOf: (id: string) => RemoteLedger): LedgerReads {
  const posted = new PostedReads({
    database,
    accounts: new CreditAccounts(),
    flush: () => Promise.resolve(true),
  });
  return {
    keyUsage: (keyId) => posted.keyUsage(keyId),
    creditSummary: (organizationId, book) =>
      objectOf(organizationId).creditSummary(organizationId, book),
    readReceipt: (organizationId, requestId) =>
      objectOf(organizationId).readReceipt(organizationId, requestId),
  };
}

function composeServices(
  { config, database, log }: Ground,
  {
    identity,
    objectOf,
    assets,
  }: {
    identity: Identity;
    objectOf: (id: string) => RemoteLedger;
    assets: Assets;
  },
): GatewayServices {
  const tokens = createTokenCounter(encodingFrom(assets, waitUntil));
  const transport = new WebTransport();
  const deadlines = new WebDeadlines(systemClock);
  return {
    identity,
    ledger: new WorkerLedger({ objectOf, waitUntil, schedule: webSchedule, log }),
    // An isolate has no name that outlives it: its claims are a dead one's after an hour.
    idempotency: new Idempotency({
      database,
      secret: config.secret,
      ownerId: newId('owner_'),
      clock: systemClock,
      deadlines,
      log,
    }),
    directory: composeDirectory(config),
    transport,
    sandboxTransport: new SandboxTransport({ tokens, clock: systemClock }),
    tokenExchange: new TokenExchange(transport, deadlines),
    deadlines,
    tokens,
    limits: {
      ...DEFAULT_GATEWAY_LIMITS,
      bodyBytesMax: BODY_BYTES_MAX,
      answerBytesMax: ANSWER_BYTES_MAX,
      drainMsMax: DRAIN_MS_MAX,
    },
  };
}

/** Nothing runs here between requests: each looks whether the keys that are known still hold. */
class KeysWatch {
  readonly #identity: Identity;
  #caughtUpMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | null = null;
  #startedMs = 0;

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  async fresh(): Promise<void> {
    const nowMs = systemClock.monotonicMs();
    const ageMs = nowMs - this.#caughtUpMs;
    if (ageMs < KEYS_FRESH_MS) return;
    if (this.#running === null || nowMs - this.#startedMs > KEYS_LOST_MS) {
      this.#startedMs = nowMs;
      this.#running = this.#catchUp();
    }
    if (ageMs < KEYS_STALE_MS) return;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, KEYS_WAIT_MS);
    await Promise.race([this.#running, late.promise]);
    clearTimeout(timer);
  }

  async #catchUp(): Promise<void> {
    await this.#identity.catchUp();
    this.#caughtUpMs = systemClock.monotonicMs();
    this.#running = null;
  }
}

/** Throws ConfigRefused. */
export function composeGateway(bindings: WorkerBindings): Gateway {
  const ground = composeGround(bindings);
  const { config, database, log } = ground;
  const objectOf = (id: string): RemoteLedger => bindings.LEDGER.getByName(id);
  const identity = createIdentity({ database, digests: webDigests, secret: config.secret });
  const services = composeServices(ground, { identity, objectOf, assets: bindings.ASSETS });
  const lifecycle = new Lifecycle();
  lifecycle.become({ kind: 'ready' });
  const app = createApp({
    gateway: services,
    identity,
    lifecycle,
    log,
    clock: systemClock,
    reads: composeReads(readsOf(database, objectOf)),
    credit: composeCredit(database, ({ keyId, organizationId }) =>
      objectOf(organizationId).budgetChanged(keyId),
    ),
    version: packageJson.version,
    pidFor: () => null,
    openExchange: webExchanges(waitUntil),
  });
  const keys = new KeysWatch(identity);
  return {
    sweep: () => services.idempotency.sweep(),
    async fetch(request) {
      await keys.fresh();
      const answered = Promise.resolve(app.fetch(request));
      waitUntil(answered);
      return answered;
    },
  };
}
