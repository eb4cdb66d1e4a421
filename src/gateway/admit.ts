/** Admit: who calls, and whether that key may run inference at all. */
import type { Awaitable } from '#base/result.ts';
import {
  AT_ONCE_MS,
  type AuthenticationRefusal,
  type Caller,
  type Identity,
} from '#identity/identity.ts';
import { findLaterHeader } from '#wire/chat/later.ts';
import { GatewayError } from '#wire/errors.ts';
import { notYetAvailable, permissionDenied, unknownHeader } from '#wire/refusals.ts';
import type { Inbound } from './call.ts';
import { MAX_COST_HEADER } from './ceiling.ts';

function explain(refusal: Exclude<AuthenticationRefusal, { reason: 'unavailable' }>): string {
  switch (refusal.reason) {
    case 'missing':
      return (
        'You sent no API key. Send one as "Authorization: Bearer sk-omx-...". ' +
        'POST /v1/keys makes one, with the management key that was printed at the first start.'
      );
    case 'malformed':
      return `This is not an API key of this gateway (${refusal.hint}).`;
    case 'unknown':
      return 'There is no such API key. It may have been deleted, or belong to another installation.';
    case 'disabled':
      return 'This API key is disabled. A management key enables it with PATCH /v1/keys/{hash}.';
    case 'expired':
      return (
        `This API key expired at ${isoTime(refusal.atMs)}. A management key sets another ` +
        "'expires_at' with PATCH /v1/keys/{hash}, or makes a new key with POST /v1/keys."
      );
    case 'rotated':
      return (
        `This API key was rotated: this secret of it stopped working ${endOf(refusal.atMs)}. ` +
        `Use the one that POST /v1/keys/{hash}/rotate returned, or rotate again with a management key.`
      );
  }
}

function endOf(timeMs: number): string {
  return timeMs === AT_ONCE_MS ? 'then' : `at ${isoTime(timeMs)}`;
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** An outage is never a 401. */
function refuseAuthentication(refusal: AuthenticationRefusal): GatewayError {
  if (refusal.reason === 'unavailable') {
    return new GatewayError('service_unavailable', {
      message:
        'The key cannot be checked now: the database is not reachable. Try again in a moment.',
    });
  }
  return new GatewayError('invalid_api_key', { message: explain(refusal) });
}

/** Throws a GatewayError unless the secret is a key that exists, is enabled and has time left. */
export function authenticate(identity: Identity, inbound: Inbound): Awaitable<Caller> {
  const result = identity.authenticate(inbound.secret);
  if (!(result instanceof Promise)) {
    if (result.ok) return result.value;
    throw refuseAuthentication(result.error);
  }
  return result.then((late) => {
    if (late.ok) return late.value;
    throw refuseAuthentication(late.error);
  });
}

/** Headers of ours begin so. */
const OWN_HEADERS = 'x-omnix-';

/** A guard that is misspelt guards nothing: ours are refused unless they are known. */
function refuseOwnHeaders(inbound: Inbound): void {
  for (const name of inbound.headerNames()) {
    if (!name.startsWith(OWN_HEADERS) || name === MAX_COST_HEADER) continue;
    const later = findLaterHeader(name);
    throw later === null ? unknownHeader(name, [MAX_COST_HEADER]) : notYetAvailable(later);
  }
}

/** Throws a GatewayError (403, 400) unless this caller may run inference in this way. */
export function admit(inbound: Inbound, caller: Caller): void {
  if (caller.kind === 'management') {
    throw permissionDenied(
      'a management key cannot run inference. Make an inference key with POST /v1/keys.',
    );
  }
  refuseOwnHeaders(inbound);
}
