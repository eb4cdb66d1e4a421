/**
 * Ends one attempt of a request when its caller gives up, or when the other side is silent for too
 * long; and tells afterwards which of the two it was.
 */
import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIUserAbortError,
  OmniXError,
} from './errors.ts';

export class Watch {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #timeoutMs: number;
  readonly #onAbort = (): void => this.#controller.abort();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waitingSinceMs: number | null = null;
  #timedOut = false;

  constructor(timeoutMs: number, caller?: AbortSignal) {
    this.#timeoutMs = timeoutMs;
    this.#caller = caller;
    if (caller?.aborted === true) this.#controller.abort();
    else caller?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** For fetch. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Throws where the caller has given up. */
  requireCaller(): void {
    if (this.#caller?.aborted === true) throw this.toError(undefined);
  }

  /** What others do counts as silence until it is done; what the caller does never counts. */
  async wait<Value>(work: Promise<Value>): Promise<Value> {
    this.#waitingSinceMs = performance.now();
    this.#timer ??= setTimeout(this.#check, this.#timeoutMs);
    try {
      return await work;
    } finally {
      this.#waitingSinceMs = null;
    }
  }

  /** What a failure means: its own error, or the reason for which this watch ended the work. */
  toError(thrown: unknown): OmniXError {
    if (this.#caller?.aborted === true) return new APIUserAbortError('The request was aborted.');
    if (thrown instanceof OmniXError) return thrown;
    if (this.#timedOut) {
      const message = `There was no answer for ${this.#timeoutMs} ms (timeout).`;
      return new APIConnectionTimeoutError(message);
    }
    return new APIConnectionError('The connection failed.', { cause: thrown });
  }

  /** Ends the work on both sides. */
  abort(): void {
    this.#controller.abort();
  }

  /** Lets go of the caller's signal and the timer. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#onAbort);
  }

  /** One timer for many waits: it is set again for what is left. */
  readonly #check = (): void => {
    this.#timer = undefined;
    if (this.#waitingSinceMs === null) return;
    const leftMs = this.#waitingSinceMs + this.#timeoutMs - performance.now();
    if (leftMs > 0) {
      this.#timer = setTimeout(this.#check, Math.ceil(leftMs));
      return;
    }
    this.#timedOut = true;
    this.#controller.abort();
  };
}

/** Waits; rejects with APIUserAbortError as soon as the caller gives up. */
export function sleep(ms: number, caller: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(new APIUserAbortError('The request was aborted.'));
    };
    const timer = setTimeout(() => {
      caller?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    if (caller?.aborted === true) abort();
    else caller?.addEventListener('abort', abort, { once: true });
  });
}
