/**
 * What the SDK throws: a class for each status that callers tell apart, with the code, the ids and
 * what the gateway says about trying again. No error holds an API key or what was sent.
 */
import type { ErrorCode } from './generated/operations.ts';
import type { ErrorResponse } from './generated/types.ts';
import { isRecord, parseJson } from './json.ts';

/** The ancestor of everything that the SDK throws. */
export class OmniXError extends Error {
  override readonly name: string = 'OmniXError';
}

/** No answer, or not all of it: a name that cannot be found, a connection that broke. */
export class APIConnectionError extends OmniXError {
  override readonly name: string = 'APIConnectionError';
}

/** The other side was silent for longer than `timeout`. */
export class APIConnectionTimeoutError extends APIConnectionError {
  override readonly name: string = 'APIConnectionTimeoutError';
}

/** The caller's own AbortSignal ended it. */
export class APIUserAbortError extends OmniXError {
  override readonly name: string = 'APIUserAbortError';
}

export type ErrorMetadata = ErrorResponse['error']['metadata'];

/** What an error is made from. */
export interface ErrorAnswer {
  /** Null for an error that ended a stream, whose status was 200. */
  readonly status: number | null;
  readonly headers: Headers;
  /** The body, or the data of the event: text that should be JSON. */
  readonly text: string;
}

/** The gateway refused or failed. */
export class APIError extends OmniXError {
  override readonly name: string = 'APIError';
  /** Null where the error ended a stream that had begun. */
  readonly status: number | null;
  /** For programs. Null where something else than the gateway answered. */
  readonly code: ErrorCode | (string & Record<never, never>) | null;
  readonly type: string | null;
  /** Path of the field, the header or the query parameter at fault. */
  readonly param: string | null;
  readonly metadata: ErrorMetadata | null;
  /** `req_...`: what to quote. */
  readonly requestId: string | null;
  /** `gen_...`: for `generations.retrieve`, where something was generated. */
  readonly generationId: string | null;
  readonly headers: Headers;

  constructor(answer: ErrorAnswer) {
    const { status, headers, text } = answer;
    const { message, code, type, param, metadata } = readError(text);
    super(status === null ? message : `${status} ${message}`);
    this.status = status;
    this.code = code;
    this.type = type;
    this.param = param;
    this.metadata = metadata;
    this.headers = headers;
    this.requestId = headers.get('x-request-id') ?? metadata?.request_id ?? null;
    this.generationId = headers.get('x-generation-id');
  }
}

/** 400: the request is not valid. */
export class BadRequestError extends APIError {
  override readonly name = 'BadRequestError';
}

/** 401: the API key is missing or not valid. */
export class AuthenticationError extends APIError {
  override readonly name = 'AuthenticationError';
}

/** 402: credit, a limit, a budget or `maxCost` does not cover the request. */
export class PaymentRequiredError extends APIError {
  override readonly name = 'PaymentRequiredError';
}

/** 403: the API key may not do that. */
export class PermissionDeniedError extends APIError {
  override readonly name = 'PermissionDeniedError';
}

/** 404: no such model or object. */
export class NotFoundError extends APIError {
  override readonly name = 'NotFoundError';
}

/** 409: the idempotency key is taken. */
export class ConflictError extends APIError {
  override readonly name = 'ConflictError';
}

/** 422: the provider refused the request as it stands. */
export class UnprocessableEntityError extends APIError {
  override readonly name = 'UnprocessableEntityError';
}

/** 429: too many requests. */
export class RateLimitError extends APIError {
  override readonly name = 'RateLimitError';
}

/** 500 and more: the gateway or every provider failed. */
export class InternalServerError extends APIError {
  override readonly name = 'InternalServerError';
}

type ErrorClass = new (answer: ErrorAnswer) => APIError;

const BY_STATUS: ReadonlyMap<number, ErrorClass> = new Map<number, ErrorClass>([
  [400, BadRequestError],
  [401, AuthenticationError],
  [402, PaymentRequiredError],
  [403, PermissionDeniedError],
  [404, NotFoundError],
  [409, ConflictError],
  [422, UnprocessableEntityError],
  [429, RateLimitError],
]);

/** An error that ended a stream has no status of its own, but a kind. */
const BY_KIND: Readonly<Record<ErrorMetadata['error_type'], ErrorClass>> = {
  invalid_request: BadRequestError,
  authentication: AuthenticationError,
  permission: PermissionDeniedError,
  billing: PaymentRequiredError,
  not_found: NotFoundError,
  conflict: ConflictError,
  rate_limit: RateLimitError,
  unavailable: InternalServerError,
  upstream: InternalServerError,
  internal: InternalServerError,
};

function classOf({ status, text }: ErrorAnswer): ErrorClass {
  if (status !== null) {
    return BY_STATUS.get(status) ?? (status >= 500 ? InternalServerError : APIError);
  }
  const kind = readError(text).metadata?.error_type;
  return (kind === undefined ? undefined : BY_KIND[kind]) ?? APIError;
}

/** The error of an answer, in the class of its status. */
export function toApiError(answer: ErrorAnswer): APIError {
  return new (classOf(answer))(answer);
}

interface ErrorFields {
  readonly message: string;
  readonly code: string | null;
  readonly type: string | null;
  readonly param: string | null;
  readonly metadata: ErrorMetadata | null;
}

/** What the envelope holds, as far as it is one: a proxy on the way may answer too. */
function readError(text: string): ErrorFields {
  const body = parseJson<Partial<ErrorResponse> | null>(text);
  const error: Partial<ErrorResponse['error']> = isRecord(body?.error) ? body.error : {};
  return {
    message: textOf(error.message) ?? 'The answer is no error of OmniX: is baseURL right?',
    code: textOf(error.code),
    type: textOf(error.type),
    param: textOf(error.param),
    metadata: isRecord(error.metadata) ? error.metadata : null,
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
