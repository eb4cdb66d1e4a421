/**
 * Reads of the ledger that include what this process knows better than the database: what is free,
 * held, just settled.
 */
import { nanoUsd } from '#base/money.ts';
import { err, ok, type Result } from '#base/result.ts';
import type { Database } from '#store/database.ts';
import { findReceipt, readCredit, readKeyUsage } from '#store/ledger-reads.ts';

import { causeOf } from './cause.ts';
import type { CreditAccounts } from './credit-accounts.ts';
import type { Book, CreditSummary, KeyUsage, LedgerUnavailable, Receipt } from './ledger.ts';

export interface LedgerReadsOptions {
  readonly database: Database;
  readonly accounts: CreditAccounts;
  /** Posts what is settled, so that a read that follows a request sees it. */
  readonly flush: () => Promise<boolean>;
}

export class LedgerReads {
  readonly #options: LedgerReadsOptions;

  constructor(options: LedgerReadsOptions) {
    this.#options = options;
  }

  receipt(
    organizationId: string,
    requestId: string,
  ): Promise<Result<Receipt | null, LedgerUnavailable>> {
    return reading(async () => {
      const { database, flush } = this.#options;
      const posted = await findReceipt(database, organizationId, requestId);
      if (posted === null) await flush();
      const found = posted ?? (await findReceipt(database, organizationId, requestId));
      return found === null
        ? null
        : {
            ...found,
            book: found.book === 'live' ? 'live' : 'test',
            cost: nanoUsd(found.cost),
            badDebt: nanoUsd(found.badDebt),
          };
    });
  }

  credit(organizationId: string, book: Book): Promise<Result<CreditSummary, LedgerUnavailable>> {
    return reading(async () => {
      const { database, accounts, flush } = this.#options;
      await flush();
      const stored = await readCredit(database, organizationId, book);
      const local = accounts.find(organizationId, book)?.credit;
      const held = local?.held ?? 0n;
      // What is leased and neither held nor spent can be had at once.
      const unspent = stored.leased - held - (local?.unposted ?? 0n);
      const available = stored.available + (unspent > 0n ? unspent : 0n);
      return {
        totalCredits: nanoUsd(stored.granted),
        totalUsage: nanoUsd(stored.granted - available - held),
        held: nanoUsd(held),
        available: nanoUsd(available),
      };
    });
  }

  keyUsage(keyId: string): Promise<Result<KeyUsage, LedgerUnavailable>> {
    return reading(async () => {
      const { database, flush } = this.#options;
      await flush();
      const stored = await readKeyUsage(database, keyId);
      return {
        limit: stored.limit === null ? null : nanoUsd(stored.limit),
        total: nanoUsd(stored.total),
        daily: nanoUsd(stored.daily),
        weekly: nanoUsd(stored.weekly),
        monthly: nanoUsd(stored.monthly),
      };
    });
  }
}

async function reading<Value>(
  read: () => Promise<Value>,
): Promise<Result<Value, LedgerUnavailable>> {
  try {
    return ok(await read());
  } catch (error) {
    return err({ reason: 'unavailable', cause: causeOf(error) });
  }
}
