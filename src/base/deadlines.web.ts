/**
 * Deadlines on Workers: a timer belongs to the request that set it and is gone with it, so the one
 * timer for all of `deadlines.ts` would leave the others unwatched. Here each has its own.
 */
import { Deadlines, type Deadline } from './deadlines.ts';

/** How late a deadline may fire. */
const LOOK_MS = 50;

export class WebDeadlines extends Deadlines {
  readonly #timers = new WeakMap<Deadline, ReturnType<typeof setInterval>>();

  override add(deadline: Deadline): void {
    if (this.#timers.has(deadline)) return;
    const look = (): void => {
      if (deadline.dueMs > this.now()) return;
      this.remove(deadline);
      deadline.expire();
    };
    this.#timers.set(deadline, setInterval(look, LOOK_MS));
  }

  override remove(deadline: Deadline): void {
    clearInterval(this.#timers.get(deadline));
    this.#timers.delete(deadline);
  }
}
