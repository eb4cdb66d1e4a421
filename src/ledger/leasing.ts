/**
 * Refills: what memory cannot serve waits here, first come first served, while one statement for
 * all of them asks the database. Also gives back what lies idle or is recalled. At most one such
 * statement runs for an organization.
 */
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import { nanoUsd } from '#base/money.ts';
import { err, ok, type Result } from '#base/result.ts';
import { type Database, StatementRefused } from '#store/database.ts';
import {
  type LeaseAnswer,
  type LeaseKept,
  type LeaseNeed,
  type LeaseTaken,
  returnLeases,
  takeLease,
} from '#store/ledger-leases.ts';

import { ActiveHold } from './active-hold.ts';
import type { Allowance } from './allowance.ts';
import { causeOf } from './cause.ts';
import type { CreditAccount, CreditAccounts, Waiter } from './credit-accounts.ts';
import type { DatabaseClock } from './database-clock.ts';
import type { Hold, HoldRefusal, HoldRequest } from './ledger.ts';

export interface LeasingOptions {
  readonly database: Database;
  readonly accounts: CreditAccounts;
  readonly clock: Clock;
  readonly log: Log;
  readonly ownerId: string;
  /** Learns the database's time from every answer. */
  readonly time: DatabaseClock;
}

/** A lease that nobody held from for so long goes back. */
const IDLE_MS = 2000;
/** A stock of which less than this part is left is renewed before it runs out. */
const RESTOCK_PART = 4n;

export class Leasing {
  readonly #options: LeasingOptions;

  constructor(options: LeasingOptions) {
    this.#options = options;
  }

  /** Queues a request until a statement can decide it. */
  wait(account: CreditAccount, request: HoldRequest): Promise<Result<Hold, HoldRefusal>> {
    const decided = new Promise<Result<Hold, HoldRefusal>>((resolve) => {
      account.waiters.push({ request, resolve });
    });
    void this.#attend(account);
    return decided;
  }

