/**
 * Structured logs behind an allow-list: only the fields named here can be written, so a prompt, a
 * key or an upstream's secret has no way in. Values are bounded in length by the adapter.
 */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogFields {
  readonly request_id?: string;
  readonly organization_id?: string;
  readonly key_id?: string | undefined;
  readonly method?: string;
  /** The route's pattern, never the raw path. */
  readonly route?: string | undefined;
  readonly status?: number;
  readonly code?: string;
  readonly model?: string | undefined;
  readonly endpoint?: string;
  readonly attempt?: number;
  readonly attempts?: number;
  readonly outcome?: string;
  readonly duration_ms?: number;
  /** Left out where it is undefined. */
  readonly first_byte_ms?: number | undefined;
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly cost_usd?: string;
  readonly streamed?: boolean;
  readonly count?: number;
  readonly bytes?: number;
  readonly pid?: number;
  readonly port?: number;
  readonly path?: string;
  readonly version?: string;
  /** A parameter, a header or a variable, by its name. Left out where it is undefined. */
  readonly field?: string | undefined;
  /** A provider's name for what went wrong, where it is one. */
  readonly upstream_code?: string | undefined;
  /** A cause in our own words or an error's message, passed through `describeError`. */
  readonly cause?: string;
}

export interface Log {
  write(level: LogLevel, event: string, fields?: LogFields): void;
}

const LEVELS: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
/** Other fields are ids, names of ours and numbers: nothing that slips in can flood the log. */
const CAUSE_LENGTH_MAX = 500;

/** Whether a log that begins at `least` writes this level. */
export function isLogged(level: LogLevel, least: LogLevel): boolean {
  return LEVELS[level] >= LEVELS[least];
}

/** The last millisecond that was written out, since lines come in crowds. */
const lastTime = { ms: Number.NaN, text: '' };

function isoTime(ms: number): string {
  if (ms !== lastTime.ms) {
    lastTime.text = new Date(ms).toISOString();
    lastTime.ms = ms;
  }
  return lastTime.text;
}

/** One line of JSON. */
export function toLogLine(entry: {
  readonly nowMs: number;
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: LogFields;
}): string {
  const { nowMs, level, event, fields } = entry;
  const { cause } = fields;
  const long = cause !== undefined && cause.length > CAUSE_LENGTH_MAX;
  const told = long ? { ...fields, cause: cause.slice(0, CAUSE_LENGTH_MAX) } : fields;
  const head = `{"time":"${isoTime(nowMs)}","level":"${level}"`;
  const members = JSON.stringify(told).slice(1);
  return `${head},"event":${JSON.stringify(event)}${members === '}' ? '' : ','}${members}`;
}

export const silentLog: Log = { write: () => undefined };
