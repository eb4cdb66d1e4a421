/**
 * The chat door's way out: an answer of the common form as a chat completion, which the official
 * clients read. Usage, provider and warnings are the gateway's and stand after it.
 */
import type {
  AudioPart,
  ChatAnswer,
  ChatChoice,
  Citation,
  Part,
  ToolCallPart,
} from '#providers/form.ts';
import type { JsonRecord } from '#providers/json.ts';
import { DIALECT } from './content.ts';
import {
  annotationOf,
  callExtras,
  extraContent,
  fileEntry,
  finishWord,
  imageEntry,
  logprobsOf,
} from './write-pieces.ts';
import type { AnswerId } from './write-pieces.ts';
import { detailFrame, partDetails } from './write-reasoning.ts';

export type { AnswerId } from './write-pieces.ts';

/** Tiers by the names that OpenAI's clients know. */
const SERVICE_TIERS: ReadonlyMap<string, string> = new Map([
  ['auto', 'auto'],
  ['default', 'default'],
  ['standard', 'default'],
  ['flex', 'flex'],
  ['scale', 'scale'],
  ['priority', 'priority'],
  ['fast', 'fast'],
]);

/** The body without `usage`. */
export function writeAnswer(answer: ChatAnswer, id: AnswerId): JsonRecord {
  const tier = SERVICE_TIERS.get(answer.serviceTier ?? '');
  const fingerprint = answer.native[DIALECT]?.['system_fingerprint'];
  return {
    id: id.id,
    object: 'chat.completion',
    created: id.created,
    model: id.model,
    choices: answer.choices.map((choice) => writeChoice(choice, id)),
    ...(tier === undefined ? {} : { service_tier: tier }),
    ...(typeof fingerprint === 'string' ? { system_fingerprint: fingerprint } : {}),
  };
}

function writeChoice(choice: ChatChoice, id: AnswerId): JsonRecord {
  const message = draftMessage();
  for (const part of choice.parts) addPart(message, part, id);
  const functionCall = id.functionCall === true;
  return {
    index: choice.index,
    message: finishMessage(message, functionCall),
    finish_reason: finishWord(choice.finish, {
      calls: message.calls.length > 0,
      refusal: message.refusal !== null,
      functionCall,
    }),
    native_finish_reason: choice.finish?.native ?? null,
    logprobs: logprobsOf(choice.logprobs),
  };
}

/** A message while its parts are collected. */
interface MessageDraft {
  content: string | null;
  refusal: string | null;
  reasoning: string;
  /** The place of the next part in the message: all that was said is one place, a call is one. */
  place: number;
  hasContentPlace: boolean;
  extra: JsonRecord;
  audio: JsonRecord | null;
  readonly details: JsonRecord[];
  readonly annotations: JsonRecord[];
  readonly images: JsonRecord[];
  readonly files: JsonRecord[];
  readonly calls: ToolCallPart[];
}

function draftMessage(): MessageDraft {
  return {
    content: null,
    refusal: null,
    reasoning: '',
    place: 0,
    hasContentPlace: false,
    extra: {},
    audio: null,
    details: [],
    annotations: [],
    images: [],
    files: [],
    calls: [],
  };
}

/** Calls of hosted tools have no place in a chat message, at OpenAI neither. */
function addPart(message: MessageDraft, part: Part, id: AnswerId): void {
  switch (part.type) {
    case 'reasoning': {
      const frame = detailFrame(part, message.place);
      message.place += 1;
      message.reasoning += part.text;
      if (frame !== null) message.details.push(...partDetails(part, frame));
      return;
    }
    case 'tool_call':
      message.place += 1;
      message.calls.push(part);
      return;
    case 'text':
      addText(message, part.text, part.citations ?? []);
      message.extra = { ...message.extra, ...extraContent(part.native) };
      return;
    case 'refusal':
      message.refusal = (message.refusal ?? '') + part.text;
      break;
    case 'image':
      message.images.push(imageEntry(part.source, message.images.length));
      break;
    case 'audio':
      message.audio = writeAudio(part, id);
      break;
    case 'file':
    case 'video':
      message.files.push(fileEntry(part.source, part.type === 'file' ? part.filename : undefined));
      break;
    default:
      return;
  }
  takeContentPlace(message);
}

function takeContentPlace(message: MessageDraft): void {
  if (!message.hasContentPlace) message.place += 1;
  message.hasContentPlace = true;
}

function addText(message: MessageDraft, text: string, citations: readonly Citation[]): void {
  const span = { start: message.content?.length ?? 0, length: text.length };
  for (const citation of citations) message.annotations.push(annotationOf(citation, span));
  if (text === '') return;
  message.content = (message.content ?? '') + text;
  takeContentPlace(message);
}

/** The clients want every field. Audio that cannot be named again expires at once. */
function writeAudio(part: AudioPart, id: AnswerId): JsonRecord {
  return {
    id: part.id ?? `audio_${id.id}`,
    data: part.source.kind === 'base64' ? part.source.data : '',
    expires_at: part.expiresAt ?? id.created,
    transcript: part.transcript ?? '',
  };
}

function finishMessage(message: MessageDraft, functionCall: boolean): JsonRecord {
  const { annotations, audio, details, files, images, reasoning } = message;
  const legacy = functionCall ? message.calls[0] : undefined;
  const calls = legacy === undefined ? message.calls : message.calls.slice(1);
  return {
    role: 'assistant',
    content: message.content,
    refusal: message.refusal,
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(details.length === 0 ? {} : { reasoning_details: details }),
    ...(annotations.length === 0 ? {} : { annotations }),
    ...(legacy === undefined
      ? {}
      : { function_call: { name: legacy.name, arguments: legacy.arguments } }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map(writeCall) }),
    ...(audio === null ? {} : { audio }),
    ...(images.length === 0 ? {} : { images }),
    ...(files.length === 0 ? {} : { files }),
    ...message.extra,
  };
}

function writeCall(call: ToolCallPart): JsonRecord {
  const { id, name } = call;
  const extras = callExtras(call);
  if (call.format === 'text') {
    return { ...extras, id, type: 'custom', custom: { name, input: call.arguments } };
  }
  return { ...extras, id, type: 'function', function: { name, arguments: call.arguments } };
}
