/**
 * Asks the database for keys, many in one statement: while one is under way, what comes meanwhile
 * is gathered for the next. However many callers a cold cache meets, the database sees a handful of
 * statements.
 */
import type { Database } from '#store/database.ts';
import { findKeysByDigest, type FoundKey } from '#store/key-store.ts';

interface Waiter {
  readonly resolve: (found: FoundKey | null) => void;
  readonly reject: (error: unknown) => void;
}

const DIGESTS_PER_STATEMENT = 500;
/** Two, so that one slow statement does not hold up everybody. */
const STATEMENTS_MAX = 2;

export class KeyLookup {
  readonly #database: Database;
  readonly #waiting = new Map<string, Waiter[]>();
  #running = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * The key that has or had a secret with this digest; null: there is none. Rejects as
   * `Database.run` does.
   */
  async find(digest: string): Promise<FoundKey | null> {
    return new Promise((resolve, reject) => {
      const waiters = this.#waiting.get(digest);
      if (waiters !== undefined) {
        waiters.push({ resolve, reject });
        return;
      }
      this.#waiting.set(digest, [{ resolve, reject }]);
      // Begun in a microtask: whatever asks in the same turn is in the first statement.
      queueMicrotask(() => this.#next());
    });
  }

  #next(): void {
    if (this.#running >= STATEMENTS_MAX || this.#waiting.size === 0) return;
    const batch = new Map([...this.#waiting].slice(0, DIGESTS_PER_STATEMENT));
    for (const digest of batch.keys()) this.#waiting.delete(digest);
    this.#running += 1;
    void this.#ask(batch).finally(() => {
      this.#running -= 1;
      this.#next();
    });
  }

  async #ask(batch: ReadonlyMap<string, readonly Waiter[]>): Promise<void> {
    try {
      const found = await findKeysByDigest(this.#database, [...batch.keys()]);
      for (const [digest, waiters] of batch) {
        for (const { resolve } of waiters) resolve(found.get(digest) ?? null);
      }
    } catch (error) {
      for (const { reject } of [...batch.values()].flat()) reject(error);
    }
  }
}
