/**
 * Reads Google's refusals: `{error: {code, message, status, details}}`, alone or as the first of a
 * list (streams). The status says what is wrong, its `details` say why; a bad key is a 400, and
 * what reads like a used-up quota is mostly a rate limit with a `retryDelay`.
 */
import type { UpstreamError, UpstreamErrorInput } from '#providers/provider.ts';
import { listOf, recordOf, textOf } from '#providers/json.ts';
import { judge, retryOf, type ErrorRule } from '../error-rules.ts';
import { redact } from '../openai-chat/redact.ts';
import { readRefusal } from '../openai-chat/refusal.ts';
import { readRetryAfterMs } from '../openai-chat/retry-after.ts';

/**
 * First match wins. `code` is read against google.rpc status and ErrorInfo reason, joined by a
 * space.
 * Facts: recordings of 2025-2026, https://ai.google.dev/gemini-api/docs/troubleshooting and
 * google.rpc.Code (read 2026-11).
 */
const RULES: readonly ErrorRule[] = [
  {
    kind: 'billing',
    statuses: [400, 402, 403, 429],
    code: /BILLING_DISABLED|BILLING_NOT_ACTIVE/,
    message: /enable billing|billing (to be|is not|must be) enabled|credits? (are|is) depleted/i,
  },
  {
    kind: 'authentication',
    statuses: [400, 401, 403],
    code: /API_KEY_INVALID|API_KEY_EXPIRED|ACCESS_TOKEN|UNAUTHENTICATED|CREDENTIALS_MISSING/,
    message: /api key (not valid|not found|expired)|reported as leaked/i,
  },
  { kind: 'authentication', statuses: [401] },
  {
    kind: 'context_length',
    statuses: [400, 413],
    message:
      /token count .{0,60}(exceeds|supports (only )?up to)|exceeds the maximum number of tokens/i,
  },
  { kind: 'content_filter', statuses: [400], message: /(safety|content) polic(y|ies)/i },
  // The place of our server or account, not what the caller asked.
  {
    kind: 'permission',
    statuses: [400, 403],
    code: /FAILED_PRECONDITION|PERMISSION_DENIED|SERVICE_DISABLED|BLOCKED/,
    message: /location is not supported/i,
  },
  { kind: 'permission', statuses: [403] },
  { kind: 'model_not_found', statuses: [404, 410] },
  { kind: 'rate_limit', statuses: [429] },
  { kind: 'timeout', statuses: [408, 499, 504] },
  { kind: 'overloaded', statuses: [503, 529] },
  { kind: 'overloaded', statuses: [500], message: /overloaded/i },
  { kind: 'invalid_request', statuses: [400, 405, 409, 411, 413, 414, 415, 422, 431] },
];

const PLAIN_MESSAGE = 'The provider refused the request and did not say why.';

/** What a refusal means. Never throws, whatever the body is. */
export function readError(input: UpstreamErrorInput): UpstreamError {
  const refusal = readRefusal(input.body);
  const details = listOf(refusal.native['details']).map(recordOf);
  const code = `${refusal.innerCode ?? ''} ${reasonOf(details) ?? ''}`;
  const said = { status: input.status, code, message: refusal.message ?? '' };
  const kind = judge(RULES, said) ?? 'server_error';
  return {
    kind,
    retry: retryOf(kind),
    status: input.status,
    message: redact(refusal.message ?? PLAIN_MESSAGE),
    code: reasonOf(details) ?? refusal.innerCode ?? refusal.code,
    param: fieldOf(details),
    retryAfterMs: readRetryAfterMs(input, refusal),
  };
}

type Details = readonly Readonly<Record<string, unknown>>[];

/** google.rpc.ErrorInfo. */
function reasonOf(details: Details): string | undefined {
  return details.map(({ reason }) => textOf(reason)).find((reason) => reason !== undefined);
}

/** google.rpc.BadRequest. */
function fieldOf(details: Details): string | null {
  const violations = details.flatMap(({ fieldViolations }) => listOf(fieldViolations));
  return textOf(recordOf(violations[0])['field']) ?? null;
}
