/**
 * The keys that this process has seen, in memory: each by the full SHA-256 of its secret (never a
 * part of it: two callers must not meet), least recently used out first. Also remembers, for a
 * short while, what was asked for in vain.
 */
import type { StoredKey } from '#store/key-store.ts';
import { err, ok, type Result } from '#base/result.ts';
import { nanoUsd } from '#base/money.ts';

import type { AuthenticationRefusal, Caller } from './identity.ts';

export type Answer = Result<Caller, AuthenticationRefusal>;

export interface CachedKey {
  readonly key: StoredKey;
  /** Made once, so that a hit allocates nothing. */
  readonly answer: Answer;
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
  };
}

function answerFor(key: StoredKey): Answer {
  return key.disabled ? err({ reason: 'disabled' }) : ok(callerOf(key));
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
  readonly #fingerprints = new Map<string, string>();
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

  put(fingerprint: string, key: StoredKey, nowMs: number): Answer {
    const answer = answerFor(key);
    this.#unknown.delete(fingerprint);
    this.#keys.set(fingerprint, { key, answer, loadedAtMs: nowMs });
    // One that was there keeps its place.
    this.#newest = null;
    this.#fingerprints.set(key.id, fingerprint);
    if (this.#keys.size > this.#limits.keysMax) this.#evictOldest();
    return answer;
  }

  #evictOldest(): void {
    const oldest = this.#keys.entries().next();
    if (oldest.done === true) return;
    const [fingerprint, { key }] = oldest.value;
    this.#keys.delete(fingerprint);
    this.#fingerprints.delete(key.id);
  }

  /** Puts the key's new state in place of the old one, if the key is here. */
  replace(key: StoredKey, nowMs: number): void {
    const fingerprint = this.#fingerprints.get(key.id);
    if (fingerprint !== undefined) this.put(fingerprint, key, nowMs);
  }

  /** The key of this id, without counting as a use. */
  peek(keyId: string): StoredKey | undefined {
    const fingerprint = this.#fingerprints.get(keyId);
    return fingerprint === undefined ? undefined : this.#keys.get(fingerprint)?.key;
  }

  removeKey(keyId: string): void {
    const fingerprint = this.#fingerprints.get(keyId);
    if (fingerprint === undefined) return;
    this.#fingerprints.delete(keyId);
    this.#keys.delete(fingerprint);
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
