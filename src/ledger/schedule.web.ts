/** The timers of a web runtime: they belong to the request that sets them. */
import type { Schedule } from './schedule.ts';

export const webSchedule: Schedule = {
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  every: (periodMs, run) => {
    const timer = setInterval(run, periodMs);
    return () => clearInterval(timer);
  },
};
