/**
 * Reads refusals of the Messages API: `{type: 'error', error: {type, message, details}}`. The type
 * mostly repeats the status; what money and limits have to do with it stands in the words, or in
 * `details.error_code`.
 */
import type { UpstreamError, UpstreamErrorInput } from '#providers/provider.ts';
import { recordOf, textOf } from '#providers/json.ts';
import { judge, retryOf, type ErrorRule, type Said } from '../error-rules.ts';
import { redact } from '../openai-chat/redact.ts';
import { readRefusal, type Refusal } from '../openai-chat/refusal.ts';
import { readRetryAfterMs } from '../openai-chat/retry-after.ts';

/** First match wins. `code` is read against the error's type and code, joined by a space. */
const RULES: readonly ErrorRule[] = [
  {
    kind: 'billing',
    statuses: [400, 402, 403, 429],
    code: /billing|spend_limit/,
    message: /credit balance is too low|specified api usage limits|spend(ing)? limit/,
  },
  { kind: 'billing', statuses: [402] },
  {
    kind: 'permission',
    statuses: [400, 403],
    code: /permission_error|organization_|cmek_/,
    message: /organization has been disabled|not allowed for this organization/,
  },
  {
    kind: 'context_length',
    statuses: [400, 413],
    message:
      /prompt is too long|exceeds? (the )?context (limit|window)|exceed context limit|too many (total )?(text )?tokens|input is too long/,
  },
  {
    kind: 'content_filter',
    statuses: [400],
    message: /blocked by content filtering|violates? our usage policy/,
  },
  { kind: 'authentication', statuses: [400, 401], code: /authentication_error/ },
  { kind: 'authentication', statuses: [401] },
  { kind: 'permission', statuses: [403] },
  // Ids of files, containers and skills in the request are the caller's.
  {
    kind: 'invalid_request',
    statuses: [404],
    message: /\b(file|container|skill)s? .{0,200}not found|no such (file|container|skill)/,
  },
  { kind: 'model_not_found', statuses: [404, 410] },
  {
    kind: 'model_not_found',
    statuses: [400],
    message: /model .{0,120}(does not exist|not found|is not (available|supported) on)/,
  },
  { kind: 'rate_limit', statuses: [429] },
  { kind: 'rate_limit', code: /rate_limit_error|ramp_limit/ },
  { kind: 'timeout', statuses: [408, 504, 522, 524] },
  { kind: 'overloaded', statuses: [503, 529] },
  { kind: 'overloaded', code: /overloaded_error|compaction_unavailable/ },
  { kind: 'invalid_request', statuses: [400, 406, 411, 412, 413, 414, 415, 422, 431] },
];

/** What is shown where the upstream's own words are none. */
const PLAIN_MESSAGE = 'The provider refused the request.';

/** Never throws. Only the message of `retry: 'never'` is made to be shown. */
export function readError(input: UpstreamErrorInput): UpstreamError {
  const refusal = readRefusal(input.body);
  const details = recordOf(refusal.native['details']);
  const code = textOf(details['error_code']) ?? refusal.code ?? refusal.type;
  const kind = judge(RULES, saidBy(input.status, refusal, code)) ?? 'server_error';
  return {
    kind,
    retry: retryOf(kind),
    status: input.status,
    message: refusal.message === null ? PLAIN_MESSAGE : redact(refusal.message),
    code,
    param: refusal.param,
    retryAfterMs: readRetryAfterMs(input, refusal) ?? readLimitReset(input),
  };
}

function saidBy(status: number, refusal: Refusal, code: string | null): Said {
  const message = withoutQuotes(refusal.message ?? '').toLowerCase();
  return { status, code: [refusal.type, code].join(' ').toLowerCase(), message };
}

/** What stands in quotes is the caller's text, and must not pass for words of the upstream. */
function withoutQuotes(message: string): string {
  return message.replace(/(^|[\s(:=[])(["'])(?:(?!\2).)*\2(?=\W|$)/gs, '$1');
}

const RESET_HEADER = /^anthropic-(?:priority-)?ratelimit-(.+)-reset$/;

/**
 * Without `retry-after`, the reset times of used-up limits (RFC 3339) tell when to come back; of
 * several the latest.
 */
function readLimitReset(input: UpstreamErrorInput): number | null {
  if (input.status !== 429) return null;
  let latest: number | null = null;
  for (const [name, value] of Object.entries(input.headers)) {
    if (!RESET_HEADER.test(name) || value === undefined) continue;
    const left = input.headers[name.replace(/-reset$/, '-remaining')];
    if (left === undefined || Number(left) > 0) continue;
    const at = Date.parse(value);
    if (!Number.isNaN(at)) latest = Math.max(latest ?? 0, at - input.nowMs);
  }
  return latest === null ? null : Math.min(Math.max(latest, 0), 24 * 60 * 60 * 1_000);
}
