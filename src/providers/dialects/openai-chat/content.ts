/**
 * The pieces that answers and streams of the family share: content arrays, reasoning in its four
 * places, citations, tool calls. Each is read into the words of the common form; what has no word
 * stays native.
 */
import type { Citation, NativeFields } from '#providers/form.ts';
import { isRecord, listOf, numberOf, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';

/** The name under which this dialect keeps its native fields. */
export const DIALECT = 'openai-chat';

/** Native fields of this dialect; undefined where there are none. */
export function nativeOf(fields: JsonRecord): NativeFields | undefined {
  return Object.keys(fields).length === 0 ? undefined : { [DIALECT]: fields };
}

/** A run of text of one kind, in order. */
export interface TextRun {
  readonly kind: 'text' | 'reasoning';
  readonly text: string;
}

export interface ContentReading {
  readonly runs: readonly TextRun[];
  /** Parts without text: Mistral's references, images. They stay as they are. */
  readonly others: readonly unknown[];
}

/**
 * `content` as text, or as Mistral's array of `{type: 'text' | 'thinking' | 'reference'}`, where a
 * thinking part holds text or a list of text parts.
 */
export function readContent(content: unknown): ContentReading {
  const plain = textOf(content);
  if (plain !== undefined) return { runs: [{ kind: 'text', text: plain }], others: [] };
  const runs: TextRun[] = [];
  const others: unknown[] = [];
  for (const part of listOf(content)) {
    const run = readRun(part);
    if (run === null) others.push(part);
    else if (run.text !== '') runs.push(run);
  }
  return { runs, others };
}

function readRun(part: unknown): TextRun | null {
  if (typeof part === 'string') return { kind: 'text', text: part };
  const record = recordOf(part);
  if (record['type'] === 'thinking') {
    return { kind: 'reasoning', text: joinedText(record['thinking']) };
  }
  const text = record['text'];
  return typeof text === 'string' ? { kind: 'text', text } : null;
}

function joinedText(thinking: unknown): string {
  if (typeof thinking === 'string') return thinking;
  return listOf(thinking)
    .map((piece) => textOf(recordOf(piece)['text']) ?? '')
    .join('');
}

/**
 * Reasoning as plain text: `reasoning_content` (DeepSeek and most) or `reasoning` (Groq, Ollama
 * ...).
 */
export function plainReasoning(message: JsonRecord): string | undefined {
  return textOf(message['reasoning_content']) ?? textOf(message['reasoning']);
}

/**
 * One of OpenRouter's `reasoning_details`: text with a signature, a summary, or an encrypted blob.
 */
export interface ReasoningDetail {
  /** What tells one block from another across the deltas of a stream. */
  readonly key: string;
  readonly text: string;
  readonly summary: boolean;
  readonly id?: string;
  readonly signature?: string;
  readonly encrypted?: string;
  readonly native: JsonRecord;
}

export function readReasoningDetails(message: JsonRecord): readonly ReasoningDetail[] {
  return listOf(message['reasoning_details']).filter(isRecord).map(readReasoningDetail);
}

function readReasoningDetail(detail: JsonRecord): ReasoningDetail {
  const type = textOf(detail['type']) ?? 'reasoning.text';
  const id = textOf(detail['id']);
  const signature = textOf(detail['signature']);
  const encrypted = textOf(detail['data']);
  return {
    key: `${type}:${String(numberOf(detail['index']) ?? 0)}`,
    text: textOf(detail['text']) ?? textOf(detail['summary']) ?? '',
    summary: type === 'reasoning.summary',
    ...(id === undefined ? {} : { id }),
    ...(signature === undefined ? {} : { signature }),
    ...(encrypted === undefined ? {} : { encrypted }),
    native: detail,
  };
}

/**
 * `annotations` of a message or delta: OpenAI's and OpenRouter's url citations; others stay native.
 */
export function readAnnotations(annotations: unknown): readonly Citation[] {
  return listOf(annotations).filter(isRecord).map(readAnnotation);
}

function readAnnotation(annotation: JsonRecord): Citation {
  const type = textOf(annotation['type']) ?? 'url_citation';
  const said = recordOf(annotation[type] ?? annotation);
  const fileId = textOf(said['file_id']);
  return {
    kind: textOf(said['url']) === undefined ? 'file' : 'url',
    ...citationFields(said),
    ...(fileId === undefined ? {} : { fileId }),
    native: { [DIALECT]: annotation },
  };
}

function citationFields(said: JsonRecord): Partial<Citation> {
  const fields: { -readonly [Key in keyof Citation]?: Citation[Key] } = {};
  const url = textOf(said['url']);
  const title = textOf(said['title']);
  const citedText = textOf(said['content']);
  const start = numberOf(said['start_index']);
  const end = numberOf(said['end_index']);
  if (url !== undefined) fields.url = url;
  if (title !== undefined) fields.title = title;
  if (citedText !== undefined) fields.citedText = citedText;
  // OpenRouter sends 0..0 where it does not know the place.
  if (start !== undefined && end !== undefined && end > start) {
    fields.start = start;
    fields.end = end;
  }
  return fields;
}

/**
 * Perplexity lists its sources beside the choices: `search_results` with titles, `citations` as
 * bare addresses (the older form, sent too).
 */
export function readSources(body: JsonRecord): readonly Citation[] {
  const results = listOf(body['search_results']).filter(isRecord);
  if (results.length > 0)
    return results.map((result) => ({ kind: 'url', ...citationFields(result) }));
  return listOf(body['citations']).flatMap((url) =>
    typeof url === 'string' && url !== '' ? [{ kind: 'url' as const, url }] : [],
  );
}

/** One entry of `tool_calls`, whole or a delta of it. */
export interface CallReading {
  readonly index: number | undefined;
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly arguments: string;
  readonly format: 'json' | 'text';
  /** Members beside the known ones: Gemini's `extra_content` with a thought signature. */
  readonly native: JsonRecord;
}

const CALL_MEMBERS = new Set(['index', 'id', 'type', 'function', 'custom']);

export function readCall(call: unknown): CallReading {
  const record = recordOf(call);
  const custom = isRecord(record['custom']) ? record['custom'] : null;
  const said = custom ?? recordOf(record['function']);
  const native: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(record)) {
    if (!CALL_MEMBERS.has(key) && value !== null) native[key] = value;
  }
  return {
    index: numberOf(record['index']),
    id: textOf(record['id']),
    name: textOf(said['name']),
    arguments: argumentsOf(custom === null ? said['arguments'] : said['input']),
    format: custom === null ? 'json' : 'text',
    native,
  };
}

/** The model's own text; some hosts parse it (older Ollama, SiliconFlow), then it is JSON again. */
function argumentsOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? '' : JSON.stringify(value);
}

/** An id for a call that has none: the same for the same answer, different for each call in it. */
export function ourCallId(answerId: string, choice: number, call: number): string {
  return `call_${answerId.replace(/[^\w-]/g, '') || 'omnix'}_${choice}_${call}`;
}

/** What an image of an answer (OpenRouter `images`) holds: an address or inline bytes. */
export function imageSource(
  image: unknown,
): { kind: 'url'; url: string } | { kind: 'base64'; mediaType: string; data: string } | null {
  const record = recordOf(image);
  const url = textOf(recordOf(record['image_url'])['url']) ?? textOf(record['image_url']);
  if (url === undefined) return null;
  const inline = /^data:([^;,]+);base64,(.*)$/s.exec(url);
  if (inline === null) return { kind: 'url', url };
  return { kind: 'base64', mediaType: inline[1] ?? '', data: inline[2] ?? '' };
}
