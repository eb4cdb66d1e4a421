/**
 * A chat request as one host wants it: spliced where the host speaks the caller's dialect,
 * translated where it does not.
 */
import { toBytes } from '#base/bytes.ts';
import { editJson, type JsonEdit } from '#base/json-edit.ts';
import type { BodyAdaptation, ChatSupport, PassThrough, Warning } from '#providers/provider.ts';
import type { ChatForm } from '#providers/form.ts';
import { unsaid } from '#providers/dialects/openai-chat/read-form.ts';
import { OWN_FIELDS } from '#wire/chat/request.ts';
import { quote } from '#wire/refusals.ts';
import { editsFor, membersOf, NO_HEADERS, refuseLoss, unspoken } from '../host-body.ts';
import type { HostBody } from '../inference.ts';
import type { Candidate } from '../plan.ts';
import { chatFor, formOf, type FormSource } from './request-form.ts';

export interface ChatSource extends FormSource {
  readonly stream: boolean;
  /** `provider.require_parameters`: only where every setting is taken as it stands. */
  readonly requireParameters: boolean;
  readonly serviceTier: string | null;
}

/** Both names of the bound on generated tokens: where we set one, neither may say otherwise. */
const LIMIT_KEYS = ['max_tokens', 'max_completion_tokens'];

function limitEdits(key: string, tokens: number): JsonEdit[] {
  const others = LIMIT_KEYS.filter((other) => other !== key);
  return [
    { op: 'set', key, json: String(tokens) },
    ...others.map((other): JsonEdit => ({ op: 'remove', key: other })),
  ];
}

function limitWarning(tokens: number): Warning {
  return {
    code: 'clamped',
    param: 'max_completion_tokens',
    message:
      `The answer was limited to ${tokens} tokens: more the credit, or the limit of the key, does not ` +
      'pay for. Raise it, or send a limit of your own.',
  };
}

/**
 * A service tier that has no price here could cost more than was held, so it is not asked for. Null
 * where there is none to leave out.
 */
function unpricedTier({ serviceTier }: ChatSource, { asked }: Candidate): Warning | null {
  if (serviceTier === null || asked !== null) return null;
  const message =
    `There is no price for service_tier ${quote(serviceTier)} here, ` +
    'so the request ran in the standard tier.';
  return { code: 'dropped', param: 'service_tier', message };
}

function acceptOf({ framing }: ChatSupport, stream: boolean): string {
  if (!stream) return 'application/json';
  return framing === 'aws-event-stream'
    ? 'application/vnd.amazon.eventstream'
    : 'text/event-stream';
}

/** The caller's request for one candidate; the cap is set where the account pays for no more. */
export function chatBodyFor(
  source: ChatSource,
  candidate: Candidate,
  outputTokensCap: number | null,
): HostBody {
  const chat = chatFor(source, candidate.endpoint);
  return chat.passThrough === undefined
    ? translateBody(source, { candidate, chat }, outputTokensCap)
    : passBody(source, { candidate, chat, passThrough: chat.passThrough }, outputTokensCap);
}

interface Host {
  readonly candidate: Candidate;
  readonly chat: ChatSupport;
}

function passBody(
  source: ChatSource,
  { candidate, chat, passThrough }: Host & { readonly passThrough: PassThrough },
  outputTokensCap: number | null,
): HostBody {
  const { index } = source;
  const { edits: adapted, warnings } = withoutUnpriced(
    passThrough.adapt(membersOf(index), candidate.endpoint.target),
    unpricedTier(source, candidate),
  );
  refuseLoss(source.requireParameters, warnings);
  const told = { accept: acceptOf(chat, source.stream), headers: NO_HEADERS };
  if (outputTokensCap === null) {
    const edits = editsFor(index, candidate, { adapted, ownFields: OWN_FIELDS });
    // The bytes as they came where this host wants nothing else.
    const body = edits.length === 0 ? index.bytes : editJson(index, edits);
    return { body, warnings, ...told };
  }
  const others = adapted.filter(({ key }) => !LIMIT_KEYS.includes(key));
  const edits = editsFor(index, candidate, { adapted: others, ownFields: OWN_FIELDS });
  edits.push(...limitEdits(passThrough.maxTokensKey, outputTokensCap));
  const body = editJson(index, edits);
  return { body, warnings: [...warnings, limitWarning(outputTokensCap)], ...told };
}

/** A host that leaves the tier out by itself has said so. */
function withoutUnpriced(adapted: BodyAdaptation, unpriced: Warning | null): BodyAdaptation {
  const { edits, warnings } = adapted;
  if (unpriced === null || edits.some(({ key }) => key === unpriced.param)) return adapted;
  return {
    edits: [...edits, { op: 'remove', key: unpriced.param }],
    warnings: [...warnings, unpriced],
  };
}

function withoutTier({ serviceTier: _tier, ...form }: ChatForm): ChatForm {
  return form;
}

/** Throws CannotSay. */
function translateBody(
  source: ChatSource,
  { candidate, chat }: Host,
  outputTokensCap: number | null,
): HostBody {
  const form = formOf(source);
  const unpriced = unpricedTier(source, candidate);
  const priced = unpriced === null ? form : withoutTier(form);
  const capped =
    outputTokensCap === null ? priced : { ...priced, maxOutputTokens: outputTokensCap };
  const encoded = chat.codec.encode(capped, candidate.endpoint.target);
  const warnings = [...encoded.warnings, ...unspoken(unsaid(form), encoded)];
  if (unpriced !== null) warnings.push(unpriced);
  refuseLoss(source.requireParameters, warnings);
  if (outputTokensCap !== null) warnings.push(limitWarning(outputTokensCap));
  return {
    body: toBytes(JSON.stringify(encoded.body)),
    accept: acceptOf(chat, source.stream),
    warnings,
    headers: encoded.headers ?? NO_HEADERS,
    ...(chat.operation === undefined ? {} : { operation: chat.operation }),
  };
}
