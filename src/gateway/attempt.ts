/**
 * Attempt: the only loop over targets in the house. Tries the plan's candidates in order until one
 * answers; nothing has reached the client before that, so a failure is invisible (promise 12).
 */
import { describeError } from '#base/describe-error.ts';
import { endOfLife } from '#catalog/lifecycle.ts';
import type { Awaitable, Result } from '#base/result.ts';
import type { HeaderList } from '#base/sink.ts';
import type { LedgerFailure } from '#ledger/ledger.ts';
import { CannotSay, type Warning } from '#providers/provider.ts';
import { GatewayError } from '#wire/errors.ts';
import { elapsedMs, type Call } from './call.ts';
import type { WholeAnswer } from './answer.ts';
import type { InferenceRequest } from './inference.ts';
import { affordableTokens } from './affordable.ts';
import { fewWarnings } from './few-warnings.ts';
import type { Held } from './hold.ts';
import type { Candidate } from './plan.ts';
import type { GatewayServices } from './dependencies.ts';
import { Exchange, type LiveStream, type Reply } from './upstream/exchange.ts';
import {
  fromCannotSay,
  NotDispatched,
  toClientError,
  unreadable,
  type AttemptFailure,
} from './upstream/failure.ts';
import { PieceRun } from './upstream/pieces.ts';
import {
  prepareRequest,
  type Piece,
  type PreparedRequest,
  type PrepareOptions,
} from './upstream/prepare.ts';

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
  readonly request: InferenceRequest;
  readonly held: Held;
}

function requireRecorded(opened: Result<void, LedgerFailure>): void {
  if (opened.ok) return;
  throw new GatewayError('service_unavailable', {
    message:
      'The request cannot be recorded now, and nothing runs unrecorded. Try again in a moment.',
    cause: opened.error.cause,
  });
}

/** A defect of ours in one provider must not take the others down with it. */
function failureOf(thrown: unknown): AttemptFailure {
  if (thrown instanceof CannotSay) return fromCannotSay(thrown);
  if (thrown instanceof NotDispatched) return thrown.failure;
  return unreadable('internal_error', describeError(thrown));
}

/** At once where the host's credentials are. */
function prepare(run: Run, candidate: Candidate): Awaitable<PreparedRequest | AttemptFailure> {
  const { services, call, request, held } = run;
  const options = {
    outputTokensCap: held.capped ? affordableTokens(candidate, held.hold.amount) : null,
    nowMs: call.clock.nowMs(),
    tokenExchange: services.tokenExchange,
  };
  try {
    const cut = request.piecesFor(candidate.endpoint);
    if (cut.length > 1) return preparePieces(cut, candidate, options).catch(failureOf);
    const preparing = prepareRequest(request, candidate, options);
    return preparing instanceof Promise ? preparing.catch(failureOf) : preparing;
  } catch (thrown) {
    return failureOf(thrown);
  }
}

/** All of them before the first is sent: one that this host cannot take refuses the request. */
async function preparePieces(
  cut: readonly InferenceRequest[],
  candidate: Candidate,
  options: PrepareOptions,
): Promise<PreparedRequest> {
  const pieces: Piece[] = [];
  for (const request of cut) {
    pieces.push({ request, prepared: await prepareRequest(request, candidate, options) });
  }
  const [first] = pieces;
  if (first === undefined) throw new Error('a request was cut into no pieces');
  return { ...first.prepared, pieces };
}

interface Sent {
  /** Null where it never came to be. */
  readonly exchange: Exchange | PieceRun | null;
  /** Never rejects. */
  readonly reply: Awaitable<Reply>;
}

function failedReply(thrown: unknown): Reply {
  return { kind: 'failed', failure: failureOf(thrown) };
}

function send(run: Run, candidate: Candidate, prepared: PreparedRequest): Sent {
  const { services, call } = run;
  const { endpoint } = candidate;
  const open = (request: InferenceRequest): Exchange =>
    new Exchange({
      endpoint,
      request,
      generationId: call.generationId,
      sink: call.sink,
      deadlines: services.deadlines,
      limits: services.limits,
      nowMs: () => call.clock.nowMs(),
    });
  const { pieces, request } = prepared;
  const transport = endpoint.book === 'test' ? services.sandboxTransport : services.transport;
  try {
    if (pieces.length === 0) {
      const exchange = open(run.request);
      return { exchange, reply: exchange.run(transport, request) };
    }
    const exchange = new PieceRun(pieces, { open, transport, sink: call.sink });
    return { exchange, reply: exchange.run(run.request).catch(failedReply) };
  } catch (thrown) {
    return { exchange: null, reply: failedReply(thrown) };
  }
}

/** From the request's start. */
function firstByteOf({ services, call }: Run, exchange: Sent['exchange']): number {
  return (exchange?.firstByteMs ?? services.deadlines.now()) - call.startedMonotonicMs;
}

/** A token that the host does not take is not shown to it again. */
function forgetRefused(
  { tokenExchange }: GatewayServices,
  { tokenKey }: PreparedRequest,
  { status }: AttemptFailure,
): void {
  if (tokenKey !== null && status === 401) tokenExchange.forget(tokenKey);
}

