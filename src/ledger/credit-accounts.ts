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

/**
 * What the accounts of an organization share, whatever their book: a key's limit counts both
 * (decision 7), and its budget is one lease.
 */
interface BothBooks {
  /** By the id of the key. */
  readonly budgets: Map<string, Allowance>;
  /** The statement about their leases that is under way: there is never more than one. */
  busy: Promise<void> | null;
}

export class CreditAccount {
  readonly organizationId: string;
  readonly book: Book;
  readonly credit: Allowance;
  readonly bothBooks: BothBooks;
  /** In order of arrival; while there are any, nobody is served out of turn. */
  readonly waiters: Waiter[] = [];
  /** Somebody is seeing to the waiters. */
  attended = false;

  constructor(organizationId: string, book: Book, bothBooks: BothBooks) {
    this.organizationId = organizationId;
    this.book = book;
    this.credit = new Allowance(`${book}:credit:${organizationId}`);
    this.bothBooks = bothBooks;
  }

  /** The key's budget; null for a key without limit. */
  budgetOf(request: HoldRequest): Allowance | null {
    return request.keyLimited ? this.#budget(request.keyId) : null;
  }

  #budget(keyId: string): Allowance {
    const { budgets } = this.bothBooks;
    const known = budgets.get(keyId);
    if (known !== undefined) return known;
    const budget = new Allowance(keyId);
    budgets.set(keyId, budget);
    return budget;
  }

  /** What is leased under this id: the account's credit, or the budget of a key. */
  allowanceOf(resourceId: string): Allowance {
    return resourceId === this.credit.resourceId ? this.credit : this.#budget(resourceId);
  }

  allowances(): readonly Allowance[] {
    return [this.credit, ...this.bothBooks.budgets.values()];
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
    const other = this.find(organizationId, book === 'live' ? 'test' : 'live');
    const bothBooks = other?.bothBooks ?? { budgets: new Map(), busy: null };
    const account = new CreditAccount(organizationId, book, bothBooks);
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
    const { budgets, busy } = account.bothBooks;
    for (const [keyId, budget] of budgets) if (isEmpty(budget)) budgets.delete(keyId);
    const empty = isEmpty(account.credit) && budgets.size === 0;
    if (empty && busy === null && account.waiters.length === 0) {
      this.#byBook[account.book].delete(account.organizationId);
    }
  }
}

function isEmpty({ used, total, isReturnable }: Allowance): boolean {
  return !used && total === 0n && !isReturnable;
}
