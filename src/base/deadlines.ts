/**
 * Deadlines for many requests with one timer: each is a number that moves forward, looked at every
 * tick. A timer per request and chunk would cost more than the rest of the policy together.
 */
import type { Clock } from './clock.ts';

/** How late a deadline may fire. */
const DEADLINE_TICK_MS = 50;

export interface Deadline {
  /** Monotonic time at which it expires; move it freely, Infinity rests it. */
  dueMs: number;
  readonly expire: () => void;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #active = new Set<Deadline>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts watching. `expire` is called once, after which the deadline is forgotten. */
  add(deadline: Deadline): void {
    this.#active.add(deadline);
    this.#timer ??= setInterval(() => this.#sweep(), DEADLINE_TICK_MS);
  }

  remove(deadline: Deadline): void {
    this.#active.delete(deadline);
  }

  now(): number {
    return this.#clock.monotonicMs();
  }

  #sweep(): void {
    const now = this.now();
    for (const deadline of this.#active) {
      if (deadline.dueMs > now) continue;
      this.#active.delete(deadline);
      deadline.expire();
    }
    if (this.#active.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
