/**
 * The one writer of errors that a route throws: status, body and headers as the table says, and a
 * line in the log. (The gateway answers its own errors through the sink, and
 * `client-error.node.ts` those of requests that never became one.)
 */
import type { Log } from '#base/log.ts';
import { logRefusal } from '#gateway/log-refusal.ts';
import { DatabaseUnavailable } from '#store/database.ts';
import { type GatewayError, toGatewayError } from '#wire/errors.ts';
import { errorHeaders, toOpenAiErrorBody } from '#wire/openai-error.ts';
import { serviceUnavailable } from '#wire/refusals.ts';
import { toResponse } from './api/answer.ts';

export interface FailedRequest {
  readonly requestId: string;
  readonly method: string;
  /** The pattern, where the path is one of ours. */
  readonly route?: string | undefined;
  readonly keyId?: string | undefined;
}

/** An outage is a 503; a write that may have happened is not repeated by clients. */
function toAnswerable(thrown: unknown, method: string): GatewayError {
  if (!(thrown instanceof DatabaseUnavailable)) return toGatewayError(thrown);
  const shouldRetry = method === 'GET' || method === 'HEAD';
  return serviceUnavailable('the database cannot be reached', { shouldRetry });
}

/** The answer to a request whose route threw. */
export function answerError(log: Log, thrown: unknown, request: FailedRequest): Response {
  const { requestId, method, route, keyId } = request;
  const error = toAnswerable(thrown, method);
  logRefusal(log, error, { request_id: requestId, key_id: keyId, method, route, thrown });
  return toResponse(requestId, {
    status: error.status,
    json: JSON.stringify(toOpenAiErrorBody(error, requestId)),
    headers: errorHeaders(error),
  });
}
