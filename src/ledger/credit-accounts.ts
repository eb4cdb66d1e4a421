/**
 * The credit accounts that this process leases from, each with the budgets of its limited keys and
 * its queue.
 */
import type { Result } from '#base/result.ts';

import { Allowance } from './allowance.ts';
import type { Book, Hold, HoldRefusal, HoldRequest } from './ledger.ts';

/** A request that could not be served from memory. */
export interface Waiter {
  readonly request: HoldRequest;
  readonly resolve: (result: Result<Hold, HoldRefusal>) => void;
}

export class CreditAccount {
  readonly organizationId: string;
  readonly book: Book;
  readonly credit: Allowance;
  readonly budgets = new Map<string, Allowance>();
  /** In order of arrival; while there are any, nobody is served out of turn. */
  readonly waiters: Waiter[] = [];
  /** The statement about its lease that is under way: there is never more than one. */
  busy: Promise<void> | null = null;
  /** Somebody is seeing to the waiters. */
  attended = false;

  constructor(organizationId: string, book: Book) {
    this.organizationId = organizationId;
    this.book = book;
    this.credit = new Allowance(`${book}:credit:${organizationId}`);
  }

  /** The key's budget; null for a key without limit. */
  budgetOf(request: HoldRequest): Allowance | null {
    if (!request.keyLimited) return null;
    const known = this.budgets.get(request.keyId);
    if (known !== undefined) return known;
    const budget = new Allowance(request.keyId);
    this.budgets.set(request.keyId, budget);
    return budget;
  }

  allowances(): readonly Allowance[] {
    return [this.credit, ...this.budgets.values()];
  }
}

export class CreditAccounts {
  readonly #byBook: Readonly<Record<Book, Map<string, CreditAccount>>> = {
    live: new Map(),
    test: new Map(),
  };

  get(organizationId: string, book: Book): CreditAccount {
    const accounts = this.#byBook[book];
    const known = accounts.get(organizationId);
    if (known !== undefined) return known;
    const account = new CreditAccount(organizationId, book);
    accounts.set(organizationId, account);
    return account;
  }

  find(organizationId: string, book: Book): CreditAccount | undefined {
    return this.#byBook[book].get(organizationId);
  }

  *all(): Generator<CreditAccount> {
    yield* this.#byBook.live.values();
    yield* this.#byBook.test.values();
  }

  /**
   * Forgets what has nothing in it, so that memory follows the accounts in use and not all that
   * ever were.
   */
  prune(account: CreditAccount): void {
    for (const [keyId, budget] of account.budgets) {
      if (!budget.used && budget.total === 0n) account.budgets.delete(keyId);
    }
    const empty = account.credit.total === 0n && !account.credit.used && account.budgets.size === 0;
    if (empty && account.busy === null && account.waiters.length === 0) {
      this.#byBook[account.book].delete(account.organizationId);
    }
  }
}
