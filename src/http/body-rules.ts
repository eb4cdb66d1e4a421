/** What a request's headers must say of its body, on every runtime. */
import type { Inbound } from '#gateway/call.ts';
import { GatewayError } from '#wire/errors.ts';

/** Throws a GatewayError (415) for bodies that we would have to decode first. */
export function refuseEncoding(inbound: Inbound): void {
  const encoding = inbound.header('content-encoding');
  if (encoding !== null && encoding !== '' && encoding !== 'identity') {
    throw new GatewayError('unsupported_media_type', {
      message: 'Send the body without a content-encoding.',
      param: 'content-encoding',
    });
  }
  const type = inbound.header('content-type') ?? '';
  if (type.startsWith('multipart/')) throw new GatewayError('unsupported_media_type');
}

/** The body ended before its end: 408. */
export function brokenOff(cause?: unknown): GatewayError {
  return new GatewayError('request_timeout', { message: 'The body broke off.', cause });
}
