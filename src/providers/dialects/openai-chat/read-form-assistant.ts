/**
 * Reads an assistant's message of an earlier turn: what it thought, said and called, in the order
 * in which the answer had them, with everything that its maker wants back unchanged.
 */
import type { AudioPart, NativeFields, Part, ToolCallPart, Turn } from '#providers/form.ts';
import { isRecord, listOf, otherMembers, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import { nativeOf, ourCallId, readCall } from './content.ts';
import { legacyKey } from './read-form-calls.ts';
import type { CallBook, OpenCall } from './read-form-calls.ts';
import {
  readCache,
  readExtraContent,
  readImage,
  readParts,
  readRefusal,
} from './read-form-parts.ts';
import { readReasoningOf } from './read-form-reasoning.ts';
import type { ReasoningReading } from './read-form-reasoning.ts';

const MEMBERS = new Set([
  'role',
  'content',
  'name',
  'refusal',
  'tool_calls',
  'function_call',
  'audio',
  'images',
  'annotations',
  'reasoning',
  'reasoning_content',
  'reasoning_details',
  'cache_control',
]);

export function readAssistant(message: JsonRecord, index: number, book: CallBook): Turn {
  const path = `messages[${index}]`;
  const calls = readCalls(message, index);
  book.open(calls.map(({ open }) => open));
  const content = readSaid(message, path);
  const parts = inOrder(
    readReasoningOf(message, path),
    content,
    calls.map(({ part }) => part),
  );
  const cache = readCache(message, path);
  const last = parts.at(-1);
  if (last === undefined) {
    throw new CannotSay(`${path}.content`, 'An assistant message must not be empty.');
  }
  const name = textOf(message['name']);
  const native = nativeOf(otherMembers(message, MEMBERS));
  return {
    role: 'assistant',
    parts: cache === undefined ? parts : [...parts.slice(0, -1), { ...last, cache }],
    path,
    ...(name === undefined ? {} : { name }),
    ...(native === undefined ? {} : { native }),
  };
}

/** Text, refusal, images and audio. */
function readSaid(message: JsonRecord, path: string): readonly Part[] {
  const refusal = readRefusal(message['refusal'], `${path}.refusal`);
  const images = listOf(message['images']).map((image, index) =>
    readImage(recordOf(image)['image_url'], `${path}.images[${index}]`),
  );
  const audio = readAudio(message['audio'], `${path}.audio`);
  const text = signText(readParts(message['content'], path), readExtraContent(message));
  return [
    ...text,
    ...(refusal === null ? [] : [refusal]),
    ...images,
    ...(audio === null ? [] : [audio]),
  ];
}

/** What a maker put beside the message belongs to its last text. */
function signText(parts: readonly Part[], extra: NativeFields): readonly Part[] {
  if (Object.keys(extra).length === 0) return parts;
  const at = parts.findLastIndex((part) => part.type === 'text');
  return parts.map((part, index) =>
    index === at ? { ...part, native: { ...part.native, ...extra } } : part,
  );
}

function readAudio(audio: unknown, path: string): AudioPart | null {
  const id = textOf(recordOf(audio)['id']);
  if (id === undefined) return null;
  return { type: 'audio', id, source: { kind: 'file_id', fileId: id }, path };
}

interface CallEntry {
  readonly part: ToolCallPart;
  readonly open: OpenCall;
}

function readCalls(message: JsonRecord, index: number): readonly CallEntry[] {
  const path = `messages[${index}]`;
  const calls = listOf(message['tool_calls']).map((call, position) =>
    readOneCall(recordOf(call), {
      path: `${path}.tool_calls[${position}]`,
      ourId: ourCallId('', index, position),
    }),
  );
  const legacy = message['function_call'];
  if (!isRecord(legacy)) return calls;
  const place = { path: `${path}.function_call`, ourId: ourCallId('', index, calls.length) };
  const { part, open } = readOneCall({ function: legacy }, place);
  return [...calls, { part, open: { ...open, key: legacyKey(part.name) } }];
}

function readOneCall(
  call: JsonRecord,
  place: { readonly path: string; readonly ourId: string },
): CallEntry {
  const { path } = place;
  const reading = readCall(call);
  const { name } = reading;
  if (name === undefined) throw new CannotSay(path, 'A tool call must name its tool.');
  const id = reading.id ?? place.ourId;
  const { cache_control: _hint, ...native } = reading.native;
  const cache = readCache(call, path);
  const fields = { ...readExtraContent(call), ...nativeOf(native) };
  const part: ToolCallPart = {
    type: 'tool_call',
    id,
    ...(reading.id === undefined ? { idIsOurs: true } : {}),
    name,
    // Some hosts stream no arguments at all for a tool without parameters.
    arguments: reading.format === 'json' && reading.arguments === '' ? '{}' : reading.arguments,
    format: reading.format,
    path,
    ...(cache === undefined ? {} : { cache }),
    ...(Object.keys(fields).length === 0 ? {} : { native: fields }),
  };
  return { part, open: { key: reading.id ?? '', id, name, path } };
}

/**
 * Reasoning goes where its index says, among the rest: what was said counts as one place, each call
 * as one. Reasoning without places comes first.
 */
function inOrder(
  reasoning: readonly ReasoningReading[],
  content: readonly Part[],
  calls: readonly Part[],
): readonly Part[] {
  if (reasoning.length === 0) return content.concat(calls);
  // Nearly always: the model thought first.
  if (reasoning.every(({ index }, at) => (index ?? 0) <= at)) {
    return reasoning.map(({ part }): Part => part).concat(content, calls);
  }
  const rest = [...(content.length === 0 ? [] : [content]), ...calls.map((call) => [call])];
  const parts: Part[] = [];
  let taken = 0;
  let place = 0;
  for (const { part, index } of reasoning) {
    for (; place < (index ?? 0) && taken < rest.length; place += 1) {
      parts.push(...(rest[taken] ?? []));
      taken += 1;
    }
    parts.push(part);
    place += 1;
  }
  return [...parts, ...rest.slice(taken).flat()];
}
