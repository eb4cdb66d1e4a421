/**
 * `Idempotency-Key`: the same key and request run once, and every repetition gets the first answer
 * (money.md, rule 13; promise 5). The claim is durable before anything runs; what ran and has no
 * kept answer is never run again under its key.
 */
import type { Clock } from '#base/clock.ts';
import type { Deadline, Deadlines } from '#base/deadlines.ts';
import { describeError } from '#base/describe-error.ts';
import type { Log } from '#base/log.ts';
import type { Sink } from '#base/sink.ts';
import { DatabaseUnavailable, type Database } from '#store/database.ts';
import {
  claimRecord,
  deleteClaim,
  deleteExpired,
  endRecord,
  interruptClaims,
  readRecord,
  type RecordClaim,
  type RecordEnd,
  type StoredRecord,
} from '#store/idempotency-store.ts';
import { GatewayError } from '#wire/errors.ts';
import { decodeAnswer, encodeAnswer, type KeptAnswer } from './kept-answer.ts';
import { claimUnavailable, outcomeUnknown, requireKeyForm } from './refusals.ts';
import { createVault, type Fingerprinted, type Vault } from './vault.ts';

const HOUR_MS = 3_600_000;
/** From the claim on. */
const EXPIRES_AFTER_MS = 24 * HOUR_MS;
/** What another process claimed may run so long; after that it is taken for dead. */
const FOREIGN_RUN_MS_MAX = HOUR_MS;
/** A twin waits so long for the first; its client asks again then. */
const WAIT_MS_MAX = 60_000;
const SWEEP_RECORDS = 500;
const SWEEP_BATCHES_MAX = 20;
/** Claims that could not be given back are remembered: so many keys, and so many of each. */
const GIVEN_BACK_KEYS_MAX = 10_000;
const GIVEN_BACK_EACH_MAX = 16;

export interface IdempotencyOptions {
  readonly database: Database;
  /** The installation's. */
  readonly secret: string;
  /** The process's name, which no other has at the same time. */
  readonly ownerId: string;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly deadlines: Deadlines;
  readonly log: Log;
}

/** A request that carries the header. */
export interface AskedOnce extends Fingerprinted {
  readonly requestId: string;
  /** The caller's API key: the same header of another one is another record. */
  readonly keyId: string;
  /** The header's value. */
  readonly clientKey: string;
  /** Whether such requests have receipts. */
  readonly receipted: boolean;
  /** The client, where it can be seen to leave: nobody waits for it then. */
  readonly client: Pick<Sink, 'closed' | 'onGone'> | null;
}

/**
 * The right to run, once. One of its ways out is to be taken, in the end; none rejects: what was
 * answered stays answered, and an end that could not be stored leaves an outcome unknown.
 */
export interface Claim {
  keep(answer: KeptAnswer): Promise<void>;
  /** It ran, and there is no answer to keep. */
  lose(state: 'interrupted' | 'left' | 'too_large'): Promise<void>;
  /** It came to nothing, and cost nothing: whoever comes next runs. */
  release(): Promise<void>;
}

export type Turn =
  | { readonly kind: 'first'; readonly claim: Claim }
  | { readonly kind: 'replay'; readonly answer: KeptAnswer }
  /** The client left while it waited. */
  | { readonly kind: 'gone' };

interface Running {
  readonly fingerprint: string;
  /** It was answered, and only its end is still to be stored. */
  isEnding: boolean;
  /** Null: without an answer that could be replayed. */
  readonly ended: Promise<KeptAnswer | null>;
  readonly end: (answer: KeptAnswer | null) => void;
}

/** A request on its way to its turn. */
interface Asking {
  readonly asked: AskedOnce;
  readonly id: string;
  readonly fingerprint: string;
}

export class Idempotency {
  readonly #options: IdempotencyOptions;
  readonly #vault: Vault;
  /** By record: what runs here, or just asks the database whether it may. */
  readonly #running = new Map<string, Running>();
  /** By record: requests whose claims may stand in the database and count for nothing. */
  readonly #givenBack = new Map<string, readonly string[]>();

