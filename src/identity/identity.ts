/** Who calls: keys and what they may do. */
import type { NanoUsd } from '#base/money.ts';
import type { Awaitable, Result } from '#base/result.ts';

export type KeyKind = 'live' | 'test' | 'management';

/** What the gateway must know about a caller, all of it in memory. */
export interface Caller {
  /** `key_...`: the public handle of the key ("hash" in the API), not derived from it. */
  readonly keyId: string;
  readonly kind: KeyKind;
  readonly name: string;
  readonly organizationId: string;
  /** Null: no limit of its own. */
  readonly limit: NanoUsd | null;
  /** Names of the only models that it may use, as whoever made the key wrote them; null: all. */
  readonly models: readonly string[] | null;
  /** Configured names of the only providers that it may use; null: all. */
  readonly providers: readonly string[] | null;
  /** Its owner's notes, for receipts; null: none. */
  readonly metadata: KeyMetadata | null;
  readonly tags: readonly string[] | null;
}

export type KeyMetadata = Readonly<Record<string, string>>;

/** The end of a secret that its rotation ended: before any clock of any process. */
export const AT_ONCE_MS = 0;

export type AuthenticationRefusal =
  | { readonly reason: 'missing' }
  /** Not of our form, or the checksum is wrong: nobody was asked. */
  | { readonly reason: 'malformed'; readonly hint: string }
  | { readonly reason: 'unknown' }
  | { readonly reason: 'disabled' }
  | { readonly reason: 'expired'; readonly atMs: number }
  /**
   * The secret was replaced by another one of the same key, and its time is over. `atMs` is
   * AT_ONCE_MS where the rotation itself ended it.
   */
  | { readonly reason: 'rotated'; readonly atMs: number }
  /** The database cannot be asked and the key is not in memory: a 503, never a 401. */
  | { readonly reason: 'unavailable' };

export interface KeyRecord extends Caller {
  /** `sk-omx-live-Ab12...wxyz`: enough to recognise, too little to use. */
  readonly label: string;
  readonly disabled: boolean;
  /** Null: never. */
  readonly expiresAtMs: number | null;
  /** Replaced by rotations and still working, the first to end first. */
  readonly oldSecrets: readonly OldSecret[];
  readonly createdAtMs: number;
  readonly updatedAtMs: number | null;
}

/** Null or left out: none, which for the lists of models and providers is all. */
interface KeyPowers {
  readonly expiresAtMs?: number | null;
  readonly models?: readonly string[] | null;
  readonly providers?: readonly string[] | null;
  readonly metadata?: KeyMetadata | null;
  readonly tags?: readonly string[] | null;
}

export interface KeyDraft extends KeyPowers {
  readonly kind: KeyKind;
  readonly name: string;
  readonly organizationId: string;
  /** Not negative. */
  readonly limit: NanoUsd | null;
}

/** What is left out stays as it was. */
export interface KeyChanges extends KeyPowers {
  readonly name?: string;
  readonly limit?: NanoUsd | null;
  readonly disabled?: boolean;
}

export interface OldSecret {
  readonly label: string;
  readonly endsAtMs: number;
}

/** The secret is in no other place: show it once. */
export interface KeyWithSecret {
  readonly record: KeyRecord;
  readonly secret: string;
}

/** What `ensureOwner` found or made. */
export interface Owner {
  readonly organizationId: string;
  /** The only time that these are known: print them. Null: they were made at an earlier start. */
  readonly created: { readonly managementKey: string; readonly testKey: string } | null;
  /** The owner key that was passed had been deleted or rotated away: it opens nothing. */
  readonly ownerKeyRevoked: boolean;
}

export interface Identity {
  /** Answers at once for a key that is in memory. */
  authenticate(secret: string | null): Awaitable<Result<Caller, AuthenticationRefusal>>;
  /** Rejects for an organization that does not exist. */
  createKey(draft: KeyDraft): Promise<KeyWithSecret>;
  getKey(organizationId: string, keyId: string): Promise<KeyRecord | null>;
  /** Newest first. */
  listKeys(
    organizationId: string,
    page: { readonly limit: number; readonly offset: number },
  ): Promise<readonly KeyRecord[]>;
  /** Takes effect at once in this process. Null: no such key here. */
  updateKey(organizationId: string, keyId: string, changes: KeyChanges): Promise<KeyRecord | null>;
  /**
   * Gives the key a new secret. The present one works for `overlapMs` more; older ones that still
   * work keep the end that they were given, but with no overlap all of them stop at once. Null: no
   * such key here.
   */
  rotateKey(
    key: Pick<KeyRecord, 'organizationId' | 'keyId' | 'kind'>,
    overlapMs: number,
  ): Promise<KeyWithSecret | null>;
  /** Revokes for good; usage and receipts stay. False: no such key here. */
  deleteKey(organizationId: string, keyId: string): Promise<boolean>;
  /**
   * At every start, after the migrations: makes the organization "default" with a management key
   * and a test-mode key, once, also when several processes start together. A well-formed `ownerKey`
   * (OMNIX_OWNER_KEY) is the management key then, and is added at a later start if it is new.
   * Rejects for one that is malformed or of another kind.
   */
  ensureOwner(options: { readonly ownerKey?: string }): Promise<Owner>;
  /**
   * Learns what other processes changed and forgets it here; call it every 2 s, so that a
   * revocation reaches every process within 5 s. False: the database could not be asked, and the
   * next call makes up for it. Never rejects.
   */
  catchUp(): Promise<boolean>;
}
