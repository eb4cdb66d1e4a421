/** Google's error envelope where it comes under 200: in a stream that had begun, or alone. */
import type { UpstreamComplaint } from '#providers/form.ts';
import { isRecord, numberOf, textOf } from '#providers/json.ts';
import { redact } from '../openai-chat/redact.ts';

/** `{error: {code, message, status}}`, also as the first of a list. Null where it is none. */
export function readComplaint(body: unknown): UpstreamComplaint | null {
  const said: unknown = Array.isArray(body) ? body[0] : body;
  const error = isRecord(said) ? said['error'] : undefined;
  if (!isRecord(error)) return null;
  const status = numberOf(error['code']) ?? null;
  return {
    code: textOf(error['status']) ?? (status === null ? 'unknown' : String(status)),
    message: redact(textOf(error['message']) ?? 'The provider failed.'),
    status,
  };
}