/** Whoever uses a model that is about to end hears of it with every answer. */
function withEnd(
  warnings: readonly Warning[],
  { model, endpoint }: Candidate,
  nowMs: number,
): readonly Warning[] {
  const { shutdown } = endpoint;
  if (shutdown === null) return warnings;
  const end = endOfLife({ id: model.id, shutdown, successor: model.successor }, nowMs);
  if (end === null) return warnings;
  return [...warnings, { code: 'deprecated', param: 'model', message: end.message }];
}

/** What has been tried so far. */
interface Progress {
  readonly attempts: AttemptRecord[];
  /** Attempts that were opened: the only ones that the ledger knows. */
  opened: number;
  /** What the caller is told if nothing more can be tried. */
  last: { readonly candidate: Candidate; readonly failure: AttemptFailure } | null;
}

function noteFailure(
  run: Run,
  progress: Progress,
  failed: { candidate: Candidate; failure: AttemptFailure; startedMs: number },
): void {
  const { candidate, failure, startedMs } = failed;
  const { outcome, status, refusal } = failure;
  const ms = Math.round(elapsedMs(run.call) - startedMs);
  progress.attempts.push({ endpoint: candidate.endpoint.id, outcome, status, ms });
  // That one endpoint cannot take the request says nothing where another failed at it.
  if (refusal === null || progress.last === null || progress.last.failure.refusal !== null) {
    progress.last = { candidate, failure };
  }
  logFailure(run.call, candidate, failure);
}

function leave(
  progress: Progress,
  candidate: Candidate,
  state: Extract<Attempted, { kind: 'gone' }>['state'],
): Attempted {
  const { attempts, opened } = progress;
  return { kind: 'gone', candidate, state, attempts, attempt: Math.max(0, opened - 1) };
}

/** Nobody could serve. Of what was never sent there is nothing to settle. */
function giveUp({ attempts, opened, last }: Progress): Attempted {
  if (last === null) throw new GatewayError('no_healthy_endpoint');
  const { failure, candidate } = last;
  if (opened === 0) throw toClientError(failure, candidate.endpoint.providerName, attempts.length);
  return { kind: 'failed', candidate, failure, attempts, attempt: opened - 1 };
}

/**
 * Throws a GatewayError only when nothing was dispatched; otherwise what happened must be settled.
 */
export async function attempt(
  services: GatewayServices,
  call: Call,
  asked: { readonly request: InferenceRequest; readonly held: Held },
): Promise<Attempted> {
  const run: Run = { services, call, ...asked };
  const progress: Progress = { attempts: [], opened: 0, last: null };
  for (const candidate of asked.held.plan.candidates) {
    if (call.sink.closed) {
      return leave(progress, candidate, progress.opened === 0 ? 'untouched' : 'failed');
    }
    const startedMs = elapsedMs(call);
    const preparing = prepare(run, candidate);
    const prepared = preparing instanceof Promise ? await preparing : preparing;
    if ('outcome' in prepared) {
      noteFailure(run, progress, { candidate, failure: prepared, startedMs });
      continue;
    }
    const number = progress.opened;
    const { hold } = asked.held;
    requireRecorded(await services.ledger.open(hold, number, candidate.inputCost));
    progress.opened += 1;
    if (call.sink.closed) return leave(progress, candidate, 'failed');
    const { exchange, reply: replying } = send(run, candidate, prepared);
    const reply = await replying;
    if (reply.kind === 'stream' || reply.kind === 'whole') {
      const firstByteMs = firstByteOf(run, exchange);
      const warnings = withEnd(fewWarnings(prepared.warnings), candidate, call.clock.nowMs());
      const { attempts } = progress;
      return { ...reply, candidate, warnings, firstByteMs, attempts, attempt: number };
    }
    if (reply.kind === 'gone') {
      return leave(progress, candidate, reply.failed ? 'failed' : 'working');
    }
    forgetRefused(services, prepared, reply.failure);
    noteFailure(run, progress, { candidate, failure: reply.failure, startedMs });
    if (reply.failure.retry === 'never') break;
  }
  return giveUp(progress);
}

/** Failures that the operator must mend: the provider refuses the credential that we hold. */
const OWN_FAULTS: ReadonlySet<string> = new Set(['authentication', 'permission', 'billing']);

/** `insufficient_quota`, `ThrottlingException`, `1301`: words or a number, and never a key. */
const UPSTREAM_CODE = /^(?:\d{1,5}|[a-z]{1,32}(?:[_.-][a-z]{1,32}){0,7})$/i;

/** The upstream's own name for it, unless it is no name. */
function codeOf(error: AttemptFailure['error']): string | undefined {
  const code = error?.code ?? '';
  return UPSTREAM_CODE.test(code) ? code : undefined;
}

function logFailure(call: Call, { endpoint }: Candidate, failure: AttemptFailure): void {
  // Nothing is unwell, and the words may quote the request.
  if (failure.refusal !== null) return;
  const status = failure.status === null ? {} : { status: failure.status };
  const ours = OWN_FAULTS.has(failure.outcome);
  call.log.write(ours ? 'error' : 'warn', ours ? 'credential_refused' : 'attempt_failed', {
    request_id: call.id,
    endpoint: endpoint.id,
    outcome: failure.outcome,
    ...status,
    // The words of a refused request may quote it: only what failed on the way is said.
    ...(failure.error === null ? { cause: failure.cause } : {}),
    upstream_code: codeOf(failure.error),
  });
}

/** Headers of an answer that an upstream gave. */
export function servedHeaders(call: Call, base: HeaderList): HeaderList {
  return [...base, ['x-generation-id', call.generationId]];
}
