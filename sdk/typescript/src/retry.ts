/** When a request is tried again, and after how long. Pure. */
import { APIConnectionError, APIError } from './errors.ts';

const BACKOFF_MS_MIN = 500;
const BACKOFF_MS_MAX = 8_000;
/** Whoever is told to wait longer had better be told than kept. */
const PAUSE_MS_MAX = 60_000;
const JITTER = 0.25;

/**
 * Milliseconds to wait before the next try; null where there must be none. What the gateway says
 * (`x-should-retry`, `retry-after-ms`, `retry-after`) counts before any habit of ours.
 */
export function pauseBeforeRetry(error: unknown, retries: number): number | null {
  if (error instanceof APIConnectionError) return backoff(retries);
  if (!(error instanceof APIError) || !isRetried(error)) return null;
  const asked = readPause(error.headers);
  if (asked === null) return backoff(retries);
  return asked > PAUSE_MS_MAX ? null : asked;
}

function isRetried({ status, headers }: APIError): boolean {
  const said = headers.get('x-should-retry');
  if (said === 'true' || said === 'false') return said === 'true';
  return status === 408 || status === 429 || (status !== null && status >= 500);
}

/** RFC 9110, 5.6.7. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

function readPause(headers: Headers): number | null {
  const exact = toPause(headers.get('retry-after-ms'), 1);
  if (exact !== null) return exact;
  const after = headers.get('retry-after');
  const seconds = toPause(after, 1_000);
  if (seconds !== null || after === null) return seconds;
  // Runtimes take much for a date that is none: "x40" is the year 2040 to V8.
  const at = HTTP_DATE.test(after) ? Date.parse(after) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}

function toPause(text: string | null, unitMs: number): number | null {
  return text !== null && /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * unitMs : null;
}

/** Doubles each time, and never the same for two clients. */
function backoff(retries: number): number {
  const whole = Math.min(BACKOFF_MS_MIN * 2 ** retries, BACKOFF_MS_MAX);
  return whole * (1 - Math.random() * JITTER);
}
