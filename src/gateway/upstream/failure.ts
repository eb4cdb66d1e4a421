/** Why an attempt failed, and what a caller is told when the last one did. */
import { toBytes } from '#base/bytes.ts';
import type { TransportFailure } from '#base/transport.ts';
import type { UpstreamComplaint } from '#providers/form.ts';
import type { CannotSay, UpstreamError, UpstreamErrorInput } from '#providers/provider.ts';
import { GatewayError, type ErrorCode } from '#wire/errors.ts';

export interface AttemptFailure {
  /** One word for receipts and logs. */
  readonly outcome: string;
  /** Whether another target may do better. */
  readonly retry: 'elsewhere' | 'never';
  /** The upstream's status, if it came that far. */
  readonly status: number | null;
  readonly error: UpstreamError | null;
  readonly timeout: boolean;
  /**
   * Why this endpoint cannot take the request as it stands: our words to the caller. Nothing was
   * sent.
   */
  readonly refusal: { readonly param: string; readonly message: string } | null;
  /** For the log; may name hosts. */
  readonly cause: string;
}

const NOTHING = { status: null, error: null, timeout: false, refusal: null } as const;

export function fromTransport(failure: TransportFailure): AttemptFailure {
  const timeout = failure.kind === 'connect_timeout';
  return { ...NOTHING, outcome: failure.kind, retry: 'elsewhere', timeout, cause: failure.message };
}

export function fromSilence(what: string, waitedMs: number): AttemptFailure {
  const cause = `${what} did not come within ${Math.round(waitedMs)} ms`;
  return { ...NOTHING, outcome: 'timeout', retry: 'elsewhere', timeout: true, cause };
}

export function fromUpstreamError(error: UpstreamError): AttemptFailure {
  const { kind, retry, status, message } = error;
  const timeout = kind === 'timeout';
  return { ...NOTHING, outcome: kind, retry, status, error, timeout, cause: message };
}

/** What we find wrong with an answer that said 200, in our words. */
const FINDINGS: ReadonlyMap<string, string> = new Map([
  ['malformed_answer', 'the answer cannot be read'],
  ['empty_answer', 'there is nothing in the answer'],
  ['malformed_event', 'an event cannot be read'],
  ['malformed_stream', 'the events contradict one another'],
  ['event_too_large', 'an event is too large'],
  ['truncated', 'the answer was cut off'],
]);

/** The status that would have said the same, where a complaint has none. */
const STATUSES: readonly (readonly [RegExp, number])[] = [
  [/rate_?limit|too_many_requests|slow_down/, 429],
  [/context_length|invalid_(request|prompt)/, 400],
  [/authentication|api_key|unauthori[sz]ed/, 401],
  [/permission|forbidden/, 403],
  [/overloaded|unavailable|capacity/, 503],
  [/time_?out|timed_out/, 504],
];

function statusOf({ code, status }: UpstreamComplaint): number {
  const word = code.toLowerCase();
  return status ?? STATUSES.find(([said]) => said.test(word))?.[1] ?? 500;
}

/** Reads what an upstream says in an answer that said 200, as the same words with a status. */
export type ReadComplaint = (said: Pick<UpstreamErrorInput, 'status' | 'body'>) => UpstreamError;

/**
 * What is wrong with an answer that said 200. What the upstream complains of there is judged by the
 * rules for its refusals: the caller's own fault is told to the caller, and tried nowhere else.
 */
export function fromComplaint(complaint: UpstreamComplaint, read: ReadComplaint): AttemptFailure {
  const { code, message, status } = complaint;
  const found = status === null ? FINDINGS.get(code) : undefined;
  if (found !== undefined) return unreadable(code, found);
  // Each dialect looks for its words in another of these places.
  const error = { message, code, type: code, status: code };
  const body = toBytes(JSON.stringify({ message, __type: code, error }));
  return { ...fromUpstreamError(read({ status: statusOf(complaint), body })), status };
}

export function unreadable(outcome: string, cause: string): AttemptFailure {
  return { ...NOTHING, outcome, retry: 'elsewhere', cause };
}

/** Another endpoint may be able to say it. */
export function fromCannotSay({ param, message }: CannotSay): AttemptFailure {
  const refusal = { param, message };
  return { ...NOTHING, outcome: 'cannot_say', retry: 'elsewhere', refusal, cause: message };
}

/** Thrown on the way to an attempt: nothing has been sent, and this is why. */
export class NotDispatched extends Error {
  override readonly name = 'NotDispatched';
  readonly failure: AttemptFailure;

  constructor(failure: AttemptFailure) {
    super(failure.cause);
    this.failure = failure;
  }
}

const CALLER_CODES: Readonly<Partial<Record<UpstreamError['kind'], ErrorCode>>> = {
  context_length: 'context_length_exceeded',
  content_filter: 'content_filter',
};

/** What an upstream says of the request itself, whether or not another might have taken it. */
function callersOwn({ error, retry }: AttemptFailure): UpstreamError | null {
  return error !== null && (retry === 'never' || error.kind === 'invalid_request') ? error : null;
}

/** The caller's own fault, said by the upstream: its words, its status. */
function refusedRequest(error: UpstreamError, provider: string): GatewayError {
  return new GatewayError(CALLER_CODES[error.kind] ?? 'invalid_request_error', {
    message: error.message,
    param: error.param,
    // Never a 401 or 403: those would speak of the caller's key.
    status: [400, 404, 409, 413, 415, 422].includes(error.status) ? error.status : 400,
    provider,
    limitSource: 'upstream',
  });
}

const FREE = 'Nothing was charged.';

/**
 * The answer of the client when no target is left. Says nothing of hosts or credentials of ours.
 */
export function toClientError(
  failure: AttemptFailure,
  provider: string,
  attempts: number,
): GatewayError {
  const { error, refusal } = failure;
  if (refusal !== null) return new GatewayError('invalid_request_error', refusal);
  const asked = callersOwn(failure);
  if (asked !== null) return refusedRequest(asked, provider);
  const tried =
    attempts === 1 ? 'The only endpoint' : `The last of the ${attempts} endpoints that were tried`;
  if (error?.kind === 'rate_limit') {
    return new GatewayError('rate_limit_exceeded', {
      message: `${tried} is rate-limited by its provider now. ${FREE} Try again later.`,
      provider,
      limitSource: 'upstream',
      retryAfterMs: error.retryAfterMs,
      shouldRetry: false,
    });
  }
  if (error?.kind === 'overloaded') {
    return new GatewayError('no_healthy_endpoint', {
      message: `${tried} is overloaded at its provider. ${FREE} Try again later.`,
      provider,
      retryAfterMs: error.retryAfterMs,
    });
  }
  if (failure.timeout) {
    const message = `${tried} did not answer in time. ${FREE}`;
    return new GatewayError('upstream_timeout', { message, provider });
  }
  const status = failure.status === null ? '' : ` with status ${failure.status}`;
  const message = `${tried} failed${status} (${failure.outcome}). ${FREE}`;
  return new GatewayError('upstream_error', { message, provider });
}

/** The error event of a stream that broke after it had begun. */
export function toStreamError(failure: AttemptFailure, provider: string): GatewayError {
  const said = failure.timeout ? 'The provider fell silent.' : 'The provider broke the answer off.';
  const message = `${said} (${failure.outcome}) The answer is incomplete; nothing was charged.`;
  const code = failure.timeout ? 'upstream_timeout' : 'upstream_error';
  return new GatewayError(code, { message, provider });
}
