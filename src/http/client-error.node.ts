/**
 * What a client gets whose request Node could not even parse: our envelope instead of a bare status
 * line. There is no request at this point, only a socket.
 */
import type { Duplex } from 'node:stream';
import { newId } from '#base/ids.ts';
import { GatewayError } from '#wire/errors.ts';
import { toOpenAiErrorBody } from '#wire/openai-error.ts';
import { requestTooLarge } from '#wire/refusals.ts';

function toError(failure: Error, headerBytesMax: number): GatewayError {
  const code = 'code' in failure ? failure.code : '';
  if (code === 'HPE_HEADER_OVERFLOW') return requestTooLarge('headers', headerBytesMax);
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new GatewayError('request_timeout');
  return new GatewayError('invalid_request_error', {
    message: 'The request is not valid HTTP/1.1.',
  });
}

/** Answers on the socket and closes it. */
export function answerClientError(failure: Error, socket: Duplex, headerBytesMax: number): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const error = toError(failure, headerBytesMax);
  const requestId = newId('req_');
  const body = JSON.stringify(toOpenAiErrorBody(error, requestId));
  socket.end(
    `HTTP/1.1 ${error.status} Refused\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `x-request-id: ${requestId}\r\nx-should-retry: ${error.shouldRetry}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
