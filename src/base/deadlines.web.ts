/**
 * Deadlines on Workers: a timer belongs to the request that set it and is gone with it, so the one
 * timer for all of `deadlines.ts` would leave the others unwatched. Here each has its own.
 */
import { Deadlines, type Deadline } from './deadlines.ts';

/** How late a deadline may fire. */
const LOOK_MS = 50;

export class WebDeadlines<Watched extends Deadline = Deadline> extends Deadlines<Watched> {
  readonly #timers = new Map<Watched, ReturnType<typeof setInterval>>();

  override get watched(): readonly Watched[] {
    return [...this.#timers.keys()];
  }

  override add(deadline: Watched): void {
    if (this.#timers.has(deadline)) return;
    const look = (): void => {
      if (deadline.dueMs > this.now()) return;
      this.remove(deadline);
      deadline.expire();
    };
    this.#timers.set(deadline, setInterval(look, LOOK_MS));
  }

  override remove(deadline: Watched): void {
    clearInterval(this.#timers.get(deadline));
    this.#timers.delete(deadline);
  }
}
