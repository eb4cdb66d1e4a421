/**
 * The ledger as a request on Workers sees it: every step is a call to its organization's Durable
 * Object, which has stored it when it answers. Whether this isolate lives or dies after that is of
 * no account: the object knows the request, and ends it when nothing is heard of it any more.
 */
import type { Log } from '#base/log.ts';
import { err, ok, type Result } from '#base/result.ts';

import { causeOf } from './cause.ts';
import type { DurableLedger } from './durable-ledger.ts';
import type {
  Hold,
  HoldRefusal,
  HoldRequest,
  LedgerFailure,
  Outcome,
  RequestLedger,
} from './ledger.ts';
import type { Cancel, Schedule } from './schedule.ts';

type Remote<Method> = Method extends (...given: infer Given) => infer Answer
  ? (...given: Given) => Promise<Awaited<Answer>>
  : never;

/** A Durable Object's ledger, called from elsewhere: an answer takes its time, or never comes. */
export type RemoteLedger = {
  readonly [Name in Exclude<keyof DurableLedger, 'tick'>]: Remote<DurableLedger[Name]>;
};

export interface WorkerLedgerOptions {
  /** A connection to the organization's object; a new one for every try. */
  readonly objectOf: (organizationId: string) => RemoteLedger;
  /** Lets a call go on that nobody waits for. */
  readonly waitUntil: (promise: Promise<unknown>) => void;
  readonly schedule: Schedule;
  readonly log: Log;
}

/** Well within `ORPHAN_MS` of durable-ledger.ts. */
const ALIVE_MS = 60_000;
const TRIES = 4;
const PAUSE_MS = 50;

export class WorkerLedger implements RequestLedger {
  readonly #options: WorkerLedgerOptions;
  /** Signs of life, by request. */
  readonly #signs = new Map<string, Cancel>();
  /** Gifts back that are under way: the same request may hold again, and must find them done. */
  readonly #releasing = new Map<string, Promise<void>>();

  constructor(options: WorkerLedgerOptions) {
    this.#options = options;
  }

  async hold(request: HoldRequest): Promise<Result<Hold, HoldRefusal>> {
    await this.#releasing.get(request.requestId);
    const answer = await this.#call(request, (object) => object.hold(request));
    if (!answer.ok) return err({ reason: 'unavailable', cause: answer.error });
    const held = answer.value;
    if (held.ok) this.#begin(held.value);
    return held;
  }

  /** From here to the end of the hold the object hears that the request lives. */
  #begin({ requestId, organizationId }: Hold): void {
    const { schedule, objectOf } = this.#options;
    const stop = schedule.every(ALIVE_MS, () => {
      void objectOf(organizationId)
        .alive(requestId)
        .catch(() => undefined);
    });
    this.#signs.set(requestId, stop);
  }

  #end({ requestId }: Hold): void {
    this.#signs.get(requestId)?.();
    this.#signs.delete(requestId);
  }

  async open(hold: Hold, attempt: number, inputCost: bigint): Promise<Result<void, LedgerFailure>> {
    const answer = await this.#call(hold, (object) => object.open(hold, attempt, inputCost));
    return answer.ok ? answer.value : unwritable(answer.error);
  }

  async settle(hold: Hold, outcome: Outcome): Promise<Result<void, LedgerFailure>> {
    const answer = await this.#call(hold, (object) => object.settle(hold, outcome));
    this.#end(hold);
    return answer.ok ? answer.value : unwritable(answer.error);
  }

  release(hold: Hold): void {
    const { requestId } = hold;
    const released = this.#call(hold, (object) => object.release(requestId)).then(() => {
      this.#releasing.delete(requestId);
    });
    this.#releasing.set(requestId, released);
    this.#options.waitUntil(released);
    this.#end(hold);
  }

  /** Calls until the object answers: it may just be starting again. Never rejects. */
  async #call<Value>(
    { organizationId, requestId }: HoldRequest,
    ask: (object: RemoteLedger) => Promise<Value>,
  ): Promise<Result<Value, string>> {
    const { objectOf, schedule, log } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return ok(await ask(objectOf(organizationId)));
      } catch (error) {
        const cause = causeOf(error);
        const fields = { request_id: requestId, organization_id: organizationId, cause };
        log.write(attempt < TRIES ? 'warn' : 'error', 'ledger_object_failed', fields);
        if (attempt === TRIES) return err(`the ledger's object does not answer (${cause})`);
      }
      await new Promise<void>((resolve) => {
        schedule.after(PAUSE_MS * 2 ** attempt, resolve);
      });
    }
  }
}

function unwritable(cause: string): Result<void, LedgerFailure> {
  return err({ reason: 'journal_unwritable', cause });
}
