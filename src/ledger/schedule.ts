/** Timers as a port: those of Node must not keep a process alive, and tests fire them by hand. */

/** Stops what was scheduled. */
export type Cancel = () => void;

export interface Schedule {
  /** Runs once, after so many milliseconds. */
  after(delayMs: number, run: () => void): Cancel;
  /** Runs again and again. */
  every(periodMs: number, run: () => void): Cancel;
}
