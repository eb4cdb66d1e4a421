/**
 * Inference with an `Idempotency-Key`: runs the steps with a sink that records, keeps what
 * succeeded, and replays it.
 */
import type { HeaderList } from '#base/sink.ts';
import type { Caller } from '#identity/identity.ts';
import { answerHeaders, type Call } from '../call.ts';
import type { InferenceRequest } from '../inference.ts';
import type { ReceiptOutcome } from '../receipt.ts';
import type { Claim, Idempotency } from './idempotency.ts';
import { REPLAYED_HEADER, type KeptAnswer } from './kept-answer.ts';
import { RecordingSink } from './recording-sink.ts';
import { IDEMPOTENCY_HEADER } from './refusals.ts';

export interface ServedOnce {
  readonly call: Call;
  readonly caller: Caller;
  readonly body: Uint8Array;
  readonly request: Pick<InferenceRequest, 'stream'>;
}

/** How it ended, as it is recorded; null: nothing was dispatched, or nothing could be recorded. */
export type RunSteps = (call: Call) => Promise<ReceiptOutcome | null>;

/** Throws a GatewayError where the request neither runs nor has an answer. */
export function serveOnce(
  idempotency: Idempotency,
  once: ServedOnce,
  run: RunSteps,
): Promise<unknown> {
  const clientKey = once.call.inbound.header(IDEMPOTENCY_HEADER);
  if (clientKey === null) return run(once.call);
  return serveKeyed(idempotency, { ...once, clientKey }, run);
}

async function serveKeyed(
  idempotency: Idempotency,
  { call, caller, body, request, clientKey }: ServedOnce & { readonly clientKey: string },
  run: RunSteps,
): Promise<void> {
  const turn = await idempotency.begin({
    requestId: call.id,
    keyId: caller.keyId,
    clientKey,
    method: call.inbound.method,
    path: call.path,
    body,
    receipted: true,
    client: call.sink,
  });
  if (turn.kind === 'replay') replay(call, turn.answer);
  if (turn.kind === 'first') await runFirst(call, turn.claim, { request, run });
}

async function runFirst(
  call: Call,
  claim: Claim,
  { request, run }: { readonly request: ServedOnce['request']; readonly run: RunSteps },
): Promise<void> {
  const sink = new RecordingSink(call.sink, !request.stream);
  try {
    await finish(claim, sink, await run({ ...call, sink }));
  } catch (thrown) {
    await claim.lose('interrupted');
    throw thrown;
  }
}

/** From here on a status is no success. */
const REDIRECTION = 300;

/** Of what came to nothing, nothing is kept: it was free, and the next one runs. */
async function finish(
  claim: Claim,
  sink: RecordingSink,
  outcome: ReceiptOutcome | null,
): Promise<void> {
  const { answer, tooLarge, left } = sink;
  if (outcome !== 'completed' && outcome !== 'cancelled') await claim.release();
  else if (answer !== null && answer.status < REDIRECTION) await claim.keep(answer);
  else if (tooLarge) await claim.lose('too_large');
  else await claim.lose(left ? 'left' : 'interrupted');
}

function replay(call: Call, { status, headers, streamed, body }: KeptAnswer): void {
  call.log.write('info', 'replayed', { request_id: call.id, status, streamed });
  const { sink } = call;
  if (sink.closed) return;
  const list: HeaderList = [...answerHeaders(call), ...headers, REPLAYED_HEADER];
  if (!streamed) {
    sink.send(status, list, body);
    return;
  }
  sink.head(status, list);
  sink.write(body);
  sink.end();
}
