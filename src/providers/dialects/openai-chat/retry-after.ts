/**
 * When an upstream wants us back. Hosts say it in at least six ways: two headers, reset headers in
 * four units, a field of the body, or only in prose.
 */
import type { UpstreamErrorInput } from '#providers/provider.ts';
import { listOf, recordOf, textOf } from '#providers/json.ts';
import type { Refusal } from './refusal.ts';

/** A longer wait is not believed: it would take a target out for good. */
const WAIT_MS_MAX = 24 * 60 * 60 * 1_000;

/**
 * Milliseconds from now, 0 to a day; null where the upstream names none (or none that can be read).
 */
export function readRetryAfterMs(input: UpstreamErrorInput, refusal: Refusal): number | null {
  const wait =
    millisecondsOf(input.headers['retry-after-ms']) ??
    delayOf(input.headers['retry-after'], input.nowMs) ??
    readBodyHint(input, refusal) ??
    readReset(input);
  if (wait === null || Number.isNaN(wait)) return null;
  return Math.min(Math.max(Math.ceil(wait), 0), WAIT_MS_MAX);
}

function millisecondsOf(value: string | undefined): number | null {
  if (value === undefined || value.trim() === '') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** `retry-after`: seconds or an HTTP date. */
function delayOf(value: string | undefined, nowMs: number): number | null {
  const seconds = millisecondsOf(value);
  if (seconds !== null) return seconds * 1_000;
  const date = value === undefined ? Number.NaN : Date.parse(value);
  return Number.isNaN(date) ? null : date - nowMs;
}

/**
 * Google's RetryInfo ("48s"), OpenRouter's copied headers, and "try again in 1.2s" in the message.
 */
function readBodyHint(input: UpstreamErrorInput, refusal: Refusal): number | null {
  for (const detail of listOf(refusal.native['details'])) {
    const delay = durationOf(textOf(recordOf(detail)['retryDelay']));
    if (delay !== null) return delay;
  }
  const copied = recordOf(recordOf(refusal.native['metadata'])['headers']);
  const reset = resetOf(textOf(copied['X-RateLimit-Reset']), input.nowMs);
  if (reset !== null) return reset;
  const prose = /try again in ([\d.]+(?:ms|s|m|h)(?:[\d.]+(?:ms|s|m))*)/i.exec(
    refusal.message ?? '',
  );
  return durationOf(prose?.[1]);
}

/** Only a limit that is used up says when to come back; of several, the one that takes longest. */
function readReset(input: UpstreamErrorInput): number | null {
  if (input.status !== 429) return null;
  const waits: number[] = [];
  for (const [name, value] of Object.entries(input.headers)) {
    if (!name.startsWith('x-ratelimit-reset')) continue;
    const left = input.headers[name.replace('-reset', '-remaining')];
    if (left !== undefined && Number(left) > 0) continue;
    const wait = resetOf(value, input.nowMs);
    if (wait !== null) waits.push(wait);
  }
  return waits.length === 0 ? null : Math.max(...waits);
}

/** Seconds from now, seconds or milliseconds since the epoch, a Go duration, or a date. */
function resetOf(value: string | undefined, nowMs: number): number | null {
  if (value === undefined || value.trim() === '') return null;
  const number = Number(value);
  if (Number.isFinite(number)) {
    if (number > 1e12) return number - nowMs;
    if (number > 1e9) return number * 1_000 - nowMs;
    return number * 1_000;
  }
  const duration = durationOf(value);
  if (duration !== null) return duration;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : date - nowMs;
}

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
]);

/** "6m0s", "12ms", "1.5s" in milliseconds. */
function durationOf(text: string | undefined): number | null {
  if (text === undefined || !/^(?:\d+(?:\.\d+)?(?:ms|h|m|s))+$/.test(text)) return null;
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)) {
    sum += Number(count) * (UNIT_MS.get(unit ?? '') ?? 0);
  }
  return sum;
}