  constructor(options: IdempotencyOptions) {
    this.#options = options;
    this.#vault = createVault(options.secret);
  }

  /** At the start, before any request: what this owner had open died with its process. */
  recover(): Promise<number> {
    const { database, ownerId } = this.#options;
    return interruptClaims(database, ownerId);
  }

  /**
   * Waits for an equal request that runs here. Throws a GatewayError (400, 409, 503) where there is
   * neither a turn nor an answer.
   */
  async begin(asked: AskedOnce): Promise<Turn> {
    requireKeyForm(asked.clientKey);
    const id = await this.#vault.recordId(asked.keyId, asked.clientKey);
    const fingerprint = await this.#vault.fingerprint(asked);
    const asking: Asking = { asked, id, fingerprint };
    const dueMs = this.#options.deadlines.now() + WAIT_MS_MAX;
    for (;;) {
      const first = this.#running.get(id);
      const turn = await (first === undefined
        ? this.#claim(asking)
        : this.#await(first, asking, dueMs));
      if (turn !== null) return turn;
    }
  }

  /** Removes what has expired, and claims that could not be given back. Never rejects. */
  async sweep(): Promise<void> {
    const { database, clock, log } = this.#options;
    try {
      for (const [id, requestIds] of this.#givenBack) {
        for (const requestId of requestIds) await deleteClaim(database, { id, requestId });
        if (this.#givenBack.get(id) === requestIds) this.#givenBack.delete(id);
      }
      for (let batch = 0; batch < SWEEP_BATCHES_MAX; batch += 1) {
        const deleted = await deleteExpired(database, clock.nowMs(), SWEEP_RECORDS);
        if (deleted < SWEEP_RECORDS) return;
      }
    } catch (error) {
      log.write('warn', 'idempotency_sweep_failed', { cause: describeError(error) });
    }
  }

  /** Null: the first has ended without an answer for this one, and it is to be asked anew. */
  async #await(first: Running, asking: Asking, dueMs: number): Promise<Turn | null> {
    const isTwin = first.fingerprint === asking.fingerprint;
    // Who was refused may put it right at once, under the same key: the claim is about to go.
    if (!isTwin && !first.isEnding) throw new GatewayError('idempotency_key_reused');
    const { client } = asking.asked;
    if (client?.closed === true) return { kind: 'gone' };
    const { deadlines } = this.#options;
    const { promise, resolve } = Promise.withResolvers<KeptAnswer | 'late' | 'gone' | null>();
    const deadline: Deadline = { dueMs, expire: () => resolve('late') };
    deadlines.add(deadline);
    client?.onGone(() => resolve('gone'));
    void first.ended.then(resolve);
    const end = await promise;
    deadlines.remove(deadline);
    if (end === 'late') throw new GatewayError('idempotency_in_progress');
    if (end === 'gone') return { kind: 'gone' };
    return end === null || !isTwin ? null : { kind: 'replay', answer: end };
  }

  /** Null: the record was there and is gone again, and it is to be asked anew. */
  async #claim(asking: Asking): Promise<Turn | null> {
    const { id, fingerprint } = asking;
    const { promise: ended, resolve } = Promise.withResolvers<KeptAnswer | null>();
    // Before the database is asked: twins from now on wait for this one.
    this.#running.set(id, {
      fingerprint,
      isEnding: false,
      ended,
      end: (answer) => {
        this.#running.delete(id);
        resolve(answer);
      },
    });
    try {
      const turn = await this.#askDatabase(asking);
      if (turn?.kind !== 'first') this.#end(id, turn?.kind === 'replay' ? turn.answer : null);
      return turn;
    } catch (error) {
      this.#end(id, null);
      throw error instanceof DatabaseUnavailable ? claimUnavailable(error) : error;
    }
  }

  async #askDatabase({ asked, id, fingerprint }: Asking): Promise<Turn | null> {
    const { database, clock, ownerId } = this.#options;
    const { requestId } = asked;
    const givenBack = this.#givenBack.get(id) ?? [];
    const nowMs = clock.nowMs();
    const claimed = await claimRecord(database, {
      id,
      requestId,
      owner: ownerId,
      fingerprint,
      nowMs,
      expiresAtMs: nowMs + EXPIRES_AFTER_MS,
      givenBack,
    }).catch((error: unknown) => {
      // It may stand all the same, and never runs.
      this.#giveBack(asked, id);
      throw error;
    });
    if (claimed) {
      this.#givenBack.delete(id);
      return { kind: 'first', claim: this.#claimOf({ id, requestId }) };
    }
    const record = await readRecord(database, id);
    return record === null ? null : this.#turnAt(record, asked, fingerprint);
  }

  async #turnAt(record: StoredRecord, asked: AskedOnce, fingerprint: string): Promise<Turn> {
    const { clock, ownerId } = this.#options;
    const { state, answer, owner, claimedAtMs } = record;
    if (record.fingerprint !== fingerprint) throw new GatewayError('idempotency_key_reused');
    if (state === 'kept') return { kind: 'replay', answer: await this.#unseal(record, answer) };
    // What this process runs is not asked of the database: an open claim of its own is a dead one.
    const isForeign = owner !== ownerId && clock.nowMs() - claimedAtMs < FOREIGN_RUN_MS_MAX;
    if (state === 'claimed' && isForeign) throw new GatewayError('idempotency_in_progress');
    throw outcomeUnknown({ requestId: record.requestId, state }, asked.receipted);
  }

  async #unseal(claim: RecordClaim, answer: Uint8Array | null): Promise<KeptAnswer> {
    const plain = answer === null ? null : await this.#vault.open(claim, answer);
    if (plain !== null) return decodeAnswer(plain);
    throw new GatewayError('internal_error', {
      cause: new Error('a kept answer cannot be decrypted'),
    });
  }

  #claimOf(claim: RecordClaim): Claim {
    const { database } = this.#options;
    return {
      keep: async (answer) => {
        await this.#attempt(claim, async () => {
          const sealed = await this.#vault.seal(claim, encodeAnswer(answer));
          await this.#store(claim, { state: 'kept', answer: sealed });
        });
        this.#end(claim.id, answer);
      },
      lose: async (state) => {
        await this.#attempt(claim, () => this.#store(claim, { state, answer: null }));
        this.#end(claim.id, null);
      },
      release: async () => {
        const released = await this.#attempt(claim, () => deleteClaim(database, claim));
        if (!released) this.#giveBack(claim, claim.id);
        this.#end(claim.id, null);
      },
    };
  }

  async #store(claim: RecordClaim, end: RecordEnd): Promise<void> {
    if (await endRecord(this.#options.database, claim, end)) return;
    throw new Error('the claim does not stand any more');
  }

  async #attempt({ id, requestId }: RecordClaim, step: () => Promise<void>): Promise<boolean> {
    const running = this.#running.get(id);
    if (running !== undefined) running.isEnding = true;
    try {
      await step();
      return true;
    } catch (error) {
      const cause = describeError(error);
      this.#options.log.write('error', 'idempotency_not_kept', { request_id: requestId, cause });
      return false;
    }
  }

  #giveBack({ requestId }: { readonly requestId: string }, id: string): void {
    const known = this.#givenBack.get(id) ?? [];
    this.#givenBack.set(id, [...known, requestId].slice(-GIVEN_BACK_EACH_MAX));
    const [oldest] = this.#givenBack.keys();
    if (this.#givenBack.size > GIVEN_BACK_KEYS_MAX && oldest !== undefined) {
      this.#givenBack.delete(oldest);
    }
  }

  #end(id: string, answer: KeptAnswer | null): void {
    this.#running.get(id)?.end(answer);
  }
}
