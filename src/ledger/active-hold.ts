/**
 * A hold as the ledger knows it: whose allowances it came from, and how far its request has got.
 */
import type { NanoUsd } from '#base/money.ts';

import type { Allowance } from './allowance.ts';
import type { JournalBatch } from './journal.ts';
import type { Book, Hold, HoldRequest } from './ledger.ts';

export interface HoldSource {
  readonly credit: Allowance;
  /** Null: the key has no limit of its own. */
  readonly budget: Allowance | null;
}

export class ActiveHold implements Hold {
  readonly requestId: string;
  readonly organizationId: string;
  readonly keyId: string;
  readonly keyLimited: boolean;
  readonly book: Book;
  readonly amount: NanoUsd;
  readonly admittedAtMs: number;
  readonly credit: Allowance;
  readonly budget: Allowance | null;
  /** Settled or released: nothing can be done with it any more. */
  ended = false;
  /** Where the journal has its latest attempt. */
  opened: JournalBatch | null = null;
  /** The part of its cost that is set aside in the lease on the credit, until it is posted. */
  creditClaim = 0n;
  /** The same in the lease on the key's budget. */
  budgetClaim = 0n;

  /** Takes the amount; the caller has looked that it is free. */
  constructor(request: HoldRequest, source: HoldSource, admittedAtMs: number) {
    this.requestId = request.requestId;
    this.organizationId = request.organizationId;
    this.keyId = request.keyId;
    this.keyLimited = request.keyLimited;
    this.book = request.book;
    this.amount = request.amount;
    this.admittedAtMs = admittedAtMs;
    this.credit = source.credit;
    this.budget = source.budget;
    this.credit.hold(request.amount);
    this.budget?.hold(request.amount);
  }
}
