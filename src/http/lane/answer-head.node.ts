/** The head of an answer as node:http would write it, made without a ServerResponse. */
import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';
import type { Clock } from '#base/clock.ts';
import type { HeaderList } from '#base/sink.ts';
import { CORS_HEADERS } from '../cors.ts';
import { KEEP_ALIVE_MS } from '../socket-limits.ts';

const SECOND_MS = 1_000;

/** The `date` of answers, made anew once a second. */
export class DateLine {
  readonly #clock: Clock;
  #second = -1;
  #line = '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get line(): string {
    const nowMs = this.#clock.nowMs();
    const second = Math.floor(nowMs / SECOND_MS);
    if (second !== this.#second) {
      this.#second = second;
      this.#line = `Date: ${new Date(nowMs).toUTCString()}\r\n`;
    }
    return this.#line;
  }
}

/** Throws what node:http throws where a name or a value would end its line. */
function linesOf(headers: HeaderList): string {
  let lines = '';
  for (const [name, value] of headers) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

const CORS_LINES = linesOf(CORS_HEADERS);
const STAYS_LINES = `Connection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_MS / SECOND_MS}\r\n`;
const CLOSES_LINES = 'Connection: close\r\n';

/** What of a head its connection and its request decide. */
export interface HeadFacts {
  readonly dateLine: string;
  /** The request named its origin. */
  readonly crossOrigin: boolean;
  /** False: the connection closes after this answer. */
  readonly staysOpen: boolean;
}

/** Status line and headers; what frames the body, and the empty line, come after them. */
export function answerHead(
  status: number,
  headers: HeaderList,
  { dateLine, crossOrigin, staysOpen }: HeadFacts,
): string {
  const cors = crossOrigin ? CORS_LINES : '';
  const connection = staysOpen ? STAYS_LINES : CLOSES_LINES;
  const reason = STATUS_CODES[status] ?? 'unknown';
  return `HTTP/1.1 ${status} ${reason}\r\n${cors}${linesOf(headers)}${dateLine}${connection}`;
}
