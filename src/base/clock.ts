/** Time as a port, so that tests own it. */

export interface Clock {
  /** Wall clock, milliseconds since the epoch. For records that people read. */
  nowMs(): number;
  /** Never goes back. For durations and deadlines. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
