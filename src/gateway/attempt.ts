/**
 * Attempt: the only loop over targets in the house. Tries the plan's candidates in order until one
 * answers; nothing has reached the client before that, so a failure is invisible (promise 12).
 */
import { describeError } from '#base/describe-error.ts';
import type { HeaderList } from '#base/sink.ts';
import type { Warning } from '#providers/provider.ts';
import { GatewayError } from '#wire/errors.ts';
import { elapsedMs, type Call } from './call.ts';
import type { WholeAnswer } from './chat/answer-form.ts';
import type { ChatRequestReading } from './chat/read-request.ts';
import { affordableTokens, type Held } from './hold.ts';
import type { Candidate } from './plan.ts';
import type { GatewayServices } from './dependencies.ts';
import { Exchange, type LiveStream, type Reply } from './upstream/exchange.ts';
import { unreadable, type AttemptFailure } from './upstream/failure.ts';
import { prepareRequest } from './upstream/prepare.ts';

/** One line of a receipt's `attempts`. */
export interface AttemptRecord {
  readonly endpoint: string;
  readonly outcome: string;
  readonly status: number | null;
  readonly ms: number;
}

export interface Served {
  readonly candidate: Candidate;
  readonly warnings: readonly Warning[];
  /** Milliseconds from the request's start to the answer's first byte. */
  readonly firstByteMs: number;
}

/**
 * What the attempts came to. `attempts` holds the failed ones; the last one's number is `attempt`.
 */
export type Attempted = {
  readonly attempts: readonly AttemptRecord[];
  readonly attempt: number;
} & (
  | (Served & { readonly kind: 'stream'; readonly live: LiveStream })
  | (Served & { readonly kind: 'whole'; readonly answer: WholeAnswer })
  | { readonly kind: 'failed'; readonly candidate: Candidate; readonly failure: AttemptFailure }
  | {
      readonly kind: 'gone';
      readonly candidate: Candidate;
      /**
       * `untouched`: no attempt was opened. `failed`: all that were tried have failed, or nothing
       * was sent to the last one. `working`: an upstream was at it, and will be paid for it.
       */
      readonly state: 'untouched' | 'failed' | 'working';
    }
);

interface Run {
  readonly services: GatewayServices;
  readonly call: Call;
  readonly reading: ChatRequestReading;
  readonly held: Held;
}

async function openAttempt(run: Run, candidate: Candidate, attempt: number): Promise<void> {
  const { hold } = run.held;
  const opened = await run.services.ledger.open(hold, attempt, candidate.inputCost);
  if (opened.ok) return;
  throw new GatewayError('service_unavailable', {
    message:
      'The request cannot be recorded now, and nothing runs unrecorded. Try again in a moment.',
    cause: opened.error.cause,
  });
}

interface Tried {
  readonly reply: Reply;
  readonly warnings: readonly Warning[];
  readonly firstByteMs: number;
}

/** A defect of ours in one provider must not take the others down with it. */
async function tryCandidate(run: Run, candidate: Candidate): Promise<Tried> {
  try {
    return await dispatchTo(run, candidate);
  } catch (thrown) {
    const cause = describeError(thrown);
    const reply: Reply = { kind: 'failed', failure: unreadable('internal_error', cause) };
    return { reply, warnings: [], firstByteMs: 0 };
  }
}

async function dispatchTo(run: Run, candidate: Candidate): Promise<Tried> {
  const { services, call, reading, held } = run;
  const { endpoint } = candidate;
  const cap = held.capped ? affordableTokens(candidate, held.hold.amount) : null;
  const nowMs = (): number => call.clock.nowMs();
  const preparing = prepareRequest(reading, candidate, {
    outputTokensCap: cap,
    nowMs: nowMs(),
  });
  const prepared = preparing instanceof Promise ? await preparing : preparing;
  const exchange = new Exchange({
    endpoint,
    stream: reading.stream,
    sink: call.sink,
    deadlines: services.deadlines,
    limits: services.limits,
    nowMs,
  });
  const transport = endpoint.book === 'test' ? services.sandboxTransport : services.transport;
  const reply = await exchange.run(transport, prepared.request);
  const firstByte = exchange.firstByteMs ?? services.deadlines.now();
  const { warnings } = prepared;
  return { reply, warnings, firstByteMs: firstByte - call.startedMonotonicMs };
}

function record(candidate: Candidate, failure: AttemptFailure, ms: number): AttemptRecord {
  const { outcome, status } = failure;
  return { endpoint: candidate.endpoint.id, outcome, status, ms: Math.round(ms) };
}

/**
 * Throws a GatewayError only when nothing was dispatched; otherwise what happened must be settled.
 */
export async function attempt(
  services: GatewayServices,
  call: Call,
  asked: { readonly reading: ChatRequestReading; readonly held: Held },
): Promise<Attempted> {
  const run: Run = { services, call, ...asked };
  const { candidates } = asked.held.plan;
  const attempts: AttemptRecord[] = [];
  let last: { candidate: Candidate; failure: AttemptFailure } | null = null;
  for (const [number, candidate] of candidates.entries()) {
    if (call.sink.closed) {
      const state = number === 0 ? 'untouched' : 'failed';
      return { kind: 'gone', candidate, state, attempts, attempt: Math.max(0, number - 1) };
    }
    await openAttempt(run, candidate, number);
    if (call.sink.closed) {
      return { kind: 'gone', candidate, state: 'failed', attempts, attempt: number };
    }
    const startedMs = elapsedMs(call);
    const { reply, warnings, firstByteMs } = await tryCandidate(run, candidate);
    const served = { candidate, warnings, firstByteMs, attempts, attempt: number };
    if (reply.kind === 'stream' || reply.kind === 'whole') return { ...reply, ...served };
    if (reply.kind === 'gone') {
      const state = reply.failed ? 'failed' : 'working';
      return { kind: 'gone', candidate, state, attempts, attempt: number };
    }
    const { failure } = reply;
    attempts.push(record(candidate, failure, elapsedMs(call) - startedMs));
    last = { candidate, failure };
    logFailure(call, candidate, failure);
    if (failure.retry === 'never') break;
  }
  if (last === null) throw new GatewayError('no_healthy_endpoint');
  return { kind: 'failed', ...last, attempts, attempt: attempts.length - 1 };
}

/** Failures that the operator must mend: the provider refuses the credential that we hold. */
const OWN_FAULTS: ReadonlySet<string> = new Set(['authentication', 'permission', 'billing']);

function logFailure(call: Call, { endpoint }: Candidate, failure: AttemptFailure): void {
  const status = failure.status === null ? {} : { status: failure.status };
  const ours = OWN_FAULTS.has(failure.outcome);
  call.log.write(ours ? 'error' : 'warn', ours ? 'credential_refused' : 'attempt_failed', {
    request_id: call.id,
    endpoint: endpoint.id,
    outcome: failure.outcome,
    ...status,
    // The words of a refused request may quote it: only what failed on the way is said.
    ...(failure.error === null ? { cause: failure.cause } : {}),
  });
}

/** Headers of an answer that an upstream gave. */
export function servedHeaders(call: Call, base: HeaderList): HeaderList {
  return [...base, ['x-generation-id', call.generationId]];
}
