/**
 * The log's line for a request that was refused, whichever door it came through: whoever asks what
 * became of a request id finds it, and why.
 */
import { describeError } from '#base/describe-error.ts';
import type { Log, LogFields } from '#base/log.ts';
import type { GatewayError } from '#wire/errors.ts';

/** Where a name may be the caller's own, and say what a log must not. */
const NAMED_BY_CALLERS: ReadonlySet<string> = new Set(['unknown_parameter', 'repeated_key']);
/** The first step of a path is ours; keys of maps come after it. */
const FIRST_STEP = /^[a-z][a-z_-]{0,63}(?:\[\d{1,6}\])?/;

function fieldOf({ code, param }: GatewayError): string | undefined {
  if (param === null || NAMED_BY_CALLERS.has(code)) return undefined;
  return FIRST_STEP.exec(param)?.[0];
}

export interface Refused extends Pick<LogFields, 'request_id' | 'key_id' | 'method' | 'route'> {
  /** What the error was made of, where it does not say so itself. */
  readonly thrown?: unknown;
}

export function logRefusal(log: Log, error: GatewayError, refused: Refused): void {
  const { thrown = error, ...request } = refused;
  const reason: unknown = thrown === error ? (error.cause ?? '') : thrown;
  const cause = describeError(reason);
  log.write(error.status >= 500 ? 'error' : 'info', 'refused', {
    ...request,
    status: error.status,
    code: error.code,
    field: fieldOf(error),
    ...(cause === '' ? {} : { cause }),
  });
}
