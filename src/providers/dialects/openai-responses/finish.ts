/** How a response ended: its status, why it is incomplete, what it failed with. */
import type { Finish, UpstreamComplaint } from '#providers/form.ts';
import { isRecord, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { redact } from '../openai-chat/redact.ts';

/** Null while the response is not at its end. `calls`: whether it calls a tool of the caller's. */
export function toFinish(response: JsonRecord, calls: boolean): Finish | null {
  const native = textOf(response['status']);
  if (native === 'completed') return { reason: calls ? 'tool_calls' : 'stop', native };
  if (native === 'cancelled') return { reason: 'cancelled', native };
  if (native === 'failed') return { reason: 'error', native };
  if (native !== 'incomplete') return null;
  const reason = textOf(recordOf(response['incomplete_details'])['reason']) ?? native;
  return { reason: reason === 'content_filter' ? reason : 'length', native: reason };
}

/** HTTP statuses of the codes that a response fails with; others are the server's. */
const STATUSES: ReadonlyMap<string, number> = new Map([
  ['rate_limit_exceeded', 429],
  ['invalid_prompt', 400],
  ['context_length_exceeded', 400],
  ['server_is_overloaded', 503],
  ['slow_down', 429],
  ['insufficient_quota', 429],
  ['server_error', 500],
]);

/**
 * What went wrong: `error` of a failed response, of an envelope, or the flat event `error`. Null
 * where nothing did.
 */
export function readComplaint(body: unknown): UpstreamComplaint | null {
  if (!isRecord(body)) return null;
  const flat = body['type'] === 'error' && !isRecord(body['error']);
  const error = flat ? body : body['error'];
  if (isRecord(error)) return complaintOf(error);
  return body['status'] === 'failed' ? complaintOf({}) : null;
}

function complaintOf(error: JsonRecord): UpstreamComplaint {
  const type = textOf(error['type']);
  const code = textOf(error['code']) ?? (type === 'error' ? undefined : type) ?? 'upstream_error';
  const message = textOf(error['message']) ?? 'The provider broke the answer off.';
  return { code, message: redact(message), status: STATUSES.get(code) ?? null };
}
