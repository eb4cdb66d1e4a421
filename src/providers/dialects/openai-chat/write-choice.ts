/**
 * The chunks of one choice of a stream. JSON is put together as text: all but the new words is the
 * same in every chunk, and a stream has thousands of them.
 */
import type { ChatEvent, Citation, Finish, Part } from '#providers/form.ts';
import type { JsonRecord } from '#providers/json.ts';
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
import { detailFrame, partDetails, signatureDetail, textDetail } from './write-reasoning.ts';
import type { DetailFrame } from './write-reasoning.ts';

type ChoiceEvent = Extract<ChatEvent, { readonly choice: number }>;
type Said<Type extends ChoiceEvent['type']> = Extract<ChoiceEvent, { readonly type: Type }>;

export interface ChoiceWriter {
  /** The chunk that says who speaks, unless it was sent. */
  begin(): string;
  write(event: ChoiceEvent): string;
}

/** What is remembered of a part while it grows. */
type Growing =
  | { readonly kind: 'text'; start: number; length: number }
  | {
      readonly kind: 'reasoning';
      readonly value: Extract<Part, { type: 'reasoning' }>;
      frame: DetailFrame | null;
      readonly place: number;
    }
  | {
      readonly kind: 'call';
      readonly index: number;
      readonly member: 'function' | 'custom' | 'legacy';
    }
  | { readonly kind: 'audio'; expires: boolean }
  | { readonly kind: 'image'; readonly mediaType: string; data: string }
  | { readonly kind: 'other' };

interface ChoiceState {
  readonly id: AnswerId;
  readonly parts: Map<number, Growing>;
  readonly citations: { readonly citation: Citation; readonly part: number }[];
  textLength: number;
  /** As in `write-answer.ts`. */
  place: number;
  hasContentPlace: boolean;
  calls: number;
  images: number;
  refused: boolean;
}

/** `head` is the chunk up to the members of its delta. */
export function choiceWriter(head: string, id: AnswerId): ChoiceWriter {
  const state: ChoiceState = {
    id,
    parts: new Map(),
    citations: [],
    textLength: 0,
    place: 0,
    hasContentPlace: false,
    calls: 0,
    images: 0,
    refused: false,
  };
  let prefix = `${head}"role":"assistant"`;
  let begun = false;
  let finished = false;

  /** One chunk. `members` is JSON text of the delta's members. */
  const chunk = (members: string, ending = '"finish_reason":null'): string => {
    if (begun) return `${head}${members}},${ending}}]}\n\n`;
    begun = true;
    const text = `${prefix}${members === '' ? '' : ','}${members}},${ending}}]}\n\n`;
    prefix = '';
    return text;
  };

  return {
    begin: () => (begun ? '' : chunk('"content":null')),
    write(event) {
      if (event.type === 'text_delta') {
        return event.text === '' ? '' : chunk(grownText(state, event));
      }
      if (event.type === 'logprobs') {
        const logprobs = logprobsOf(event.value);
        if (logprobs === null) return '';
        return chunk('', `"logprobs":${JSON.stringify(logprobs)},"finish_reason":null`);
      }
      if (event.type === 'finish') {
        if (finished) return '';
        finished = true;
        const sources = annotations(state);
        return (sources === '' ? '' : chunk(sources)) + chunk('', ending(state, event.finish));
      }
      const members = deltaOf(state, event);
      return members === '' ? '' : chunk(members);
    },
  };
}

type DeltaEvent = Exclude<ChoiceEvent, Said<'text_delta'> | Said<'logprobs'> | Said<'finish'>>;

/** JSON text of the delta's members; '' where the event says nothing to a chat client. */
function deltaOf(state: ChoiceState, event: DeltaEvent): string {
  switch (event.type) {
    case 'part_start':
      return openPart(state, event);
    case 'reasoning_delta':
      return grownReasoning(state, event);
    case 'refusal_delta':
      return said(state, 'refusal', event.text);
    case 'arguments_delta':
      return grownCall(state, event);
    case 'media_delta':
      return grownMedia(state, event);
    case 'signature':
      return signed(state, event);
    case 'citation':
      state.citations.push({ citation: event.citation, part: event.part });
      return '';
    case 'part_stop':
      return closePart(state, event);
  }
}

