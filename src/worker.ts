/**
 * Entry for Cloudflare Workers: the gateway's requests, the Durable Object that is an
 * organization's ledger, and the queue that carries its outcomes into Postgres.
 */
import { DurableObject, type DurableObjectState } from 'cloudflare:workers';
import { systemClock } from '#base/clock.ts';
import { newId } from '#base/ids.ts';
import { DurableLedger } from '#ledger/durable-ledger.ts';
import { type OutcomeBatch, type OutcomeNews, postBatch } from '#ledger/durable-outcomes.ts';
import type { Book, Hold, HoldRequest, Outcome } from '#ledger/ledger.ts';
import { DurableJournal } from '#store/durable-journal.ts';
import { ConfigRefused } from './config-places.ts';
import type { QueueMessage, WorkerBindings } from './worker-bindings.ts';
import { composeGateway, composeGround, type Gateway, type Ground } from './worker-compose.ts';

/** What an isolate has built, by its bindings. */
const gateways = new WeakMap<WorkerBindings, Gateway>();
const RETRY_SECONDS_MAX = 300;

function gatewayOf(bindings: WorkerBindings): Gateway {
  const known = gateways.get(bindings);
  if (known !== undefined) return known;
  const gateway = composeGateway(bindings);
  gateways.set(bindings, gateway);
  return gateway;
}

/** What cannot be served says so to the operator's log, and nothing of it to the caller. */
function refuse(error: ConfigRefused): Response {
  // oxlint-disable-next-line no-console -- there is no log without a configuration
  console.error(error.message);
  const message = 'The gateway is not configured. Its log names what is missing.';
  const body = {
    error: { message, type: 'server_error', param: null, code: 'service_unavailable' },
  };
  return Response.json(body, { status: 503, headers: { 'x-should-retry': 'false' } });
}

/** The ledger of one organization. */
export class LedgerObject extends DurableObject<WorkerBindings> {
  readonly #ledger: DurableLedger;

  constructor(ctx: DurableObjectState, env: WorkerBindings) {
    super(ctx, env);
    const { database, log } = composeGround(env);
    const journal = new DurableJournal(ctx.storage.sql);
    this.#ledger = new DurableLedger({
      ownerId: journal.ownerId(() => newId('owner_')),
      journal,
      database,
      send: async (batch) => void (await env.OUTCOMES.send(batch, { contentType: 'v8' })),
      wakeAt: (ms) => void ctx.storage.setAlarm(ms),
      clock: systemClock,
      log,
    });
  }

  hold(request: HoldRequest): ReturnType<DurableLedger['hold']> {
    return this.#ledger.hold(request);
  }

  open(hold: Hold, attempt: number, inputCost: bigint): ReturnType<DurableLedger['open']> {
    return this.#ledger.open(hold, attempt, inputCost);
  }

  settle(hold: Hold, outcome: Outcome): ReturnType<DurableLedger['settle']> {
    return this.#ledger.settle(hold, outcome);
  }

  alive(requestId: string): void {
    this.#ledger.alive(requestId);
  }

  release(requestId: string): void {
    this.#ledger.release(requestId);
  }

  learn(news: OutcomeNews): void {
    this.#ledger.learn(news);
  }

  budgetChanged(keyId: string): Promise<void> {
    return this.#ledger.budgetChanged(keyId);
  }

  readReceipt(organizationId: string, requestId: string): ReturnType<DurableLedger['readReceipt']> {
    return this.#ledger.readReceipt(organizationId, requestId);
  }

  creditSummary(organizationId: string, book: Book): ReturnType<DurableLedger['creditSummary']> {
    return this.#ledger.creditSummary(organizationId, book);
  }

  alarm(): Promise<void> {
    return this.#ledger.tick();
  }
}

/** Posts what one object sent, and tells it. Some messages at a time are one statement. */
async function post(
  { database, log }: Ground,
  bindings: WorkerBindings,
  messages: readonly QueueMessage<OutcomeBatch>[],
): Promise<void> {
  const [first] = messages;
  if (first === undefined) return;
  const { ownerId, organizationId } = first.body;
  try {
    const events = messages.flatMap(({ body }) => body.events);
    const news = await postBatch({ database, ownerId, log }, events);
    await bindings.LEDGER.getByName(organizationId).learn(news);
    for (const message of messages) message.ack();
  } catch (error) {
    const cause = error instanceof Error ? error.name : 'unknown error';
    log.write('error', 'posting_failed', { organization_id: organizationId, cause });
    const delaySeconds = Math.min(2 ** first.attempts, RETRY_SECONDS_MAX);
    for (const message of messages) message.retry({ delaySeconds });
  }
}

export default {
  async fetch(request: Request, bindings: WorkerBindings): Promise<Response> {
    try {
      return await gatewayOf(bindings).fetch(request);
    } catch (error) {
      if (error instanceof ConfigRefused) return refuse(error);
      throw error;
    }
  },

  async scheduled(_event: unknown, bindings: WorkerBindings): Promise<void> {
    await gatewayOf(bindings).sweep();
  },

  async queue(
    batch: { readonly messages: readonly QueueMessage<OutcomeBatch>[] },
    bindings: WorkerBindings,
  ): Promise<void> {
    const ground = composeGround(bindings);
    const byOwner = Map.groupBy(batch.messages, ({ body }) => body.ownerId);
    await Promise.all([...byOwner.values()].map((messages) => post(ground, bindings, messages)));
  },
};
