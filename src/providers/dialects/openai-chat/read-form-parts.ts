/**
 * Reads the content of a chat message into parts of the common form: OpenAI's own types, and those
 * of hosts that the form has a word for (video, thinking). A type that nobody here knows is refused
 * by its path: sent on blindly it would be lost.
 */
import type {
  AudioPart,
  CacheHint,
  FilePart,
  ImagePart,
  NativeFields,
  Part,
  VideoPart,
} from '#providers/form.ts';
import { isRecord, listOf, otherMembers, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import { nativeOf, readContent } from './content.ts';
import {
  audioTypeOf,
  fileTypeOf,
  readBase64,
  readImageSource,
  readSource,
} from './read-form-media.ts';

/** `path` is that of the message. Empty texts say nothing and are left out. */
export function readParts(content: unknown, path: string): readonly Part[] {
  if (typeof content === 'string') {
    return content === '' ? [] : [{ type: 'text', text: content, path: `${path}.content` }];
  }
  return listOf(content).flatMap((part, index) => {
    const read = readPart(recordOf(part), `${path}.content[${index}]`);
    return read === null ? [] : [read];
  });
}

type PartReader = (part: JsonRecord, path: string) => Part | null;

const READERS: ReadonlyMap<string, PartReader> = new Map<string, PartReader>([
  ['text', readText],
  ['image_url', (part, path) => readImage(part['image_url'], path)],
  ['input_audio', readAudio],
  ['audio_url', (part, path) => readMedia(part, path)],
  ['video_url', (part, path) => readMedia(part, path)],
  ['file', readFile],
  ['document_url', readDocument],
  ['refusal', (part, path) => readRefusal(part['refusal'], path)],
  ['thinking', readThinking],
]);

/** Members that every part may have, beside the one that is named like its type. */
const COMMON_MEMBERS = ['type', 'cache_control'];

const MEMBERS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  [...READERS.keys()].map((type) => [
    type,
    new Set([...COMMON_MEMBERS, type, ...moreMembers(type)]),
  ]),
);

/** What stands beside the member, as at Anthropic and Mistral. */
function moreMembers(type: string): readonly string[] {
  if (type === 'document_url') return ['document_name'];
  return type === 'file' ? ['citations', 'context'] : [];
}

function readPart(part: JsonRecord, path: string): Part | null {
  const type = textOf(part['type']) ?? '';
  const members = MEMBERS.get(type);
  const read = READERS.get(type)?.(part, path);
  if (read === undefined || members === undefined) {
    throw new CannotSay(`${path}.type`, 'This type of content cannot be translated.');
  }
  if (read === null) return null;
  const native = nativeOf(otherMembers(part, members));
  const cache = readCache(part, path);
  if (native === undefined && cache === undefined) return read;
  return {
    ...read,
    ...(cache === undefined ? {} : { cache }),
    ...(native === undefined ? {} : { native: { ...read.native, ...native } }),
  };
}

function readText(part: JsonRecord, path: string): Part | null {
  const text = textOf(part['text']);
  return text === undefined ? null : { type: 'text', text, path };
}

/** Of a part, or of an assistant's message. */
export function readRefusal(text: unknown, path: string): Part | null {
  const said = textOf(text);
  return said === undefined ? null : { type: 'refusal', text: said, path };
}

/** `{url, detail}` as OpenAI writes it, or a bare address. `path` is that of the part. */
export function readImage(image: unknown, path: string): ImagePart {
  const record = recordOf(image);
  const bare = textOf(image);
  const place = `${path}.image_url${bare === undefined ? '.url' : ''}`;
  const source = readImageSource(bare ?? textOf(record['url']) ?? '', place);
  const detail = readDetail(record['detail'], `${path}.image_url.detail`);
  return { type: 'image', source, path, ...(detail === undefined ? {} : { detail }) };
}

function readDetail(detail: unknown, path: string): ImagePart['detail'] {
  if (detail === null || detail === undefined) return undefined;
  if (detail === 'low' || detail === 'high' || detail === 'auto' || detail === 'original') {
    return detail;
  }
  throw new CannotSay(path, "Expected one of 'low', 'high', 'auto' and 'original'.");
}

/** Formats whose media type has another name. */
const AUDIO_TYPES: ReadonlyMap<string, string> = new Map([
  ['mp3', 'audio/mpeg'],
  ['m4a', 'audio/mp4'],
]);

