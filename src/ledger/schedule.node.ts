/** Node's timers, which do not keep the process alive. */
import type { Schedule } from './schedule.ts';

export const nodeSchedule: Schedule = {
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs).unref();
    return () => clearTimeout(timer);
  },
  every: (periodMs, run) => {
    const timer = setInterval(run, periodMs).unref();
    return () => clearInterval(timer);
  },
};
