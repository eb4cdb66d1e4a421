/**
 * What a client gets whose request nobody could read: our envelope instead of a bare status line.
 * Where Node could not even parse it there is no request at this point, only a socket.
 */
import type { Duplex } from 'node:stream';
import { RequestError } from '@hono/node-server';
import { newId } from '#base/ids.ts';
import type { Log } from '#base/log.ts';
import { GatewayError } from '#wire/errors.ts';
import { errorHeaders, toOpenAiErrorBody } from '#wire/openai-error.ts';
import { requestTooLarge } from '#wire/refusals.ts';
import { answerError } from './error-answer.ts';

export const REQUEST_TIMED_OUT = new GatewayError('request_timeout');
export const UNREADABLE = new GatewayError('invalid_request_error', {
  message: 'The request is not valid HTTP/1.1.',
});

function toError(failure: Error, headerBytesMax: number): GatewayError {
  const code = 'code' in failure ? failure.code : '';
  if (code === 'HPE_HEADER_OVERFLOW') return requestTooLarge('headers', headerBytesMax);
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? REQUEST_TIMED_OUT : UNREADABLE;
}

/** Answers on the socket what node:http could not read, and closes it. */
export function answerClientError(failure: Error, socket: Duplex, headerBytesMax: number): void {
  refuseSocket(socket, toError(failure, headerBytesMax));
}

/** Answers on the socket and closes it. */
export function refuseSocket(socket: Duplex, error: GatewayError): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const requestId = newId('req_');
  const body = JSON.stringify(toOpenAiErrorBody(error, requestId));
  const headers = errorHeaders(error).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(
    `HTTP/1.1 ${error.status} Refused\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `x-request-id: ${requestId}\r\n${headers.join('')}` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** Answers what Node could parse and no URL can be made of, such as a path with a backslash. */
export function answerUnreadable(log: Log): (thrown: unknown) => Response {
  return (thrown) => {
    const message = 'The path or the host header of the request is not valid.';
    const error =
      thrown instanceof RequestError
        ? new GatewayError('invalid_request_error', { message })
        : thrown;
    return answerError(log, error, { requestId: newId('req_'), method: '' });
  };
}
