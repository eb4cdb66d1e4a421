/** Why Converse ended an answer, and what it complains of in the middle of one. */
import type { Finish, FinishReason, UpstreamComplaint } from '#providers/form.ts';
import { isRecord, numberOf, parseJson, recordOf, textOf } from '#providers/json.ts';
import { redactAws } from './redact.ts';

const REASONS: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['tool_use', 'tool_calls'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['content_filtered', 'content_filter'],
  ['guardrail_intervened', 'content_filter'],
  ['refusal', 'refusal'],
  ['pause_turn', 'pause'],
  ['malformed_model_output', 'error'],
  ['malformed_tool_use', 'error'],
]);

/**
 * Ours for Converse's word. `calls`: whether the caller has a tool to run; the call that carries a
 * structured answer is none. An unknown word means that the answer did end.
 */
export function toFinish(said: unknown, calls: boolean): Finish {
  const native = textOf(said) ?? '';
  const reason = REASONS.get(native) ?? 'stop';
  return { reason: reason === 'tool_calls' && !calls ? 'stop' : reason, native };
}

/** The service's exceptions and the status with which each stands outside a stream. */
const STATUSES: ReadonlyMap<string, number> = new Map([
  ['throttlingexception', 429],
  ['modelnotreadyexception', 429],
  ['servicequotaexceededexception', 400],
  ['validationexception', 400],
  ['accessdeniedexception', 403],
  ['resourcenotfoundexception', 404],
  ['modeltimeoutexception', 408],
  ['modelerrorexception', 424],
  ['modelstreamerrorexception', 424],
  ['internalserverexception', 500],
  ['serviceunavailableexception', 503],
]);

/** Exceptions come as `throttlingException` in a stream and as `ThrottlingException` elsewhere. */
export function isException(event: string): boolean {
  return /(?:exception|error|failure)$/i.test(event);
}

/** The exception of this name; `data` is its JSON, or the words of a transport's error. */
export function toComplaint(event: string, data: unknown): UpstreamComplaint {
  const said = isRecord(data) ? data : {};
  const words =
    textOf(said['message']) ?? textOf(said['Message']) ?? textOf(said['originalMessage']);
  const message = words ?? textOf(data) ?? 'The provider broke the answer off.';
  const status = STATUSES.get(event.toLowerCase()) ?? numberOf(said['originalStatusCode']) ?? null;
  return { code: event, message: redactAws(message), status };
}

/** `{message}` or a coral `__type` where an answer should stand; null where one stands. */
export function readComplaint(body: unknown): UpstreamComplaint | null {
  if (!isRecord(body) || isRecord(body['output'])) return null;
  const coral = recordOf(body['Output']);
  const type = exceptionName(textOf(body['__type']) ?? textOf(coral['__type']));
  const worded = textOf(body['message']) ?? textOf(body['Message']);
  if (type === null && worded === undefined) return null;
  return toComplaint(type ?? 'upstream_error', body);
}

/** `com.amazon.coral.service#ThrottlingException:http://...` without what stands around it. */
export function exceptionName(said: string | undefined): string | null {
  const name = said?.replace(/^.*#/, '').replace(/:.*$/, '').trim() ?? '';
  return name === '' ? null : name;
}

/** The payload of a frame: JSON, or text where the transport itself speaks. */
export function payloadOf(data: string): unknown {
  return parseJson(data) ?? data;
}
