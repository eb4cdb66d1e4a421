/**
 * Reads the refusals of the OpenAI chat family. Every host has its own envelope and its own idea of
 * a status code, so a refusal is first brought into one shape (`refusal.ts`) and then judged by the
 * rules below, from the most telling sign to the least. The judgement decides failover: a fault of
 * the host or of our credential must never look like the caller's.
 */
import type { UpstreamError, UpstreamErrorInput } from '#providers/provider.ts';
import { judge, retryOf, type ErrorKind, type ErrorRule, type Said } from '../error-rules.ts';
import { redact } from './redact.ts';
import { readRefusal } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { readRetryAfterMs } from './retry-after.ts';

/**
 * First match wins. `code` is read against code and type, both in lower case, joined by a space.
 * Facts: recordings and SDK types of 2025-2026 unless a line says otherwise.
 */
const RULES: readonly ErrorRule[] = [
  // Groq says 413 for a request larger than its tokens-per-minute limit: another host may take it.
  { kind: 'rate_limit', statuses: [413], code: /rate_limit/ },
  {
    kind: 'billing',
    code: /insufficient_(quota|balance|credits|funds)|credit_balance|billing|arrearage|exceeded_current_quota|payment_required|spend_limit/,
    message:
      /insufficient (account )?(balance|credits?|quota|funds)|exceeded your current quota|credit balance|(run|ran) out of credits|available credits|spending limit|account is in arrears|in good standing|balance is insufficient/,
  },
  { kind: 'billing', statuses: [402] },
  {
    kind: 'content_filter',
    statuses: [400, 403, 422],
    code: /content_?(filter|policy)|responsibleaipolicy|moderation|data_?inspection|safety_violation|\b1301\b|\b102[67]\b/,
    message:
      /content exists risk|content management policy|flagged (for|by|as) |inappropriate content|requires moderation/,
  },
  {
    kind: 'context_length',
    statuses: [400, 413, 422],
    code: /context_(length|window)|max_tokens_exceeded|\b1261\b/,
    message:
      /context (length|window|size)|maximum (context|sequence|prompt|input) length|(prompt|input|request) is too long|too many (input )?tokens|reduce the length|exceeds? the (model's )?(maximum|max) (number of )?(input )?tokens|range of input length/,
  },
  {
    kind: 'authentication',
    // xAI and Google answer 400 to a bad key.
    statuses: [400, 401, 403],
    code: /invalid_?api_?key|authentication|unauthenticated|unauthorized|api_key_invalid|unrecognizedclient/,
    message:
      /(incorrect|invalid|wrong|missing|no) api[- _]?key|api[- _]?key (is )?(not valid|invalid|not found|expired)|invalid (authentication|token|credentials)/,
  },
  { kind: 'authentication', statuses: [401] },
  { kind: 'permission', statuses: [403] },
  {
    kind: 'model_not_found',
    statuses: [400, 404, 422],
    // Azure's OperationNotSupported: the deployment answers no chat.
    code: /model_?not_?(found|available|supported|exist)|deploymentnotfound|operationnotsupported|invalid_model|model_?does_?not_?exist|\b1211\b/,
    message:
      /model .{0,120}(does not exist|not exist|not found|not available|is not supported on this|is not supported\. supported models)|^(invalid|unknown|no such) model|does not have access to model/,
  },
  { kind: 'model_not_found', statuses: [404, 410] },
  { kind: 'rate_limit', statuses: [429] },
  { kind: 'timeout', statuses: [408, 504, 522, 524] },
  // 498: Groq's flex tier is full. 529: overloaded, as Anthropic says it.
  { kind: 'overloaded', statuses: [498, 503, 529] },
  {
    kind: 'overloaded',
    statuses: [500, 502],
    code: /overloaded|capacity|service_unavailable/,
    message: /overloaded|at capacity/,
  },
  // The caller's fault, whatever the host calls it. 409 and 425 are about the host's state.
  { kind: 'invalid_request', statuses: [400, 406, 411, 412, 413, 414, 415, 416, 417, 422, 431] },
];

/** What is shown where the upstream's own words are none, or are a page of markup. */
const PLAIN_MESSAGES: Readonly<Record<ErrorKind, string>> = {
  invalid_request: 'The provider refused the request as invalid.',
  context_length: "The request is longer than the model's context.",
  content_filter: "The provider's content filter refused the request.",
  authentication: 'The provider refused our credential.',
  permission: 'The provider denied our credential access.',
  billing: 'The account at the provider has no credit.',
  model_not_found: 'The provider does not serve this model.',
  rate_limit: 'The provider limits the rate of requests.',
  overloaded: 'The provider is overloaded.',
  timeout: 'The provider took too long.',
  server_error: 'The provider failed.',
};

/**
 * What a host takes in another dialect only is the caller's request still, and his to read of, but
 * hosts that do not mind may be asked: https://github.com/openai/openai-openapi/issues/541.
 */
const SAID_IN_THE_WRONG_PLACE = /\buse \/v1\/responses\b/;
/** Reasoning that another account has encrypted: whoever did may be among the other targets. */
const OF_ANOTHER_PLACE = /invalid_encrypted_content/;

/**
 * What a refusal of this family means: its kind, whether another target may do better, when to come
 * back. Never throws, whatever the body is. The message is cleaned of keys and account ids.
 */
export function readError(input: UpstreamErrorInput): UpstreamError {
  const refusal = readRefusal(input.body);
  const said = saidBy(input.status, refusal);
  const kind = judge(RULES, said) ?? 'server_error';
  return {
    kind,
    retry: isMisplaced(said) ? 'elsewhere' : retryOf(kind),
    status: input.status,
    message: refusal.message === null ? PLAIN_MESSAGES[kind] : redact(refusal.message),
    code: refusal.code ?? refusal.type,
    param: refusal.param,
    retryAfterMs: readRetryAfterMs(input, refusal),
  };
}

function isMisplaced({ code, message }: Said): boolean {
  return SAID_IN_THE_WRONG_PLACE.test(message) || OF_ANOTHER_PLACE.test(code);
}

function saidBy(status: number, refusal: Refusal): Said {
  const code = [refusal.code, refusal.type, refusal.innerCode].join(' ').toLowerCase();
  return { status, code, message: withoutQuotes(refusal.message ?? '').toLowerCase() };
}

/**
 * What stands in quotes is often the caller's own text, and must not be able to pass for a fault of
 * our credential. An apostrophe inside a word opens no quote.
 */
function withoutQuotes(message: string): string {
  return message.replace(/(^|[\s(:=[])(["'`])(?:(?!\2).)*\2(?=\W|$)/gs, '$1');
}
