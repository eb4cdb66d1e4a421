/**
 * The log's line for a request that was refused, whichever door it came through: whoever asks what
 * became of a request id finds it, and why.
 */
import { describeError } from '#base/describe-error.ts';
import type { Log, LogFields } from '#base/log.ts';
import type { GatewayError } from '#wire/errors.ts';

/** Names of fields may be the caller's own. */
const FIELD_LENGTH_MAX = 100;

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
    field: error.param?.slice(0, FIELD_LENGTH_MAX),
    ...(cause === '' ? {} : { cause }),
  });
}
