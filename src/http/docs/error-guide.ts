/**
 * What the error page says of each code besides the table: where it comes from, and what to do.
 */
import type { ErrorCode } from '#wire/errors.ts';

export interface Guidance {
  readonly cause: string;
  readonly remedy: string;
}

const RETRIED_LATER = 'Try again later, or name another model, or fallbacks in `models`.';

export const ERROR_GUIDE: Readonly<Record<ErrorCode, Guidance>> = {
  invalid_request_error: {
    cause:
      'The provider refused the request (`metadata.provider` says which), no endpoint can take it ' +
      'as it stands, or it was no valid HTTP.',
    remedy: 'Change what the message names. The same request fails again.',
  },
  invalid_json: {
    cause: 'The body is empty, cut short, in another encoding, or a list or a bare value.',
    remedy:
      'Send one JSON object in UTF-8. The message says at which byte it stopped making sense.',
  },
  repeated_key: {
    cause: 'Two members of one object have the same name, perhaps written with an escape.',
    remedy: 'Send the field in `param` once.',
  },
  nesting_too_deep: {
    cause: 'Lists or objects stand inside each other more often than the limit allows.',
    remedy: 'Flatten the body, or send the inner part as a string.',
  },
  invalid_type: {
    cause: 'A number stands where text belongs, or the like; often a quoted number or boolean.',
    remedy: 'Send the type that the message names.',
  },
  missing_required_parameter: {
    cause: 'The field or query parameter in `param` is not there, or its name has a typo.',
    remedy: 'Add it. The reference at /docs has an example of each request.',
  },
  invalid_value: {
    cause: 'The value has the right type, and is outside of what is allowed.',
    remedy: 'Choose one of the values or a number in the range that the message names.',
  },
  unknown_parameter: {
    cause: 'Most often a typo, or a field of another API.',
    remedy: 'Take the field out, or write it as the reference does.',
  },
  unsupported_parameter: {
    cause: 'The field, header or model suffix exists in the contract, and is not served yet.',
    remedy: 'Leave it out; the message says what to do instead.',
  },
  context_length_exceeded: {
    cause: 'Messages, tools and the answer’s limit together are longer than the context window.',
    remedy:
      'Shorten the conversation, lower `max_completion_tokens`, or choose a model with more ' +
      '`context_length` (GET /v1/models?context=...).',
  },
  content_filter: {
    cause: 'A policy of the provider matched the request.',
    remedy: 'Change the prompt, or choose a model of another provider. Nothing was charged.',
  },
  invalid_api_key: {
    cause:
      'No header carries a key, the key has a typo (its checksum fails), it is a key of somebody ' +
      'else’s API, or it was disabled, deleted or has expired.',
    remedy:
      'Send `Authorization: Bearer sk-omx-...` with a key of this gateway. A management key makes ' +
      'new ones with POST /v1/keys.',
  },
  insufficient_credits: {
    cause:
      'The highest possible cost of the request is more than what is left, less what running ' +
      'requests hold.',
    remedy:
      'Grant credit (POST /v1/credits/grants with a management key), lower ' +
      '`max_completion_tokens`, or wait until running requests end. GET /v1/credits shows both.',
  },
  key_limit_exceeded: {
    cause: 'The key has a limit of its own, and the request could cost more than is left of it.',
    remedy: 'Raise `limit` with PATCH /v1/keys/{hash} and a management key; GET /v1/key shows it.',
  },
  budget_exceeded: {
    cause: 'A budget of the organization or project covers the key, and too little of it is left.',
    remedy: 'Raise the budget that the message names, or wait until it starts anew.',
  },
  max_cost_exceeded: {
    cause: 'The highest possible cost of the request is above the header of that name.',
    remedy: 'Raise `x-omnix-max-cost`, or lower `max_completion_tokens`.',
  },
  permission_denied: {
    cause:
      'The kind of key does not fit: management keys never run inference, inference keys never ' +
      'manage, test keys reach only `sandbox/` models; or the key is not allowed this model.',
    remedy: 'Use a key of the kind that the message names.',
  },
  model_not_found: {
    cause:
      'The name has a typo, no configured provider serves it, it was shut down, or the key may not use it.',
    remedy: 'Take one of the names that the message suggests, or one of GET /v1/models.',
  },
  not_found: {
    cause: 'The id has a typo, belongs to another organization, or what it named was deleted.',
    remedy: 'Check the id. A receipt appears within a second of the end of its request.',
  },
  unknown_url: {
    cause: 'Method and path together name no route.',
    remedy: 'Set the base URL to this gateway with /v1 at the end; /docs lists the routes.',
  },
  method_not_allowed: {
    cause: 'The path exists, and takes other methods.',
    remedy: 'Use one of the methods in the `allow` header.',
  },
  request_timeout: {
    cause: 'The connection was slow or broke off while the request was sent.',
    remedy: 'Send it again; official clients do so by themselves.',
  },
  idempotency_key_reused: {
    cause: 'An earlier request had the same `Idempotency-Key`, and another path or body.',
    remedy: 'Use a new key for a new request, and the same key only to repeat one.',
  },
  idempotency_in_progress: {
    cause: 'The first request with this `Idempotency-Key` has not ended.',
    remedy: 'Try again in a moment with the same key; official clients do so by themselves.',
  },
  idempotency_outcome_unknown: {
    cause:
      'The first request with this `Idempotency-Key` ran, and there is no answer to replay: the ' +
      'gateway stopped, you closed the stream, or the answer was larger than 1 MiB.',
    remedy: 'Look at what it did (its receipt is named), and use a new key if it must run again.',
  },
  request_too_large: {
    cause: 'The body (413) or the headers (431) have more bytes than the limit in the message.',
    remedy: 'Send large images and files by address and not inline, or split the request.',
  },
  unsupported_media_type: {
    cause: 'The `content-type` is not JSON, or a `content-encoding` such as gzip is set.',
    remedy: 'Send plain JSON with `content-type: application/json`.',
  },
  rate_limit_exceeded: {
    cause: '`metadata.limit_source` says whose limit: `upstream` is that of the provider.',
    remedy:
      'Wait as long as `retry-after` says. Where `x-should-retry` is false, every endpoint was ' +
      'tried: come back later, or name fallbacks in `models`.',
  },
  internal_error: {
    cause: 'A mistake of the gateway.',
    remedy: 'Report it with `metadata.request_id`; the log of the server has the cause under it.',
  },
  upstream_error: {
    cause: 'The provider broke off, answered with an error, or with something unreadable.',
    remedy: `${RETRIED_LATER} A broken answer is not charged.`,
  },
  no_healthy_endpoint: {
    cause: 'The endpoints are overloaded or failing, or none has what the request asks for.',
    remedy: RETRIED_LATER,
  },
  service_unavailable: {
    cause: 'The gateway starts or stops, is overloaded, or cannot reach its database.',
    remedy: 'Try again after `retry-after`; GET /ready tells when it is ready.',
  },
  upstream_timeout: {
    cause: 'The provider accepted the request and stayed silent too long.',
    remedy: `${RETRIED_LATER} Streams begin sooner than whole answers end.`,
  },
};