/** OpenAI takes base64 and a format; some hosts take a data URL or an address in its place. */
function readAudio(part: JsonRecord, path: string): AudioPart {
  const said = recordOf(part['input_audio']);
  const text = textOf(said['data']) ?? '';
  const format = textOf(said['format'])?.toLowerCase();
  const place = `${path}.input_audio.data`;
  const named = format === undefined ? undefined : (AUDIO_TYPES.get(format) ?? `audio/${format}`);
  if (/^(?:data|https?):/i.test(text)) {
    const source = readSource(text, '', place);
    return {
      type: 'audio',
      source: named === undefined ? source : { ...source, mediaType: named },
      path,
    };
  }
  const data = readBase64(text, place);
  const mediaType = named ?? audioTypeOf(data);
  if (mediaType === undefined) {
    throw new CannotSay(`${path}.input_audio.format`, "Expected a format, such as 'wav' or 'mp3'.");
  }
  return { type: 'audio', source: { kind: 'base64', mediaType, data }, path };
}

/** `audio_url` and `video_url` of vLLM, Gemini-compatible hosts and others: like `image_url`. */
function readMedia(part: JsonRecord, path: string): AudioPart | VideoPart {
  const type = part['type'] === 'audio_url' ? 'audio' : 'video';
  const member = `${type}_url`;
  const bare = textOf(part[member]);
  const place = `${path}.${member}${bare === undefined ? '.url' : ''}`;
  const address = bare ?? textOf(recordOf(part[member])['url']) ?? '';
  return { type, source: readSource(address, `${type}/`, place), path };
}

/** An uploaded file, or its bytes as a data URL, as bare base64, or at an address (OpenRouter). */
function readFile(part: JsonRecord, path: string): FilePart {
  const said = recordOf(part['file']);
  const filename = textOf(said['filename']);
  const citable = recordOf(part['citations'])['enabled'] === true;
  const context = textOf(part['context']);
  return {
    type: 'file',
    source: readFileSource(said, filename, `${path}.file`),
    path,
    ...(filename === undefined ? {} : { filename }),
    ...(citable ? { citable } : {}),
    ...(context === undefined ? {} : { context }),
  };
}

function readFileSource(
  said: JsonRecord,
  filename: string | undefined,
  path: string,
): FilePart['source'] {
  const fileId = textOf(said['file_id']);
  if (fileId !== undefined) return { kind: 'file_id', fileId };
  const text = textOf(said['file_data']);
  if (text === undefined) throw new CannotSay(path, 'Expected file_data or file_id.');
  if (/^(?:data:|\w+:\/\/)/i.test(text)) return readSource(text, '', `${path}.file_data`);
  const data = readBase64(text, `${path}.file_data`);
  const mediaType = textOf(said['format']) ?? fileTypeOf(data, filename);
  return { kind: 'base64', mediaType, data };
}

/** Mistral's documents. */
function readDocument(part: JsonRecord, path: string): FilePart {
  const filename = textOf(part['document_name']);
  const address = textOf(part['document_url']) ?? '';
  const source = readSource(address, '', `${path}.document_url`);
  return { type: 'file', source, path, ...(filename === undefined ? {} : { filename }) };
}

/** Mistral's thinking parts of an earlier answer. */
function readThinking(part: JsonRecord, path: string): Part | null {
  const text = readContent([part])
    .runs.map((run) => run.text)
    .join('');
  return text === '' ? null : { type: 'reasoning', text, summary: false, path };
}

/**
 * Anthropic's `cache_control`, and OpenAI's `prompt_cache_breakpoint`, which names no lifetime: the
 * shorter one, since the longer costs twice as much to write.
 */
export function readCache(said: JsonRecord, path: string): CacheHint | undefined {
  const hint = said['cache_control'];
  if (hint === null || hint === undefined) {
    return isRecord(said['prompt_cache_breakpoint']) ? { lifetime: '5m' } : undefined;
  }
  const place = `${path}.cache_control`;
  if (!isRecord(hint) || hint['type'] !== 'ephemeral') {
    throw new CannotSay(place, "Expected {type: 'ephemeral'}.");
  }
  const lifetime = hint['ttl'] ?? '5m';
  if (lifetime === '5m' || lifetime === '1h') return { lifetime };
  throw new CannotSay(`${place}.ttl`, "Expected '5m' or '1h'.");
}

/** Fields of other dialects that travel beside a call or a message: Google's thought signatures. */
export function readExtraContent(said: JsonRecord): NativeFields {
  const extra = recordOf(said['extra_content']);
  return Object.fromEntries(
    Object.entries(extra).flatMap(([dialect, fields]) =>
      isRecord(fields) ? [[dialect, fields]] : [],
    ),
  );
}
