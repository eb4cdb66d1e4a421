/** What the management routes need of the other rooms; `compose.ts` fills it. */
import type { Clock } from '#base/clock.ts';
import type { NanoUsd } from '#base/money.ts';
import type { Log } from '#base/log.ts';
import type { Directory } from '#gateway/endpoint.ts';
import type { Idempotency } from '#gateway/idempotency/idempotency.ts';
import type { Caller, Identity } from '#identity/identity.ts';
import type { Book, PrepaidLedger } from '#ledger/ledger.ts';
import type { Context } from 'hono';

export interface GrantDraft {
  readonly organizationId: string;
  readonly book: Book;
  /** More than zero. */
  readonly amount: NanoUsd;
  readonly reason: string;
  /** The management key that grants it: who is to be asked. */
  readonly grantedBy: string;
}

/** What management keys change in the books. Rejects with `DatabaseUnavailable` if it cannot. */
export interface CreditDesk {
  /** Counts at once in every process. */
  grant(draft: GrantDraft): Promise<{ readonly id: string; readonly createdAtMs: number }>;
  /** A key's limit was changed: the new one is enforced once it resolves. */
  limitChanged(key: { readonly keyId: string; readonly organizationId: string }): Promise<void>;
}

/** The ledger as these routes read it. A receipt's detail is shown as it comes: a JSON object. */
export type LedgerReads = Pick<PrepaidLedger, 'creditSummary' | 'keyUsage' | 'readReceipt'>;

/** The part of identity that these routes use. */
export type KeyDirectory = Pick<
  Identity,
  'createKey' | 'getKey' | 'listKeys' | 'updateKey' | 'rotateKey' | 'deleteKey'
>;

/** What names of models and providers there are. */
export type NameDirectory = Pick<Directory, 'resolve' | 'nearest' | 'all'>;

/** What travels with one management request. */
export interface ApiEnv {
  readonly Variables: { requestId: string; caller: Caller };
}

export interface ApiServices {
  readonly identity: KeyDirectory;
  readonly ledger: LedgerReads;
  readonly credit: CreditDesk;
  readonly directory: NameDirectory;
  readonly idempotency: Pick<Idempotency, 'begin'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
  /** Who calls, from whichever header carries the key. Throws a GatewayError. */
  readonly authenticate: (context: Context<ApiEnv>) => Promise<Caller>;
}
