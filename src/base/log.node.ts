/**
 * Logs as JSON lines on a stream, gathered for a moment so that a line costs no system call of its
 * own. Values are cut: nothing that slips in can flood the log.
 */
import type { Writable } from 'node:stream';
import type { Clock } from './clock.ts';
import type { Log, LogFields, LogLevel } from './log.ts';

const LEVELS: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
/** Other fields are ids, names of ours and numbers. */
const CAUSE_LENGTH_MAX = 500;
const GATHER_MS_MAX = 100;
const GATHER_LENGTH_MAX = 64 * 1024;

export interface NodeLogOptions {
  readonly level: LogLevel;
  readonly clock: Clock;
  readonly output: Writable;
}

type Line = { -readonly [Field in keyof LogFields]: LogFields[Field] } & {
  time: string;
  level: LogLevel;
  event: string;
};

export class NodeLog implements Log {
  readonly #options: NodeLogOptions;
  #waiting = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(options: NodeLogOptions) {
    this.#options = options;
  }

  write(level: LogLevel, event: string, fields: LogFields = {}): void {
    if (LEVELS[level] < LEVELS[this.#options.level]) return;
    const time = new Date(this.#options.clock.nowMs()).toISOString();
    const { cause } = fields;
    const line: Line = { time, level, event, ...fields };
    if (cause !== undefined) line.cause = cause.slice(0, CAUSE_LENGTH_MAX);
    this.#waiting += `${JSON.stringify(line)}\n`;
    if (this.#waiting.length > GATHER_LENGTH_MAX || level === 'error') this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), GATHER_MS_MAX).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting === '') return;
    this.#options.output.write(this.#waiting);
    this.#waiting = '';
  }
}