  /** Renews in the background a stock that is running low, so that nobody has to wait for it. */
  restock(account: CreditAccount, budget: Allowance | null): void {
    if (
      account.bothBooks.busy !== null ||
      !(isLow(account.credit) || (budget !== null && isLow(budget)))
    )
      return;
    void this.#exclusively([account], async () => {
      try {
        await this.#ask(account, budget, []);
      } catch (error) {
        account.credit.stocked = 0n;
        this.#options.log.write('warn', 'lease_not_renewed', { cause: causeOf(error) });
      }
    });
  }

  async #attend(account: CreditAccount): Promise<void> {
    if (account.attended) return;
    account.attended = true;
    // One turn after the other, so that the queue of the other book gets its turns too.
    while (account.waiters.length > 0) {
      await this.#exclusively([account], async () => {
        if (this.#serveFromMemory(account)) return;
        await this.#decide(account);
        this.#serveFromMemory(account);
      });
    }
    account.attended = false;
  }

  /** Serves in order; true if the one at the head could be served. */
  #serveFromMemory(account: CreditAccount): boolean {
    let served = false;
    for (;;) {
      const [head] = account.waiters;
      if (head === undefined) return served;
      const { request } = head;
      const source = { credit: account.credit, budget: account.budgetOf(request) };
      if (!covers(source, request.amount)) return served;
      account.waiters.shift();
      head.resolve(ok(new ActiveHold(request, source, this.#options.time.nowMs())));
      served = true;
    }
  }

  /** Asks for the one at the head and all that wait behind it. */
  async #decide(account: CreditAccount): Promise<void> {
    const asked = [...account.waiters];
    const [head] = asked;
    if (head === undefined) return;
    const budget = account.budgetOf(head.request);
    try {
      const answer = await this.#ask(account, budget, asked);
      if (!answer.granted) refuse(account, { asked, budget, answer });
    } catch (error) {
      const cause = causeOf(error);
      this.#options.log.write('error', 'lease_unavailable', { cause });
      const refusal = err<HoldRefusal>({ reason: 'unavailable', cause });
      // What the database refuses is what was asked for the one at the head: the others ask anew.
      const count = error instanceof StatementRefused ? 1 : account.waiters.length;
      for (const waiter of account.waiters.splice(0, count)) waiter.resolve(refusal);
    }
  }

  async #ask(
    account: CreditAccount,
    budget: Allowance | null,
    asked: readonly Waiter[],
  ): Promise<LeaseAnswer> {
    const { database, ownerId, time } = this.#options;
    const { organizationId, book, credit } = account;
    const taking = takeLease(database, {
      owner: ownerId,
      organizationId,
      book,
      credit: needOf(credit, asked),
      budget:
        budget === null
          ? null
          : { keyId: budget.resourceId, ...needOf(budget, asked.filter(isOf(budget))) },
    });
    const answer = await taking.catch((error: unknown) => {
      credit.unsure = true;
      if (budget !== null) budget.unsure = true;
      throw error;
    });
    time.learn(answer.databaseMs);
    gain(credit, answer.credit);
    if (budget !== null && answer.budget !== null) gain(budget, answer.budget);
    return answer;
  }

  /** Gives back what nobody has held from for a while. */
  async returnIdle(): Promise<void> {
    const now = this.#options.clock.monotonicMs();
    const accounts: CreditAccount[] = [];
    const idle: Allowance[] = [];
    for (const account of this.#options.accounts.all()) {
      if (account.bothBooks.busy !== null || account.waiters.length > 0) continue;
      const unused = account.allowances().filter((allowance) => isIdle(allowance, now));
      if (unused.length === 0) this.#options.accounts.prune(account);
      else accounts.push(account);
      idle.push(...unused);
    }
    await this.#return(accounts, () => idle);
  }

  /** Gives back everything that no request holds. */
  async returnAll(): Promise<void> {
    const accounts = [...this.#options.accounts.all()];
    await this.#return(accounts, () => accounts.flatMap((account) => account.allowances()));
  }

  /** Gives back what the database has in lease and nobody here knows of. */
  async returnUnsure(): Promise<void> {
    const accounts = [...this.#options.accounts.all()];
    await this.#return(accounts, () =>
      accounts.flatMap((account) => account.allowances()).filter(({ unsure }) => unsure),
    );
  }

  /** Gives back what is free of a key's budget, so that its new limit holds at once. */
  async recallBudget(keyId: string): Promise<void> {
    for (const account of this.#options.accounts.all()) {
      const budget = account.bothBooks.budgets.get(keyId);
      if (budget !== undefined) await this.#return([account], () => [budget]);
    }
  }

  async #return(
    accounts: readonly CreditAccount[],
    choose: () => readonly Allowance[],
  ): Promise<void> {
    if (accounts.length === 0) return;
    const { clock, log } = this.#options;
    await this.#exclusively(accounts, async () => {
      // The accounts of both books have the same budgets.
      const chosen = [...new Set(choose())].filter(({ isReturnable }) => isReturnable);
      if (chosen.length === 0) return;
      try {
        await this.#giveBack(chosen);
        // The epoch of a lease that an unanswered statement has changed is known now.
        const changed = chosen.filter(({ unsure }) => unsure);
        if (changed.length > 0) await this.#giveBack(changed);
      } catch (error) {
        log.write('warn', 'lease_not_returned', { cause: causeOf(error) });
        // Tried again when they have lain idle for as long once more, and at the end.
        for (const allowance of chosen) allowance.idleSinceMs = clock.monotonicMs();
      }
    });
  }

  async #giveBack(chosen: readonly Allowance[]): Promise<void> {
    const { database, ownerId } = this.#options;
    const kept = chosen.map(toKept);
    // From here on it is not ours, whether or not we learn what became of it. What is left over
    // finds the next statement that takes (`surplus` in ledger-leases.ts), or the next return.
    for (const allowance of chosen) allowance.giveBack();
    const seen = await returnLeases(database, ownerId, kept);
    const leases = new Map(seen.map((lease) => [lease.resourceId, lease]));
    for (const allowance of chosen) {
      const lease = leases.get(allowance.resourceId);
      allowance.epoch = lease?.epoch ?? allowance.epoch;
      allowance.unsure = lease?.changed ?? false;
    }
  }

  /**
   * Runs a task that no other task of these organizations overlaps. Never rejects: tasks deal with
   * their failures.
   */
  async #exclusively(accounts: readonly CreditAccount[], task: () => Promise<void>): Promise<void> {
    for (;;) {
      const other = accounts.find(({ bothBooks }) => bothBooks.busy !== null);
      if (other === undefined) break;
      await other.bothBooks.busy;
    }
    const done = task().finally(() => {
      for (const { bothBooks } of accounts) bothBooks.busy = null;
    });
    for (const { bothBooks } of accounts) bothBooks.busy = done;
    await done;
  }
}