function openPart(state: ChoiceState, event: Said<'part_start'>): string {
  const { part, value } = event;
  switch (value.type) {
    case 'text': {
      state.parts.set(part, { kind: 'text', start: state.textLength, length: 0 });
      for (const citation of value.citations ?? []) state.citations.push({ citation, part });
      const extra = membersOf(extraContent(value.native));
      return joined(value.text === '' ? '' : grownText(state, { part, text: value.text }), extra);
    }
    case 'reasoning':
      return openReasoning(state, part, value);
    case 'tool_call':
      return openCall(state, part, value);
    case 'refusal':
      return said(state, 'refusal', value.text);
    case 'audio': {
      const { id, expiresAt, source, transcript } = value;
      takeContentPlace(state);
      state.parts.set(part, { kind: 'audio', expires: expiresAt !== undefined });
      const audio = { id: id ?? `audio_${state.id.id}`, expires_at: expiresAt, transcript };
      const data = source.kind === 'base64' && source.data !== '' ? { data: source.data } : {};
      return membersOf({ audio: { ...audio, ...data } });
    }
    case 'image': {
      const { source } = value;
      takeContentPlace(state);
      if (source.kind !== 'base64' || source.data !== '') return imageOf(state, source);
      state.parts.set(part, { kind: 'image', mediaType: source.mediaType, data: '' });
      return '';
    }
    case 'file':
    case 'video': {
      takeContentPlace(state);
      const filename = value.type === 'file' ? value.filename : undefined;
      return membersOf({ files: [fileEntry(value.source, filename)] });
    }
    default:
      state.parts.set(part, { kind: 'other' });
      return '';
  }
}

type ReasoningValue = Extract<Part, { readonly type: 'reasoning' }>;
type CallValue = Extract<Part, { readonly type: 'tool_call' }>;

function openReasoning(state: ChoiceState, part: number, value: ReasoningValue): string {
  const { place } = state;
  state.place += 1;
  const frame = detailFrame(value, place);
  // The texts that follow must not carry the blob's bytes along.
  const { encrypted: _encrypted, text, ...kept } = value;
  state.parts.set(part, { kind: 'reasoning', value: { ...kept, text: '' }, frame, place });
  const details = frame === null ? [] : partDetails(value, frame);
  return joined(
    text === '' ? '' : `"reasoning_content":${JSON.stringify(text)}`,
    details.length === 0 ? '' : membersOf({ reasoning_details: details }),
  );
}

function openCall(state: ChoiceState, part: number, value: CallValue): string {
  const { id, name } = value;
  const legacy = state.id.functionCall === true && state.calls === 0;
  const index = state.calls - (state.id.functionCall === true ? 1 : 0);
  state.calls += 1;
  state.place += 1;
  if (legacy) {
    state.parts.set(part, { kind: 'call', index: 0, member: 'legacy' });
    return membersOf({ function_call: { name, arguments: value.arguments } });
  }
  const member = value.format === 'text' ? 'custom' : 'function';
  state.parts.set(part, { kind: 'call', index, member });
  const called =
    member === 'custom'
      ? { custom: { name, input: value.arguments } }
      : { function: { name, arguments: value.arguments } };
  return membersOf({ tool_calls: [{ ...callExtras(value), index, id, type: member, ...called }] });
}

function grownText(
  state: ChoiceState,
  event: { readonly part: number; readonly text: string },
): string {
  const { part, text } = event;
  let grown = state.parts.get(part);
  if (grown?.kind !== 'text') {
    grown = { kind: 'text', start: state.textLength, length: 0 };
    state.parts.set(part, grown);
  }
  if (grown.length === 0) grown.start = state.textLength;
  grown.length += text.length;
  state.textLength += text.length;
  takeContentPlace(state);
  return `"content":${JSON.stringify(text)}`;
}

