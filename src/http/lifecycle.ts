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
  #lack: string | null = null;
  #running = 0;
  #idle: (() => void)[] = [];

  get state(): LifecycleState {
    return this.#state;
  }

  /** Why others should be asked rather than this process; null: nothing. */
  get hindrance(): string | null {
    const state = this.#state;
    if (state.kind === 'ready') return this.#lack;
    return state.kind === 'starting' ? state.reason : 'draining';
  }

  get running(): number {
    return this.#running;
  }

  become(state: LifecycleState): void {
    this.#state = state;
  }

  /**
   * Something is away that most requests need; null: nothing any more. Requests are taken all the
   * same, since some can be served without it.
   */
  lacks(what: string | null): void {
    this.#lack = what;
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
