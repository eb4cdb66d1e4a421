/**
 * Logs as JSON lines on a stream, gathered for a moment so that a line costs no system call of its
 * own.
 */
import type { Writable } from 'node:stream';
import type { Clock } from './clock.ts';
import { isLogged, toLogLine, type Log, type LogFields, type LogLevel } from './log.ts';

const GATHER_MS_MAX = 100;
const GATHER_LENGTH_MAX = 64 * 1024;

export interface NodeLogOptions {
  readonly level: LogLevel;
  readonly clock: Clock;
  readonly output: Writable;
}

export class NodeLog implements Log {
  readonly #options: NodeLogOptions;
  #waiting = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(options: NodeLogOptions) {
    this.#options = options;
  }

  write(level: LogLevel, event: string, fields: LogFields = {}): void {
    if (!isLogged(level, this.#options.level)) return;
    const nowMs = this.#options.clock.nowMs();
    this.#waiting += `${toLogLine({ nowMs, level, event, fields })}\n`;
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
