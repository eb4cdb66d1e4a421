/** Admit: who calls, and whether that key may run inference at all. */
import type { Awaitable } from '#base/result.ts';
import type { AuthenticationRefusal, Caller, Identity } from '#identity/identity.ts';
import { findLaterHeader, LATER_HEADERS } from '#wire/chat/later.ts';
import { GatewayError } from '#wire/errors.ts';
import { notYetAvailable, permissionDenied } from '#wire/refusals.ts';
import type { Call, Inbound } from './call.ts';

const REFUSALS: Readonly<Record<Exclude<AuthenticationRefusal['reason'], 'unavailable'>, string>> =
  {
    missing:
      'You sent no API key. Send one as "Authorization: Bearer sk-omx-...". ' +
      'POST /v1/keys makes one, with the management key that was printed at the first start.',
    malformed: 'This is not an API key of this gateway',
    unknown:
      'There is no such API key. It may have been deleted, or belong to another installation.',
    disabled: 'This API key is disabled. A management key enables it with PATCH /v1/keys/{hash}.',
  };

/** An outage is never a 401. */
function refuseAuthentication(refusal: AuthenticationRefusal): GatewayError {
  if (refusal.reason === 'unavailable') {
    return new GatewayError('service_unavailable', {
      message:
        'The key cannot be checked now: the database is not reachable. Try again in a moment.',
    });
  }
  const text = REFUSALS[refusal.reason];
  const message = refusal.reason === 'malformed' ? `${text} (${refusal.hint}).` : text;
  return new GatewayError('invalid_api_key', { message });
}

/** Throws a GatewayError unless the secret is a key that exists and is enabled. */
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

const LATER_HEADER_NAMES = Object.keys(LATER_HEADERS);

function refuseLaterHeaders(inbound: Inbound): void {
  for (const name of LATER_HEADER_NAMES) {
    if (inbound.header(name) === null) continue;
    const later = findLaterHeader(name);
    if (later !== null) throw notYetAvailable(later);
  }
}

/** The caller of an inference request. */
export async function admit(identity: Identity, call: Call): Promise<Caller> {
  const caller = await authenticate(identity, call.inbound);
  if (caller.kind === 'management') {
    throw permissionDenied(
      'a management key cannot run inference. Make an inference key with POST /v1/keys.',
    );
  }
  refuseLaterHeaders(call.inbound);
  return caller;
}