function grownReasoning(state: ChoiceState, event: Said<'reasoning_delta'>): string {
  if (event.text === '') return '';
  const plain = `"reasoning_content":${JSON.stringify(event.text)}`;
  const grown = state.parts.get(event.part);
  const frame = grown?.kind === 'reasoning' ? grown.frame : null;
  if (frame === null) return plain;
  return `${plain},"reasoning_details":[${JSON.stringify(textDetail(frame, event.text))}]`;
}

function grownCall(state: ChoiceState, event: Said<'arguments_delta'>): string {
  const grown = state.parts.get(event.part);
  if (grown?.kind !== 'call' || event.text === '') return '';
  const text = JSON.stringify(event.text);
  if (grown.member === 'legacy') return `"function_call":{"arguments":${text}}`;
  const growth =
    grown.member === 'custom' ? `"custom":{"input":${text}}` : `"function":{"arguments":${text}}`;
  return `"tool_calls":[{"index":${grown.index},${growth}}]`;
}

function grownMedia(state: ChoiceState, event: Said<'media_delta'>): string {
  const grown = state.parts.get(event.part);
  if (grown?.kind === 'image') grown.data += event.data;
  if (grown?.kind !== 'audio') return '';
  const { data, transcript } = event;
  return membersOf({ audio: { ...(data === '' ? {} : { data }), transcript } });
}

function signed(state: ChoiceState, event: Said<'signature'>): string {
  const grown = state.parts.get(event.part);
  if (grown?.kind !== 'reasoning') return '';
  const { signature } = event;
  grown.frame ??= detailFrame({ ...grown.value, signature }, grown.place);
  const details = grown.frame === null ? [] : [signatureDetail(grown.frame, signature)];
  return membersOf({ reasoning_details: details });
}

/** What came late: fields of other dialects, an image's last bytes, the end of audio. */
function closePart(state: ChoiceState, event: Said<'part_stop'>): string {
  const grown = state.parts.get(event.part);
  const extra = extraContent(event.native);
  switch (grown?.kind) {
    case 'text':
      return membersOf(extra);
    case 'call':
      if (grown.member === 'legacy' || Object.keys(extra).length === 0) return '';
      return membersOf({ tool_calls: [{ index: grown.index, ...extra }] });
    case 'audio':
      return grown.expires ? '' : membersOf({ audio: { expires_at: state.id.created } });
    case 'image': {
      const { data, mediaType } = grown;
      grown.data = '';
      return data === '' ? '' : imageOf(state, { kind: 'base64', mediaType, data });
    }
    default:
      return '';
  }
}

function said(state: ChoiceState, member: 'refusal', text: string): string {
  if (text === '') return '';
  state.refused = true;
  takeContentPlace(state);
  return `"${member}":${JSON.stringify(text)}`;
}

function imageOf(state: ChoiceState, source: Parameters<typeof imageEntry>[0]): string {
  const image = imageEntry(source, state.images);
  state.images += 1;
  return membersOf({ images: [image] });
}

function takeContentPlace(state: ChoiceState): void {
  if (!state.hasContentPlace) state.place += 1;
  state.hasContentPlace = true;
}

function annotations(state: ChoiceState): string {
  if (state.citations.length === 0) return '';
  const told = state.citations.map(({ citation, part }) => {
    const grown = state.parts.get(part);
    return annotationOf(citation, grown?.kind === 'text' ? grown : { start: 0, length: 0 });
  });
  return membersOf({ annotations: told });
}

/** The members of the choice after its last delta. */
function ending(state: ChoiceState, finish: Finish): string {
  const word = finishWord(finish, {
    calls: state.calls > 0,
    refusal: state.refused,
    functionCall: state.id.functionCall === true,
  });
  return `"finish_reason":"${word}","native_finish_reason":${JSON.stringify(finish.native)}`;
}

/** A record's members as JSON text, without the braces. */
function membersOf(record: JsonRecord): string {
  return JSON.stringify(record).slice(1, -1);
}

function joined(first: string, second: string): string {
  return first === '' || second === '' ? first + second : `${first},${second}`;
}