/** Whether the amount is free in both. */
export function covers(
  source: { readonly credit: Allowance; readonly budget: Allowance | null },
  amount: bigint,
): boolean {
  return source.credit.free >= amount && (source.budget === null || source.budget.free >= amount);
}

function isLow(allowance: Allowance): boolean {
  return allowance.stocked > 0n && allowance.free * RESTOCK_PART < allowance.stocked;
}

function isIdle(allowance: Allowance, nowMs: number): boolean {
  if (allowance.used) {
    allowance.used = false;
    allowance.idleSinceMs = nowMs;
    return false;
  }
  return allowance.isReturnable && nowMs - allowance.idleSinceMs >= IDLE_MS;
}

function isOf(budget: Allowance): (waiter: Waiter) => boolean {
  return ({ request }) => request.keyLimited && request.keyId === budget.resourceId;
}

/** What the first one needs, and what all need together. */
function needOf(allowance: Allowance, asked: readonly Waiter[]): LeaseNeed {
  let want = 0n;
  for (const { request } of asked) want += request.amount;
  return { min: asked[0]?.request.amount ?? 0n, want, free: allowance.free, have: allowance.total };
}

function toKept(allowance: Allowance): LeaseKept {
  const { resourceId, held, unposted, epoch } = allowance;
  return { resourceId, keep: held + unposted, epoch };
}

function gain(allowance: Allowance, taken: LeaseTaken): void {
  const { gained, stock, epoch } = taken;
  allowance.free += gained;
  allowance.stocked = stock;
  if (epoch !== null) allowance.epoch = epoch;
}

/**
 * Refuses those whom the statement saw that nothing can serve; who came after it was sent is asked
 * for again.
 */
function refuse(
  account: CreditAccount,
  seen: {
    readonly asked: readonly Waiter[];
    readonly budget: Allowance | null;
    readonly answer: LeaseAnswer;
  },
): void {
  const { asked, budget, answer } = seen;
  const refused = new Set<Waiter>();
  for (const waiter of asked) {
    const refusal =
      creditRefusal(account.credit, waiter.request, answer) ??
      (budget !== null && isOf(budget)(waiter)
        ? budgetRefusal(budget, waiter.request, answer)
        : null);
    if (refusal === null) continue;
    refused.add(waiter);
    waiter.resolve(err(refusal));
  }
  const left = account.waiters.filter((waiter) => !refused.has(waiter));
  account.waiters.splice(0, account.waiters.length, ...left);
}

function creditRefusal(
  credit: Allowance,
  request: HoldRequest,
  answer: LeaseAnswer,
): HoldRefusal | null {
  const available = credit.free + answer.credit.available;
  if (request.amount <= available) return null;
  return {
    reason: 'insufficient_credits',
    required: request.amount,
    available: nanoUsd(available),
    held: nanoUsd(credit.held),
    limit: null,
  };
}

function budgetRefusal(
  budget: Allowance,
  request: HoldRequest,
  { budget: seen }: LeaseAnswer,
): HoldRefusal | null {
  if (seen === null) return null;
  if (!seen.known)
    return { reason: 'unavailable', cause: 'the budget of the key was never set up' };
  const available = budget.free + seen.available;
  if (request.amount <= available) return null;
  return {
    reason: 'key_limit_exceeded',
    required: request.amount,
    available: nanoUsd(available > 0n ? available : 0n),
    held: nanoUsd(budget.held),
    limit: seen.limit === null ? null : nanoUsd(seen.limit),
  };
}
