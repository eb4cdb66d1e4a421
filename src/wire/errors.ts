/**
 * Everything that can go wrong, in one table, and the one error that is thrown for it. Doors
 * write it in their own dialect (`openai-error.ts`); nothing else in the house decides a status
 * or an error code.
 */
import type { HeaderList } from '#base/sink.ts';

/**
 * What kind of trouble it is, for programs: stable across codes and dialects
 * (`metadata.error_type`).
 */
export type ErrorFamily =
  | 'invalid_request'
  | 'authentication'
  | 'permission'
  | 'billing'
  | 'not_found'
  | 'conflict'
  | 'rate_limit'
  | 'unavailable'
  | 'upstream'
  | 'internal';

/** The `type` values that users of OpenAI's API know. */
export type OpenAiErrorType =
  | 'invalid_request_error'
  | 'insufficient_quota'
  | 'idempotency_error'
  | 'rate_limit_error'
  | 'service_unavailable_error'
  | 'server_error';

export interface ErrorRow {
  readonly status: number;
  readonly type: OpenAiErrorType;
  readonly family: ErrorFamily;
  /** Said when the place that throws has nothing more exact to say. */
  readonly message: string;
  /** Whether the same request, unchanged, may succeed later: `metadata.retryable`. */
  readonly retryable: boolean;
  /** `x-should-retry`: whether the caller's client should try again by itself. */
  readonly clientRetries: boolean;
  /** Pause to ask for, ms, where `clientRetries` and nothing better is known. */
  readonly retryAfterMs?: number;
  /** What to do about it: the text of the error's documentation page. */
  readonly docs: string;
}

type RowStart = Pick<ErrorRow, 'status' | 'type' | 'family' | 'retryable' | 'clientRetries'>;

const REFUSED: RowStart = {
  status: 400,
  type: 'invalid_request_error',
  family: 'invalid_request',
  retryable: false,
  clientRetries: false,
};
const UNPAID: RowStart = { ...REFUSED, status: 402, type: 'insufficient_quota', family: 'billing' };
const CONFLICT: RowStart = {
  ...REFUSED,
  status: 409,
  type: 'idempotency_error',
  family: 'conflict',
};
/** Every target was tried before one of these is thrown: a client that retries triples the load. */
const FAILED_OVER: RowStart = {
  status: 502,
  type: 'server_error',
  family: 'upstream',
  retryable: true,
  clientRetries: false,
};

