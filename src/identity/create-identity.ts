/**
 * Identity over the database: keys are made, found and revoked there, and recognised here, from
 * memory.
 */
import { type Clock, systemClock } from '#base/clock.ts';
import type { Digests } from '#base/digest.ts';
import { newId } from '#base/ids.ts';
import { err, type Awaitable } from '#base/result.ts';
import { type Database, DatabaseUnavailable } from '#store/database.ts';
import {
  deleteKey,
  findKey,
  findKeyChanges,
  insertKey,
  listKeys,
  rotateSecret,
  type StoredKey,
  updateKey,
} from '#store/key-store.ts';

import { generateKey, KEY_LENGTH, labelOf, parseKey } from './api-key.ts';
import {
  AT_ONCE_MS,
  type Identity,
  type KeyChanges,
  type KeyDraft,
  type KeyRecord,
  type KeyWithSecret,
  type Owner,
} from './identity.ts';
import {
  type Answer,
  answerAt,
  callerOf,
  KEY_CACHE_LIMITS,
  KeyCache,
  type KeyCacheLimits,
} from './key-cache.ts';
import { KeyLookup } from './key-lookup.ts';
import { ensureOwner } from './owner.ts';

export interface IdentityOptions {
  readonly database: Database;
  readonly digests: Digests;
  /** The master secret (OMNIX_SECRET); keys are hashed under a secret derived from it. */
  readonly secret: string;
  readonly clock?: Clock;
  readonly cache?: KeyCacheLimits;
}

/** A cached key is asked for again after this time, in the background, while it goes on serving. */
const FRESH_MS = 30_000;
/** How often a lookup starts over because keys were changed in this process meanwhile. */
const LOOKUPS_MAX = 5;
/** Names what the derived secret is for; another use gets another name. */
const DERIVATION = 'omnix api keys 1';

const MISSING: Answer = err({ reason: 'missing' });
const UNKNOWN: Answer = err({ reason: 'unknown' });
const UNAVAILABLE: Answer = err({ reason: 'unavailable' });

export function createIdentity(options: IdentityOptions): Identity {
  return new DatabaseIdentity(options);
}

function recordOf(key: StoredKey): KeyRecord {
  return {
    ...callerOf(key),
    label: key.label,
    disabled: key.disabled,
    expiresAtMs: key.expiresAtMs,
    oldSecrets: key.oldSecrets,
    createdAtMs: key.createdAtMs,
    updatedAtMs: key.updatedAtMs,
  };
}

class DatabaseIdentity implements Identity {
  readonly #database: Database;
  readonly #digests: Digests;
  readonly #clock: Clock;
  readonly #cache: KeyCache;
  readonly #lookup: KeyLookup;
  /**
   * Fingerprint to the lookup that is under way: a thousand callers with one key are one question.
   */
  readonly #flights = new Map<string, Promise<Answer>>();
  readonly #hashSecret: () => Awaitable<string>;
  /** Counts changes made here: an answer that set out before one must not be kept after it. */
  #changes = 0;
  /** The database's clock at the last `catchUp`. */
  #caughtUpMs: number | null = null;

  constructor({ database, digests, secret, clock = systemClock, cache }: IdentityOptions) {
    if (secret === '') throw new Error('the master secret (OMNIX_SECRET) is empty');
    this.#database = database;
    this.#digests = digests;
    this.#clock = clock;
    this.#cache = new KeyCache(cache ?? KEY_CACHE_LIMITS);
    this.#lookup = new KeyLookup(database);
    this.#hashSecret = () => digests.hmacSha256(secret, DERIVATION);
  }

  authenticate(secret: string | null): Awaitable<Answer> {
    if (secret === null || secret === '') return MISSING;
    if (secret.length !== KEY_LENGTH) return this.#refuseForm(secret);
    const fingerprint = this.#digests.sha256(secret);
    return typeof fingerprint === 'string'
      ? this.#recognise(fingerprint, secret)
      : fingerprint.then((text) => this.#recognise(text, secret));
  }

  #refuseForm(secret: string): Answer {
    const parsed = parseKey(secret);
    return parsed.ok ? UNKNOWN : err({ reason: 'malformed', hint: parsed.error });
  }

  #recognise(fingerprint: string, secret: string): Awaitable<Answer> {
    const cached = this.#cache.get(fingerprint);
    const nowMs = this.#clock.monotonicMs();
    if (cached !== undefined) {
      if (nowMs - cached.loadedAtMs > FRESH_MS) this.#refresh(fingerprint, secret);
      return cached.endsAtMs === null ? cached.answer : answerAt(cached, this.#clock.nowMs());
    }
    if (this.#cache.isUnknown(fingerprint, nowMs)) return UNKNOWN;
    const parsed = parseKey(secret);
    if (!parsed.ok) return err({ reason: 'malformed', hint: parsed.error });
    return this.#fly(fingerprint, secret).catch(refuseUnavailable);
  }

  /**
   * In the background. Whatever goes wrong, the cached answer stands until the database answers.
   */
  #refresh(fingerprint: string, secret: string): void {
    void this.#fly(fingerprint, secret).catch(() => undefined);
  }

