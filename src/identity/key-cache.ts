/**
 * The keys that this process has seen, in memory: each by the full SHA-256 of a secret of it (never
 * a part of it: two callers must not meet), least recently used out first. Also remembers, for a
 * short while, what was asked for in vain.
 */
import type { FoundKey, StoredKey } from '#store/key-store.ts';
import { err, ok, type Result } from '#base/result.ts';
import { nanoUsd } from '#base/money.ts';

import type { AuthenticationRefusal, Caller } from './identity.ts';

export type Answer = Result<Caller, AuthenticationRefusal>;

export interface CachedKey extends FoundKey {
  /** Made once, so that a hit allocates nothing. */
  readonly answer: Answer;
  /** The first end of the key and the secret, by the clock; null: none, as for most. */
  readonly endsAtMs: number | null;
  /** Monotonic. */
  readonly loadedAtMs: number;
}

export interface KeyCacheLimits {
  readonly keysMax: number;
  readonly unknownMax: number;
  readonly unknownMs: number;
}

export const KEY_CACHE_LIMITS: KeyCacheLimits = {
  keysMax: 50_000,
  unknownMax: 10_000,
  unknownMs: 5000,
};

export function callerOf(key: StoredKey): Caller {
  return {
    keyId: key.id,
    kind: key.kind,
    name: key.name,
    organizationId: key.organizationId,
    limit: key.limitNano === null ? null : nanoUsd(key.limitNano),
    models: key.models,
    providers: key.providers,
    metadata: key.metadata,
    tags: key.tags,
  };
}

function answerFor(key: StoredKey): Answer {
  return key.disabled ? err({ reason: 'disabled' }) : ok(callerOf(key));
}

function firstEnd({ key, secretEndsAtMs }: FoundKey): number | null {
  const { expiresAtMs } = key;
  if (secretEndsAtMs === null || expiresAtMs === null) return secretEndsAtMs ?? expiresAtMs;
  return Math.min(secretEndsAtMs, expiresAtMs);
}

/** What to answer at this time, which no cache may put off. */
export function answerAt(cached: CachedKey, nowMs: number): Answer {
  const { endsAtMs, secretEndsAtMs, answer } = cached;
  if (endsAtMs === null || nowMs < endsAtMs) return answer;
  return secretEndsAtMs !== null && nowMs >= secretEndsAtMs
    ? err({ reason: 'rotated', atMs: secretEndsAtMs })
    : err({ reason: 'expired', atMs: endsAtMs });
}

/** Takes out what was put in first. */
function trim(map: Map<string, unknown>, sizeMax: number): void {
  while (map.size > sizeMax) {
    const oldest = map.keys().next();
    if (oldest.done === true) return;
    map.delete(oldest.value);
  }
}

export class KeyCache {
  readonly #limits: KeyCacheLimits;
  readonly #keys = new Map<string, CachedKey>();
  /** What stands at the end of `#keys`, if that is known. */
  #newest: string | null = null;
  /** Those of one key, all of them read in the same state of it. */
  readonly #fingerprints = new Map<string, readonly string[]>();
  /** Fingerprint to the monotonic time at which it may be asked for again. */
  readonly #unknown = new Map<string, number>();

  constructor(limits: KeyCacheLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#keys.size;
  }

  get(fingerprint: string): CachedKey | undefined {
    const cached = this.#keys.get(fingerprint);
    // To put the newest at the end again would only wear the map out.
    if (cached === undefined || fingerprint === this.#newest) return cached;
    this.#keys.delete(fingerprint);
    this.#keys.set(fingerprint, cached);
    this.#newest = fingerprint;
    return cached;
  }

  put(fingerprint: string, found: FoundKey, nowMs: number): CachedKey {
    const { key } = found;
    // What was read before the key changed must not outlive what is read after it.
    if (this.peek(key.id)?.changedAtMs !== key.changedAtMs) this.removeKey(key.id);
    const others = this.#fingerprints.get(key.id) ?? [];
    if (!others.includes(fingerprint)) this.#fingerprints.set(key.id, [...others, fingerprint]);
    this.#unknown.delete(fingerprint);
    const cached = this.#keep(fingerprint, found, nowMs);
    if (this.#keys.size > this.#limits.keysMax) this.#evictOldest();
    return cached;
  }

  #keep(fingerprint: string, found: FoundKey, nowMs: number): CachedKey {
    const { key, secretEndsAtMs } = found;
    const answer = answerFor(key);
    const cached = {
      key,
      secretEndsAtMs,
      answer,
      endsAtMs: firstEnd(found),
      loadedAtMs: nowMs,
    };
    this.#keys.set(fingerprint, cached);
    // One that was there keeps its place.
    this.#newest = null;
    return cached;
  }

  #evictOldest(): void {
    const oldest = this.#keys.entries().next();
    if (oldest.done === true) return;
    const [fingerprint, { key }] = oldest.value;
    this.#keys.delete(fingerprint);
    const others = this.#fingerprints.get(key.id)?.filter((other) => other !== fingerprint) ?? [];
    if (others.length > 0) this.#fingerprints.set(key.id, others);
    else this.#fingerprints.delete(key.id);
  }

  /** Puts the key's new state in place of the old one, if the key is here. */
  replace(key: StoredKey, nowMs: number): void {
    for (const fingerprint of this.#fingerprints.get(key.id) ?? []) {
      const secretEndsAtMs = this.#keys.get(fingerprint)?.secretEndsAtMs ?? null;
      this.#keep(fingerprint, { key, secretEndsAtMs }, nowMs);
    }
  }

  /** The key of this id, without counting as a use. */
  peek(keyId: string): StoredKey | undefined {
    const [fingerprint] = this.#fingerprints.get(keyId) ?? [];
    return fingerprint === undefined ? undefined : this.#keys.get(fingerprint)?.key;
  }

  removeKey(keyId: string): void {
    for (const fingerprint of this.#fingerprints.get(keyId) ?? []) this.#keys.delete(fingerprint);
    this.#fingerprints.delete(keyId);
  }

  isUnknown(fingerprint: string, nowMs: number): boolean {
    const untilMs = this.#unknown.get(fingerprint);
    if (untilMs === undefined) return false;
    if (nowMs < untilMs) return true;
    this.#unknown.delete(fingerprint);
    return false;
  }

  putUnknown(fingerprint: string, nowMs: number): void {
    const cached = this.#keys.get(fingerprint);
    if (cached !== undefined) this.removeKey(cached.key.id);
    this.#unknown.delete(fingerprint);
    this.#unknown.set(fingerprint, nowMs + this.#limits.unknownMs);
    trim(this.#unknown, this.#limits.unknownMax);
  }

  forgetUnknown(fingerprint: string): void {
    this.#unknown.delete(fingerprint);
  }
}