export const ERROR_TABLE = {
  invalid_request_error: {
    ...REFUSED,
    message: 'The request is not valid.',
    docs: 'The request was refused as it stands, by us or by the provider. The message says why.',
  },
  invalid_json: {
    ...REFUSED,
    message:
      'We could not parse the JSON body of your request. Send one valid JSON object in UTF-8.',
    docs: 'The body is empty, cut short, not JSON, not UTF-8, or not an object.',
  },
  repeated_key: {
    ...REFUSED,
    message: 'The body names the same field twice. Send each field once.',
    docs: 'Parsers disagree on which of two equal keys counts, so neither is taken.',
  },
  nesting_too_deep: {
    ...REFUSED,
    message: 'The body is nested too deeply.',
    docs: 'The limit is in the message. Real requests stay far below it.',
  },
  invalid_type: {
    ...REFUSED,
    message: 'A field has the wrong type.',
    docs: 'The field in `param` has another JSON type than the API takes.',
  },
  missing_required_parameter: {
    ...REFUSED,
    message: 'A required field is missing.',
    docs: 'Add the field named in `param`.',
  },
  invalid_value: {
    ...REFUSED,
    message: 'A field has a value that is not allowed.',
    docs: 'The message says which values the field in `param` takes.',
  },
  unknown_parameter: {
    ...REFUSED,
    message: 'The request has a field that does not exist here.',
    docs: 'Management routes refuse fields that they do not know, so that a typo is never ignored.',
  },
  unsupported_parameter: {
    ...REFUSED,
    message: 'The request uses a field that is not available yet.',
    docs: 'The field in `param` is part of the API but not served yet. Leave it out.',
  },
  context_length_exceeded: {
    ...REFUSED,
    message:
      'The conversation is longer than the model can take. Shorten it or choose another model.',
    docs: 'Input and requested output together must fit into the context window of the model.',
  },
  content_filter: {
    ...REFUSED,
    message: 'The provider refused the request because of its content policy.',
    docs: 'The filter is the provider’s own. Change the prompt or choose another model.',
  },
  invalid_api_key: {
    ...REFUSED,
    status: 401,
    family: 'authentication',
    message: 'The API key is not valid. Send it as "Authorization: Bearer sk-omx-...".',
    docs: 'Your own key is missing, mistyped, disabled, expired, rotated or deleted. The message says which.',
  },
  insufficient_credits: {
    ...UNPAID,
    message: 'There is not enough credit for this request. Add credit, or lower max_tokens.',
    docs: 'Credit is held for the highest possible cost of a request before it is sent.',
  },
  key_limit_exceeded: {
    ...UNPAID,
    message:
      'This request would exceed the spending limit of the API key. Raise the limit of the key.',
    docs: 'A management key raises it with PATCH /v1/keys/{hash}.',
  },
  budget_exceeded: {
    ...UNPAID,
    message: 'This request would exceed a budget of the organization or project. Raise the budget.',
    docs: 'The message names the budget, what is left of it and when it starts anew.',
  },
  max_cost_exceeded: {
    ...UNPAID,
    message: 'The request could cost more than x-omnix-max-cost allows. Nothing was sent or spent.',
    docs: 'Raise the header, or lower max_tokens.',
  },
  permission_denied: {
    ...REFUSED,
    status: 403,
    family: 'permission',
    message: 'This API key is not allowed to do that.',
    docs: 'The message names the kind of key, scope or role that is missing, or the list of the key.',
  },
  model_not_found: {
    ...REFUSED,
    status: 404,
    family: 'not_found',
    message: 'The model does not exist or you do not have access to it. See GET /v1/models.',
    docs: 'The message suggests the nearest names that your key may use.',
  },
  not_found: {
    ...REFUSED,
    status: 404,
    family: 'not_found',
    message: 'There is no such object.',
    docs: 'It does not exist, was deleted, or belongs to another organization.',
  },
  unknown_url: {
    ...REFUSED,
    status: 404,
    family: 'not_found',
    message: 'There is nothing at this URL. The API starts at /v1.',
    docs: 'Check method and path against the reference.',
  },
  method_not_allowed: {
    ...REFUSED,
    status: 405,
    message: 'This URL does not take that method.',
    docs: 'The `allow` header lists the methods that it takes.',
  },
  request_timeout: {
    ...REFUSED,
    status: 408,
    retryable: true,
    clientRetries: true,
    message: 'The request did not arrive in time.',
    docs: 'The body came too slowly. Nothing was sent upstream and nothing was spent.',
  },
  idempotency_key_reused: {
    ...CONFLICT,
    message:
      'This Idempotency-Key was used for another request: its path or its body was another. ' +
      'Use a new key.',
    docs: 'A key stands for one path and one body, for 24 hours. The first answer stays stored.',
  },
  idempotency_in_progress: {
    ...CONFLICT,
    retryable: true,
    clientRetries: true,
    retryAfterMs: 1000,
    message: 'A request with this Idempotency-Key is still running. Try again in a moment.',
    docs: 'Once it has ended, the same request gets its stored answer.',
  },
  idempotency_outcome_unknown: {
    ...CONFLICT,
    message: 'A request with this Idempotency-Key was interrupted and its outcome is unknown.',
    docs:
      'It was interrupted, its client left in the middle of the stream, or its answer was larger ' +
      'than the 1 MiB that is kept. The message says which, and where its receipt is. It is never ' +
      'run again under this key. Use a new key if it must run.',
  },
  request_too_large: {
    ...REFUSED,
    status: 413,
    message: 'The request is too large.',
    docs: 'The limit is in the message: bytes of the body (413) or of the headers (431).',
  },
  unsupported_media_type: {
    ...REFUSED,
    status: 415,
    message: 'Send the body as JSON, with the header "content-type: application/json".',
    docs: 'Also content encodings that we do not read are refused with this code.',
  },
  rate_limit_exceeded: {
    ...REFUSED,
    status: 429,
    type: 'rate_limit_error',
    family: 'rate_limit',
    retryable: true,
    clientRetries: true,
    retryAfterMs: 1000,
    message: 'Too many requests. Wait as long as the retry-after header says.',
    docs: '`metadata.limit_source` says whose limit it is: the key’s, the organization’s, or upstream.',
  },
  internal_error: {
    ...FAILED_OVER,
    status: 500,
    family: 'internal',
    message: 'Something went wrong on our side. Quote the request id when you report it.',
    docs: 'It is not retried by clients because we cannot say how far the request came.',
  },
  upstream_error: {
    ...FAILED_OVER,
    message: 'The provider failed to answer.',
    docs: 'Every endpoint of the model that could serve the request was tried.',
  },
  no_healthy_endpoint: {
    ...FAILED_OVER,
    status: 503,
    type: 'service_unavailable_error',
    message: 'No endpoint can serve this model now. Try again later or name another model.',
    docs: 'All endpoints are failing or none fits what the request asks for.',
  },
  service_unavailable: {
    ...FAILED_OVER,
    status: 503,
    type: 'service_unavailable_error',
    family: 'unavailable',
    clientRetries: true,
    retryAfterMs: 1000,
    message: 'The service cannot take the request now. Try again in a moment.',
    docs: 'The gateway is starting, draining or overloaded, or cannot reach its database.',
  },
  upstream_timeout: {
    ...FAILED_OVER,
    status: 504,
    message: 'The provider did not answer in time.',
    docs: 'Every endpoint of the model that could serve the request was tried.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_TABLE;

/** Whose limit refused: told as `metadata.limit_source`. */
export type LimitSource =
  | 'account'
  | 'key'
  | 'budget'
  | 'project'
  | 'organization'
  | 'request'
  | 'gateway'
  | 'upstream';

export interface ErrorDetail {
  /** Without it the row's own message is said. Never a secret, a host or a prompt. */
  readonly message?: string;
  /** Path of the field at fault, such as `messages[0].content`. */
  readonly param?: string | null;
  /** Only for codes that stand for several statuses (431, an upstream's 422). */
  readonly status?: number;
  /** Public name of the provider that failed. */
  readonly provider?: string | null;
  readonly limitSource?: LimitSource | null;
  readonly retryAfterMs?: number | null;
  /** Overrides the row: false once other targets were tried. */
  readonly shouldRetry?: boolean;
  /** Further headers of the answer, such as `allow`. */
  readonly headers?: HeaderList;
  /** For the log only; never written to a client. */
  readonly cause?: unknown;
}

/** A longer pause is not honoured by the official clients: they would come back at once. */
const HONOURED_RETRY_MS_MAX = 60_000;

const NO_DETAIL = {
  param: null,
  provider: null,
  limitSource: null,
  retryAfterMs: null,
  headers: [],
} as const satisfies ErrorDetail;

/** What a door answers instead of a result. The only error whose message reaches a client. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly type: OpenAiErrorType;
  readonly param: string | null;
  readonly metadata: {
    readonly errorType: ErrorFamily;
    readonly provider: string | null;
    readonly limitSource: LimitSource | null;
    readonly retryable: boolean;
  };
  readonly retryAfterMs: number | null;
  readonly shouldRetry: boolean;
  readonly headers: HeaderList;

  constructor(code: ErrorCode, detail: ErrorDetail = {}) {
    const row: ErrorRow = ERROR_TABLE[code];
    const { message, status, cause, ...given } = { ...NO_DETAIL, ...detail };
    super(message ?? row.message, cause === undefined ? {} : { cause });
    this.code = code;
    this.status = status ?? row.status;
    this.type = row.type;
    this.param = given.param;
    this.metadata = {
      errorType: row.family,
      provider: given.provider,
      limitSource: given.limitSource,
      retryable: row.retryable,
    };
    this.shouldRetry = given.shouldRetry ?? (row.clientRetries && isHonoured(given.retryAfterMs));
    this.retryAfterMs = given.retryAfterMs ?? (this.shouldRetry ? usualPauseMs(row) : null);
    this.headers = given.headers;
  }
}

function isHonoured(retryAfterMs: number | null): boolean {
  return retryAfterMs === null || retryAfterMs <= HONOURED_RETRY_MS_MAX;
}

function usualPauseMs(row: ErrorRow): number | null {
  return row.retryAfterMs ?? null;
}

/**
 * Anything thrown, as an error that may be shown: a stranger becomes `internal_error` and its
 * cause.
 */
export function toGatewayError(thrown: unknown): GatewayError {
  return thrown instanceof GatewayError
    ? thrown
    : new GatewayError('internal_error', { cause: thrown });
}
