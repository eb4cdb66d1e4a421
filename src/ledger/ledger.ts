/**
 * Prepaid credit as the gateway sees it: hold before a request, settle after it. The ledger knows
 * no tokens and no models; it moves nano-dollars and keeps, unread, the detail that makes a
 * receipt. The words are those of money.md: grant, lease, hold, post, void, entry.
 */
import type { NanoUsd } from '#base/money.ts';
import type { Awaitable, Result } from '#base/result.ts';

import type { RecoveryReport } from './recovery.ts';

/** Two sets of books that never meet: real money, and the credit of the sandbox. */
export type Book = 'live' | 'test';

export interface HoldRequest {
  /** `req_...`: unique, and the idempotency of everything that follows. */
  readonly requestId: string;
  readonly organizationId: string;
  readonly keyId: string;
  /** Whether the key carries a limit of its own, so that it must be asked too. */
  readonly keyLimited: boolean;
  readonly book: Book;
  /** Highest cost that the request can have. */
  readonly amount: NanoUsd;
}

/** Credit that one running request may use. Lives in memory; the lease behind it is in Postgres. */
export interface Hold extends HoldRequest {
  /** Wall clock of the admission, ms: decides the day that the cost belongs to. */
  readonly admittedAtMs: number;
}

/** Which limit refused, and what there is. `held` is in use by requests that still run. */
export type HoldRefusal =
  | {
      readonly reason: 'insufficient_credits' | 'key_limit_exceeded';
      readonly required: NanoUsd;
      readonly available: NanoUsd;
      readonly held: NanoUsd;
      readonly limit: NanoUsd | null;
    }
  /**
   * The truth cannot be reached (no database, no journal, too much unposted). Never a free ride.
   */
  | { readonly reason: 'unavailable'; readonly cause: string };

export type LedgerFailure = { readonly reason: 'journal_unwritable'; readonly cause: string };

/** What a request came to. `kind` becomes part of the id under which it is posted, once. */
export interface Outcome {
  readonly attempt: number;
  readonly cost: NanoUsd;
  /** JSON text, kept as it is: the gateway's receipt. */
  readonly detail: string;
}

export interface LedgerSnapshot {
  /** In use by running requests, now, in this process. */
  readonly held: NanoUsd;
}

/** What a request does with the ledger. */
export interface RequestLedger {
  /** On the happy path answers at once, from memory. */
  hold(request: HoldRequest): Awaitable<Result<Hold, HoldRefusal>>;
  /**
   * Journals that an attempt is about to be dispatched; a later attempt supersedes an earlier one.
   * `inputCost` is what the platform stands to lose should the process die. Resolves when the
   * record is in the kernel.
   */
  open(hold: Hold, attempt: number, inputCost: NanoUsd): Promise<Result<void, LedgerFailure>>;
  /**
   * Journals the outcome, gives back what the hold has left, and queues the posting. Resolves when
   * the record is in the kernel; the answer's last byte waits for it. Once per hold.
   */
  settle(hold: Hold, outcome: Outcome): Promise<Result<void, LedgerFailure>>;
  /** Gives a hold back of which nothing was dispatched. Leaves no trace. */
  release(hold: Hold): void;
}

/** The same, and what its process must know of it. */
export interface Ledger extends RequestLedger {
  snapshot(organizationId: string, book: Book): LedgerSnapshot;
  /**
   * Resolves when everything settled before the call is posted. Rejects never; false if it could
   * not.
   */
  flush(): Promise<boolean>;
  /** Posts what is settled, returns the leases, closes the journal. */
  close(): Promise<void>;
}

/** An organization's credit, now. The three parts add up to what was granted. */
export interface CreditSummary {
  /** All that was ever granted. */
  readonly totalCredits: NanoUsd;
  /** All that requests have cost, as far as it was charged. */
  readonly totalUsage: NanoUsd;
  /** In use by requests that still run. */
  readonly held: NanoUsd;
  readonly available: NanoUsd;
}

/**
 * What a key has cost; windows are those of the database's clock in UTC, and weeks begin on Monday.
 */
export interface KeyUsage {
  /** Null: none. */
  readonly limit: NanoUsd | null;
  readonly total: NanoUsd;
  readonly daily: NanoUsd;
  readonly weekly: NanoUsd;
  readonly monthly: NanoUsd;
}

export interface Receipt {
  readonly requestId: string;
  readonly keyId: string;
  readonly book: Book;
  /**
   * `swept`: the process died during the request and nothing was charged; `correction`: its outcome
   * came after that.
   */
  readonly kind: 'outcome' | 'swept' | 'correction';
  readonly cost: NanoUsd;
  /** The part of the cost that hold and account could not pay and the platform bore. */
  readonly badDebt: NanoUsd;
  readonly admittedAtMs: number;
  /** JSON text as the gateway gave it to `settle`; of a swept request `{"swept":true}`. */
  readonly detail: string;
}

/** A read that needs the database and did not reach it. */
export type LedgerUnavailable = { readonly reason: 'unavailable'; readonly cause: string };

/**
 * The ledger as its process and its owner see it. Reads show everything that was settled in this
 * process before.
 */
export interface PrepaidLedger extends Ledger {
  /**
   * Once, before anything else: ends what an earlier process over the same data left. Until then
   * holds are refused.
   */
  recover(): Promise<Result<RecoveryReport, LedgerUnavailable>>;
  /**
   * Call it after a key's limit was changed (`setBudgetLimit`): the new limit holds when it
   * resolves.
   */
  budgetChanged(keyId: string): Promise<void>;
  /** Null: this organization has no such request. */
  readReceipt(
    organizationId: string,
    requestId: string,
  ): Promise<Result<Receipt | null, LedgerUnavailable>>;
  creditSummary(
    organizationId: string,
    book: Book,
  ): Promise<Result<CreditSummary, LedgerUnavailable>>;
  keyUsage(keyId: string): Promise<Result<KeyUsage, LedgerUnavailable>>;
}
