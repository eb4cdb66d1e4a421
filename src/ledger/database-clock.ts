/**
 * The database's wall clock, known here without asking: each answer of the database says its time,
 * and from there this process's monotonic clock counts on. So a day or a month begins at the same
 * moment for all processes, whatever the machine's own wall clock says and however it jumps.
 */
import type { Clock } from '#base/clock.ts';

export class DatabaseClock {
  readonly #clock: Clock;
  #aheadMs: number;

  /** Until the database was heard, it is this machine's wall clock. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#aheadMs = clock.nowMs() - clock.monotonicMs();
  }

  learn(databaseMs: number): void {
    this.#aheadMs = databaseMs - this.#clock.monotonicMs();
  }

  /** Whole milliseconds since the epoch. */
  nowMs(): number {
    const nowMs = this.#clock.monotonicMs() + this.#aheadMs;
    return nowMs - (nowMs % 1);
  }
}
