/**
 * The family's own dialect in and out: the caller's bytes go on, and only what a host is known to
 * refuse or to spell differently is changed, with a warning each. Usage in streams is always asked
 * for, since without it a stream could only be counted.
 */
import type {
  BodyAdaptation,
  BodyEdit,
  BodyMembers,
  PassThrough,
  Warning,
} from '#providers/provider.ts';
import type { UpstreamComplaint } from '#providers/form.ts';
import { isRecord, listOf, parseJson, recordOf } from '#providers/json.ts';
import type { ChatHabits } from './habits.ts';
import { adaptMessages, changesMessages } from './messages.ts';
import { redact } from './redact.ts';
import { refusalOf } from './refusal.ts';
import { readUsage } from './usage.ts';

/** Values that ask for nothing: dropping them loses nothing and needs no warning. */
const IDLE_VALUES: ReadonlySet<string> = new Set(['null', 'false', '[]', '{}', '""']);

/** Builds the pass-through of a host from what is particular to it. */
export function passThrough(habits: ChatHabits): PassThrough {
  return {
    maxTokensKey: habits.maxTokensKey,
    adapt: (body) => adapt(body, habits),
    readUsage: (body) => readUsage(body, habits.usage),
    readComplaint,
    ...habits.rewrites,
  };
}

function adapt(body: BodyMembers, habits: ChatHabits): BodyAdaptation {
  const edits: BodyEdit[] = [];
  const warnings: Warning[] = [];
  const changes = { edits, warnings };
  for (const key of Object.keys(habits.drops)) dropMember(body, key, { ...changes, habits });
  for (const [from, to] of Object.entries(habits.renames)) rename(body, { from, to }, changes);
  if (habits.renamesMaxTokens) {
    const to = habits.maxTokensKey;
    rename(
      body,
      { from: to === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens', to },
      changes,
    );
  }
  if (changesMessages(habits)) {
    const messages = adaptMessages(body.raw('messages'), habits);
    edits.push(...messages.edits);
    warnings.push(...messages.warnings);
  }
  askForUsage(body, habits, edits);
  return { edits, warnings };
}

interface Changes {
  readonly edits: BodyEdit[];
  readonly warnings: Warning[];
}

function dropMember(
  body: BodyMembers,
  key: string,
  changes: Changes & { readonly habits: ChatHabits },
): void {
  const raw = body.raw(key)?.trim();
  if (raw === undefined) return;
  changes.edits.push({ op: 'remove', key });
  // One choice is what every host answers with anyway.
  if (IDLE_VALUES.has(raw) || (key === 'n' && raw === '1')) return;
  const message = changes.habits.drops[key] ?? '';
  changes.warnings.push({ code: 'dropped', param: key, message });
}

/** Both names mean the same; where the caller sent both, the host's own stays. */
function rename(
  body: BodyMembers,
  names: { readonly from: string; readonly to: string },
  changes: Changes,
): void {
  const { from, to } = names;
  if (!body.has(from)) return;
  const own = body.raw(to)?.trim();
  if (own !== undefined && own !== 'null') {
    changes.edits.push({ op: 'remove', key: from });
    const message = `${to} was sent too and is the name that this provider knows.`;
    changes.warnings.push({ code: 'ignored', param: from, message });
    return;
  }
  if (own !== undefined) changes.edits.push({ op: 'remove', key: to });
  changes.edits.push({ op: 'rename', key: from, to });
  changes.warnings.push({
    code: 'renamed',
    param: from,
    message: `This provider knows it as ${to}.`,
  });
}

/**
 * Streams always carry usage upstream; whether the caller sees the extra chunk is the gateway's
 * choice. A `stream_options` that is no object is the caller's error and goes on as it is, to be
 * refused.
 */
function askForUsage(body: BodyMembers, habits: ChatHabits, edits: BodyEdit[]): void {
  const raw = body.raw('stream_options');
  if (habits.streamUsage === 'unasked') {
    if (raw !== undefined) edits.push({ op: 'remove', key: 'stream_options' });
    return;
  }
  if (body.raw('stream')?.trim() !== 'true') return;
  const sent = raw === undefined ? null : parseJson(raw);
  if (sent !== null && !isRecord(sent)) return;
  if (sent?.['include_usage'] === true) return;
  const json = JSON.stringify({ ...sent, include_usage: true });
  edits.push({ op: 'set', key: 'stream_options', json });
}

/**
 * A refusal inside an answer that had begun with 200: `{"error": ...}` as a stream event (OpenAI,
 * vLLM, OpenRouter beside choices, Groq under `event: error`), in a choice (OpenRouter), MiniMax's
 * `base_resp`, or flat `{code, message}` without choices. Null where the body is an answer.
 */
export function readComplaint(body: unknown): UpstreamComplaint | null {
  if (!isRecord(body)) return null;
  const refusal = findRefusal(body);
  if (refusal === null) return null;
  const status = statusOf(refusal.native['status_code']) ?? statusOf(refusal.native['status']);
  return {
    code: refusal.code ?? refusal.type ?? 'upstream_error',
    message: redact(refusal.message ?? 'The provider broke the answer off.'),
    status: status ?? statusOf(refusal.code),
  };
}

function findRefusal(body: Readonly<Record<string, unknown>>): ReturnType<typeof refusalOf> {
  const error = body['error'];
  if (error !== undefined && error !== null && error !== '') return refusalOf({ error });
  if (body['base_resp'] !== undefined) {
    const refusal = refusalOf({ base_resp: body['base_resp'] });
    if (refusal !== null) return refusal;
  }
  const choices = body['choices'];
  if (choices === undefined) return body['object'] === 'error' ? refusalOf(body) : readBare(body);
  const inChoice = recordOf(listOf(choices)[0])['error'];
  return isRecord(inChoice) ? refusalOf({ error: inChoice }) : null;
}

/** A body without choices that speaks of a failure, as FastAPI and gateways in between do. */
function readBare(body: Readonly<Record<string, unknown>>): ReturnType<typeof refusalOf> {
  const speaks = body['detail'] !== undefined || typeof body['message'] === 'string';
  return speaks ? refusalOf(body) : null;
}

function statusOf(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && number >= 400 && number <= 599 ? number : null;
}
