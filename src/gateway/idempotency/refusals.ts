/** Why a request with an Idempotency-Key is not run, in exact words. */
import { generationIdOf } from '#base/ids.ts';
import type { RecordState } from '#store/idempotency-store.ts';
import { GatewayError } from '#wire/errors.ts';
import { invalidValue } from '#wire/refusals.ts';
import { KEPT_BODY_BYTES_MAX } from './kept-answer.ts';

export const IDEMPOTENCY_HEADER = 'idempotency-key';

const KEY_FORM = /^[\x20-\x7e]{1,255}$/;
const MEBIBYTE = 1024 * 1024;

/** Throws a GatewayError (400) unless it can be a key. */
export function requireKeyForm(clientKey: string): void {
  if (KEY_FORM.test(clientKey)) return;
  throw invalidValue(
    IDEMPOTENCY_HEADER,
    'expected 1 to 255 printable ASCII characters, such as a UUID made for this request',
  );
}

const WHAT_HAPPENED: Readonly<Record<Exclude<RecordState, 'kept'>, string>> = {
  claimed: 'was interrupted, and nobody knows how far it came',
  interrupted: 'was interrupted, and nobody knows how far it came',
  left: 'was cut short, because you closed the connection before its end, so there is no whole answer to replay',
  too_large: `was answered, but with more than the ${KEPT_BODY_BYTES_MAX / MEBIBYTE} MiB that is kept for replays`,
};

/** The request that came first, as far as the record tells. */
export interface FirstRequest {
  readonly requestId: string;
  readonly state: Exclude<RecordState, 'kept'>;
}

/** `receipted`: whether such requests have receipts. */
export function outcomeUnknown(first: FirstRequest, receipted: boolean): GatewayError {
  const { requestId, state } = first;
  const generationId = generationIdOf(requestId);
  const name = receipted ? generationId : requestId;
  const next = receipted
    ? `GET /v1/generation?id=${generationId} is its receipt; where there is none, it cost nothing.`
    : 'Look whether it took effect before you repeat it.';
  return new GatewayError('idempotency_outcome_unknown', {
    message:
      `The first request with this Idempotency-Key (${name}) ${WHAT_HAPPENED[state]}. ` +
      `It is never run again under this key. ${next} Use a new key if it must run.`,
    headers: receipted ? [['x-generation-id', generationId]] : [],
  });
}

export function claimUnavailable(cause: unknown): GatewayError {
  return new GatewayError('service_unavailable', {
    message:
      'The Idempotency-Key cannot be recorded now: the database is not reachable. Nothing has run. ' +
      'Try again in a moment with the same key.',
    cause,
  });
}
