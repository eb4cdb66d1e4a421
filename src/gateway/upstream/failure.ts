/** Why an attempt failed, and what a caller is told when the last one did. */
import type { TransportFailure } from '#base/transport.ts';
import type { UpstreamComplaint } from '#providers/form.ts';
import type { CannotSay, UpstreamError } from '#providers/provider.ts';
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

/** What is wrong with an answer that said 200. */
export function fromComplaint(complaint: UpstreamComplaint): AttemptFailure {
  const { code, message, status } = complaint;
  return { ...NOTHING, outcome: code, retry: 'elsewhere', status, cause: message };
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
  if (error !== null && failure.retry === 'never') return refusedRequest(error, provider);
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
