/** Logs where there is no stream to write to: the runtime gathers what the console is told. */
import type { Clock } from './clock.ts';
import { isLogged, toLogLine, type Log, type LogFields, type LogLevel } from './log.ts';

export interface WebLogOptions {
  readonly level: LogLevel;
  readonly clock: Clock;
}

export function createWebLog({ level: least, clock }: WebLogOptions): Log {
  return {
    write(level: LogLevel, event: string, fields: LogFields = {}): void {
      if (!isLogged(level, least)) return;
      // oxlint-disable-next-line no-console -- on Workers the console is the log
      console.log(toLogLine({ nowMs: clock.nowMs(), level, event, fields }));
    },
  };
}