  #fly(fingerprint: string, secret: string): Promise<Answer> {
    const flight = this.#flights.get(fingerprint);
    if (flight !== undefined) return flight;
    const started = this.#load(fingerprint, secret).finally(() => {
      this.#flights.delete(fingerprint);
    });
    this.#flights.set(fingerprint, started);
    return started;
  }

  async #load(fingerprint: string, secret: string): Promise<Answer> {
    const digest = await this.#digestOf(secret);
    for (let attempt = 0; attempt < LOOKUPS_MAX; attempt += 1) {
      const changes = this.#changes;
      // One after the other: each starts only because the one before is outdated.
      const found = await this.#lookup.find(digest);
      if (changes !== this.#changes) continue;
      const nowMs = this.#clock.monotonicMs();
      if (found !== null) {
        return answerAt(this.#cache.put(fingerprint, found, nowMs), this.#clock.nowMs());
      }
      this.#cache.putUnknown(fingerprint, nowMs);
      return UNKNOWN;
    }
    throw new DatabaseUnavailable('Keys change faster than they can be read.');
  }

  async #digestOf(secret: string): Promise<string> {
    return this.#digests.hmacSha256(await this.#hashSecret(), secret);
  }

  async createKey(draft: KeyDraft): Promise<KeyWithSecret> {
    const { organizationId, limit, ...about } = draft;
    const secret = generateKey(draft.kind);
    const key = await insertKey(this.#database, organizationId, {
      ...about,
      id: newId('key_'),
      label: labelOf(secret),
      digest: await this.#digestOf(secret),
      limitNano: limit,
    });
    return { record: recordOf(key), secret };
  }

  async getKey(organizationId: string, keyId: string): Promise<KeyRecord | null> {
    const key = await findKey(this.#database, organizationId, keyId);
    return key === null ? null : recordOf(key);
  }

  async listKeys(
    organizationId: string,
    page: { readonly limit: number; readonly offset: number },
  ): Promise<readonly KeyRecord[]> {
    return (await listKeys(this.#database, organizationId, page)).map(recordOf);
  }

  async updateKey(
    organizationId: string,
    keyId: string,
    changes: KeyChanges,
  ): Promise<KeyRecord | null> {
    const { limit, ...others } = changes;
    const key = await updateKey(
      this.#database,
      { organizationId, id: keyId },
      { ...others, ...(limit === undefined ? {} : { limitNano: limit }) },
    );
    if (key === null) return null;
    this.#changes += 1;
    this.#cache.replace(key, this.#clock.monotonicMs());
    return recordOf(key);
  }

  async rotateKey(
    { organizationId, keyId, kind }: Pick<KeyRecord, 'organizationId' | 'keyId' | 'kind'>,
    overlapMs: number,
  ): Promise<KeyWithSecret | null> {
    const secret = generateKey(kind);
    await rotateSecret(
      this.#database,
      { organizationId, id: keyId },
      {
        digest: await this.#digestOf(secret),
        label: labelOf(secret),
        // Without an overlap it has ended by anybody's clock.
        endsAtMs: overlapMs === 0 ? AT_ONCE_MS : this.#clock.nowMs() + overlapMs,
        endsOlder: overlapMs === 0,
      },
    );
    this.#changes += 1;
    this.#cache.removeKey(keyId);
    const record = await this.getKey(organizationId, keyId);
    return record === null ? null : { record, secret };
  }

  async deleteKey(organizationId: string, keyId: string): Promise<boolean> {
    const deleted = await deleteKey(this.#database, organizationId, keyId);
    this.#changes += 1;
    if (deleted) this.#cache.removeKey(keyId);
    return deleted;
  }

  async ensureOwner({ ownerKey }: { readonly ownerKey?: string }): Promise<Owner> {
    const owner = await ensureOwner(this.#database, (secret) => this.#digestOf(secret), ownerKey);
    this.#changes += 1;
    if (ownerKey !== undefined) this.#cache.forgetUnknown(await this.#digests.sha256(ownerKey));
    return owner;
  }

  async catchUp(): Promise<boolean> {
    try {
      const { changedAtMs, askedAtMs } = await findKeyChanges(this.#database, this.#caughtUpMs);
      this.#caughtUpMs = askedAtMs;
      for (const [keyId, atMs] of changedAtMs) {
        const key = this.#cache.peek(keyId);
        if (key === undefined || key.changedAtMs >= atMs) continue;
        this.#changes += 1;
        this.#cache.removeKey(keyId);
      }
      return true;
    } catch {
      return false;
    }
  }
}

function refuseUnavailable(error: unknown): Answer {
  if (error instanceof DatabaseUnavailable) return UNAVAILABLE;
  throw error;
}
