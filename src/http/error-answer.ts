/**
 * The one writer of errors that a route throws: status, body and headers as the table says, and a
 * log line for what is our fault. (The gateway answers its own errors through the sink, and
 * `client-error.node.ts` those of requests that never became one.)
 */
import { describeError } from '#base/describe-error.ts';
import type { Log } from '#base/log.ts';
import { DatabaseUnavailable } from '#store/database.ts';
import { GatewayError, toGatewayError } from '#wire/errors.ts';
import { errorHeaders, toOpenAiErrorBody } from '#wire/openai-error.ts';
import { serviceUnavailable } from '#wire/refusals.ts';
import { toResponse } from './api/answer.ts';

export interface FailedRequest {
  readonly requestId: string;
  readonly method: string;
}

/** An outage is a 503; a write that may have happened is not repeated by clients. */
function toAnswerable(thrown: unknown, method: string): GatewayError {
  if (!(thrown instanceof DatabaseUnavailable)) return toGatewayError(thrown);
  const shouldRetry = method === 'GET' || method === 'HEAD';
  return serviceUnavailable('the database cannot be reached', { shouldRetry });
}

/** The answer to a request whose route threw. */
export function answerError(log: Log, thrown: unknown, request: FailedRequest): Response {
  const { requestId, method } = request;
  const error = toAnswerable(thrown, method);
  if (error.status >= 500) {
    const reason: unknown = thrown instanceof GatewayError ? (thrown.cause ?? '') : thrown;
    log.write('error', 'request_failed', {
      request_id: requestId,
      method,
      status: error.status,
      code: error.code,
      cause: describeError(reason),
    });
  }
  return toResponse(requestId, {
    status: error.status,
    json: JSON.stringify(toOpenAiErrorBody(error, requestId)),
    headers: errorHeaders(error),
  });
}
