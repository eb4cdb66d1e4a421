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
  /** For `Deadlines` alone: where it stands; -1 or absent when it is not watched. */
  slot?: number;
  readonly expire: () => void;
}

/**
 * The watched ones stand in a dense array. Not in a Set: that throws its table away every few
 * requests, dead tables refer to their successors, and the first that lives long enough to grow old
 * takes all that follow, with every request in them, past the young generation's collector. A third
 * of the process was spent on that.
 */
export class Deadlines<Watched extends Deadline = Deadline> {
  readonly #clock: Clock;
  readonly #active: Watched[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** All that are watched now, in no order. */
  get watched(): readonly Watched[] {
    return this.#active;
  }

  /** Starts watching. `expire` is called once, after which the deadline is forgotten. */
  add(deadline: Watched): void {
    if ((deadline.slot ?? -1) >= 0) return;
    deadline.slot = this.#active.length;
    this.#active.push(deadline);
    this.#timer ??= setInterval(() => this.#sweep(), DEADLINE_TICK_MS);
  }

  remove(deadline: Watched): void {
    const slot = deadline.slot ?? -1;
    if (slot < 0) return;
    deadline.slot = -1;
    const last = this.#active.pop();
    if (last === undefined || last === deadline) return;
    this.#active[slot] = last;
    last.slot = slot;
  }

  now(): number {
    return this.#clock.monotonicMs();
  }

  /** What is watched now expires now: nobody waits any longer. */
  expireAll(): void {
    this.#sweep(Number.POSITIVE_INFINITY);
  }

  #sweep(now: number = this.now()): void {
    // From the end, since whoever is removed is replaced by the last one.
    for (let slot = this.#active.length - 1; slot >= 0; slot -= 1) {
      const deadline = this.#active[slot];
      if (deadline === undefined || deadline.dueMs > now) continue;
      this.remove(deadline);
      deadline.expire();
    }
    if (this.#active.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
