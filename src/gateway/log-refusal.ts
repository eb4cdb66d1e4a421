/**
 * The log's line for a request that was refused, whichever door it came through: whoever asks what
 * became of a request id finds it, and why.
 */
import { describeError } from '#base/describe-error.ts';
import type { Log, LogFields } from '#base/log.ts';
import type { GatewayError } from '#wire/errors.ts';

/** Names of fields may be the caller's own. */
const FIELD_LENGTH_MAX = 100;

export type RefusedRequest = Pick<LogFields, 'request_id' | 'key_id' | 'method' | 'route'>;

/** `request` says whose it was; `thrown` is what the error was made of, where that tells more. */
export function logRefusal(
  log: Log,
  error: GatewayError,
  request: RefusedRequest,
  thrown: unknown = error,
): void {
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
