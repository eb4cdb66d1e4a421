/**
 * The way of a request, for every modality and every door:
 *
 *   admit    key, permission, limits                        -> caller
 *   plan     pure: capable targets in order, highest cost   -> plan
 *   hold     credit for the highest cost                    -> hold
 *   attempt  the only loop over targets in the house        -> answer
 *   settle   journal the outcome before the answer's last byte; post, void the rest after it
 *
 * With an `Idempotency-Key`, what comes after admit happens once.
 */
import type { Caller } from '#identity/identity.ts';
import { toGatewayError, type GatewayError } from '#wire/errors.ts';
import { admit, authenticate } from './admit.ts';
import { attempt } from './attempt.ts';
import type { Call } from './call.ts';
import { readCeiling } from './ceiling.ts';
import type { InferenceRequest } from './inference.ts';
import { holdCredit } from './hold.ts';
import { logRefusal } from './log-refusal.ts';
import { serveOnce } from './idempotency/serve-once.ts';
import { planRequest } from './plan.ts';
import type { GatewayServices } from './dependencies.ts';
import type { ReceiptOutcome } from './receipt.ts';
import { sendError, settle, type Settling } from './settle.ts';

/** Reads a modality's request off the raw body of its door. Throws a GatewayError (400). */
export type ReadRequest = (body: Uint8Array) => InferenceRequest;

/** Answers one request. Never throws: what goes wrong is the answer. */
export async function serve(
  services: GatewayServices,
  call: Call,
  readRequest: ReadRequest,
): Promise<void> {
  let caller: Caller | null = null;
  try {
    const knowing = authenticate(services.identity, call.inbound);
    caller = knowing instanceof Promise ? await knowing : knowing;
    admit(call.inbound, caller);
    const ceiling = readCeiling(call.inbound);
    const reading = call.inbound.readBody(services.limits.bodyBytesMax);
    const body = reading instanceof Promise ? await reading : reading;
    const request = readRequest(body);
    const asked = { caller, request, ceiling };
    await serveOnce(services.idempotency, { call, caller, request, body }, (own) =>
      serveAdmitted(services, own, asked),
    );
  } catch (thrown) {
    refuse(call, toGatewayError(thrown), caller);
  }
}

/** The other four steps. Never throws, and tells what was recorded. */
async function serveAdmitted(
  services: GatewayServices,
  call: Call,
  asked: Pick<Settling, 'caller' | 'request' | 'ceiling'>,
): Promise<ReceiptOutcome | null> {
  const { caller, request, ceiling } = asked;
  let settling: Settling | null = null;
  let dispatched = false;
  try {
    const plan = planRequest(services.directory, caller, request);
    const holding = holdCredit(services, call, { ...asked, plan });
    const held = holding instanceof Promise ? await holding : holding;
    settling = { services, call, caller, request, held, ceiling, settled: false, outcome: null };
    const attempted = await attempt(services, call, { request, held });
    dispatched = true;
    await settle(settling, attempted);
  } catch (thrown) {
    try {
      // Nothing may be left held when an attempt could not even begin.
      if (settling !== null && !dispatched) services.ledger.release(settling.held.hold);
    } finally {
      refuse(call, toGatewayError(thrown), caller);
    }
  }
  return settling?.outcome ?? null;
}

function refuse(call: Call, error: GatewayError, caller: Caller | null): void {
  logRefusal(call.log, error, {
    request_id: call.id,
    key_id: caller?.keyId,
    method: call.inbound.method,
    route: call.path,
  });
  if (call.sink.committed) call.sink.destroy();
  else sendError(call, error);
}
