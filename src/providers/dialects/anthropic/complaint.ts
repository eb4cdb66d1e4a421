/** What the upstream complains of inside an answer: its error object under 200 or in a stream. */
import type { UpstreamComplaint } from '#providers/form.ts';
import { isRecord, textOf } from '#providers/json.ts';
import { redact } from '../openai-chat/redact.ts';

/** The status that the same error has where it comes before the answer. */
const STATUSES: ReadonlyMap<string, number> = new Map([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['api_error', 500],
  ['timeout_error', 504],
  ['overloaded_error', 529],
]);

/** `{type: 'error', error: {type, message}}`; null where the body is something else. */
export function readComplaint(body: unknown): UpstreamComplaint | null {
  if (!isRecord(body)) return null;
  const { error } = body;
  if (body['type'] !== 'error' && !isRecord(error)) return null;
  const said = isRecord(error) ? error : body;
  const code = textOf(said['type']) ?? 'upstream_error';
  return {
    code,
    message: redact(textOf(said['message']) ?? 'The provider broke the answer off.'),
    status: STATUSES.get(code) ?? null,
  };
}
