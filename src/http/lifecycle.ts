/**
 * Whether the process takes requests, and which ones still run: what `/ready` and the drain look
 * at.
 */

export type LifecycleState =
  | { readonly kind: 'starting'; readonly reason: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'draining' };

export class Lifecycle {
  #state: LifecycleState = { kind: 'starting', reason: 'starting' };
  #running = 0;
  #idle: (() => void)[] = [];

  get state(): LifecycleState {
    return this.#state;
  }

  get running(): number {
    return this.#running;
  }

  become(state: LifecycleState): void {
    this.#state = state;
  }

  begin(): void {
    this.#running += 1;
  }

  end(): void {
    this.#running -= 1;
    if (this.#running > 0) return;
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves when nothing runs. */
  idle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }
}
