/**
 * The recorded chat exchanges of hosts that speak a dialect of their own (Anthropic, Google,
 * Amazon, Cohere), read in place from the shared folder, and why the others are not replayed.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { awsEventFrame } from './aws-event-frames.ts';
import { readAwsFrames } from './recordings-aws-frames.ts';
import { at, isObject, listOf, numberOf, objectOf, parse, stringOf } from './recordings-json.ts';
import type { JsonObject } from './recordings-json.ts';
import { readSse } from './recordings-reading.ts';

export type NativeDialect = 'anthropic' | 'gemini' | 'bedrock' | 'cohere';

/** A configured provider of the test server: one per recorded host. */
export interface NativePlace {
  /** Name of the configured provider; our provider's id too. */
  readonly name: string;
  readonly dialect: NativeDialect;
}

export interface NativeExchange {
  /** Where it stands: source, folder, and line or file. */
  readonly label: string;
  readonly place: string;
  readonly dialect: NativeDialect;
  readonly model: string;
  /** In the host's own dialect; null where none was recorded: a small one of ours stands in. */
  readonly request: JsonObject | null;
  readonly streamed: boolean;
  readonly status: number;
  readonly contentType: string;
  /** As it stood on the wire. */
  readonly body: Buffer;
  /** Long base64 of it was cut by whoever made the collection, to its first 36 bytes. */
  readonly shortened: boolean;
}

export interface NativeRecordings {
  readonly exchanges: readonly NativeExchange[];
  readonly skipped: readonly { readonly place: string; readonly reason: string }[];
}

type Skip = NativeRecordings['skipped'][number];

export const NATIVE_PLACES: readonly NativePlace[] = [
  { name: 'anthropic', dialect: 'anthropic' },
  { name: 'gemini', dialect: 'gemini' },
  { name: 'vertex', dialect: 'gemini' },
  { name: 'bedrock', dialect: 'bedrock' },
  { name: 'cohere', dialect: 'cohere' },
];

const DIALECTS = new Map(NATIVE_PLACES.map(({ name, dialect }) => [name, dialect]));
const LINE_SOURCES = ['pydantic-ai', 'dd-trace-py'] as const;
const CHAT_APIS = new Set(['messages', 'generateContent', 'converse', 'chat.v2']);
/** Chat of a kind that is not translated: told, so that the counts can be added up. */
const OTHER_CHAT: Readonly<Record<string, string>> = {
  invoke: 'InvokeModel, which is not Converse',
  'chat.v1': 'the first version of the API',
};
const FILE_SOURCE = 'vercel-ai';
const FILE_FOLDERS: Readonly<Record<string, string>> = {
  anthropic: 'anthropic',
  google: 'gemini',
  'amazon-bedrock': 'bedrock',
  cohere: 'cohere',
};
const ELISION = /__ELIDED_\d+_sha1_[0-9a-f]+__/g;

/** Reads every chat-shaped exchange below `folder`. */
export function loadNativeRecordings(folder: string): NativeRecordings {
  const exchanges: NativeExchange[] = [];
  const skipped: Skip[] = [];
  for (const one of [...readLineSources(folder), ...readFileSource(folder)]) {
    if ('reason' in one) skipped.push(one);
    else exchanges.push(one);
  }
  return { exchanges, skipped };
}

/** The parsed answers of a response: one where it is whole, or the events of its stream. */
export function answersOf(exchange: NativeExchange): unknown[] {
  const { body, streamed, status, dialect } = exchange;
  if (!streamed || status !== 200) return [parse(body.toString('utf8'))];
  if (dialect !== 'bedrock') return readSse(body.toString('utf8')).map(parse);
  return readAwsFrames(body).map(({ event, payload }) => ({ [event]: parse(payload) }));
}

function* readLineSources(folder: string): Iterable<NativeExchange | Skip> {
  for (const source of LINE_SOURCES) {
    for (const [place, dialect] of DIALECTS) {
      const file = join(folder, source, place, 'exchanges.jsonl');
      if (!existsSync(file)) continue;
      for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
        const row = parse(line.replace(ELISION, ''));
        const api = stringOf(at(row, 'api'));
        const other = OTHER_CHAT[api];
        if (other !== undefined) yield { place, reason: other };
        if (!CHAT_APIS.has(api)) continue;
        const origin = { label: `${source}/${place}:${index + 1}`, place, dialect };
        yield toExchange(row, { ...origin, shortened: line.search(ELISION) >= 0 });
      }
    }
  }
}

type Origin = Pick<NativeExchange, 'label' | 'place' | 'dialect' | 'shortened'>;

function toExchange(row: unknown, origin: Origin): NativeExchange | Skip {
  const { place } = origin;
  const response = objectOf(at(row, 'response'));
  const body = bodyOf(response);
  const sent = at(row, 'request', 'body');
  const request = typeof sent === 'string' ? parse(sent) : sent;
  if (body === null) return { place, reason: 'response missing' };
  const url = stringOf(at(row, 'request', 'url'));
  return {
    ...origin,
    model: modelIn(url) ?? stringOf(at(request, 'model')),
    request: isObject(request) ? request : null,
    streamed: at(request, 'stream') === true || /converse-stream|:streamGenerate/.test(url),
    status: numberOf(response['status']) ?? 0,
    contentType: stringOf(at(response, 'headers', 'content-type')),
    body,
  };
}

/** Gemini, Vertex and Bedrock name the model in the path. */
function modelIn(url: string): string | undefined {
  const found = /\/models?\/([^/:?]+(?:%3A[^/:?]+)*)[:/]/.exec(url)?.[1];
  return found === undefined ? undefined : decodeURIComponent(found);
}

function bodyOf(response: JsonObject): Buffer | null {
  const { bodyKind, body } = response;
  if (bodyKind === 'json') return Buffer.from(JSON.stringify(body));
  if (bodyKind === 'text') return Buffer.from(stringOf(body));
  if (bodyKind === 'base64') return Buffer.from(stringOf(body), 'base64');
  return null;
}

function* readFileSource(folder: string): Iterable<NativeExchange | Skip> {
  for (const [directory, usual] of Object.entries(FILE_FOLDERS)) {
    for (const file of readdirSync(join(folder, FILE_SOURCE, directory)).toSorted()) {
      const place = file.startsWith('google-vertex-') ? 'vertex' : usual;
      const text = readFileSync(join(folder, FILE_SOURCE, directory, file), 'utf8');
      const dialect = DIALECTS.get(place);
      if (dialect === undefined) throw new Error(`no dialect of ${place}`);
      const label = `${FILE_SOURCE}/${directory}/${file}`;
      const shortened = text.search(ELISION) >= 0;
      const steps = stepsOf(text.replace(ELISION, ''), label);
      for (const [index, step] of steps.entries()) {
        const name = steps.length === 1 ? label : `${label}#${index + 1}`;
        const one = toBare(step, { label: name, place, dialect, shortened });
        if (one !== null) yield one;
      }
    }
  }
}

/** Some fixtures hold the answers of several steps, one after the other. */
function stepsOf(text: string, label: string): readonly string[] {
  if (!label.endsWith('.chunks.txt') || CONSTRUCTED.test(label)) return [text];
  return text.split(/^(?=\{"type":"message_start")/m);
}

/** The collection's own note (SOURCES.md): fixtures that were built by hand. */
const CONSTRUCTED = /duplicate-|spliced-|-missing-terminal-/;

/** A fixture of a response alone; null where it is not of chat. */
function toBare(text: string, origin: Origin): NativeExchange | Skip | null {
  const { label, place, dialect } = origin;
  const whole = !label.includes('.chunks.txt');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const answers = whole ? [parse(text)] : lines.map(parse);
  if (label.includes('/interactions__')) {
    return { place, reason: 'the Interactions API, another dialect' };
  }
  if (!answers.some((answer) => isChat(answer, dialect))) return null;
  if (CONSTRUCTED.test(label)) return { place, reason: 'constructed by hand' };
  const failed = isObject(at(answers[0], 'error'));
  return {
    ...origin,
    model: 'recorded-model',
    request: null,
    streamed: !whole,
    status: failed ? (numberOf(at(answers[0], 'error', 'code')) ?? 400) : 200,
    contentType: whole ? 'application/json' : STREAM_TYPES[dialect],
    body: whole ? Buffer.from(text) : frame(lines, dialect),
  };
}

const STREAM_TYPES: Readonly<Record<NativeDialect, string>> = {
  anthropic: 'text/event-stream; charset=utf-8',
  gemini: 'text/event-stream',
  bedrock: 'application/vnd.amazon.eventstream',
  cohere: 'text/event-stream',
};

/** The fixtures hold one event a line without framing: here it is as the host frames it. */
function frame(lines: readonly string[], dialect: NativeDialect): Buffer {
  if (dialect === 'bedrock') return Buffer.concat(lines.map(awsFrame));
  if (dialect === 'gemini') {
    return Buffer.from(lines.map((line) => `data: ${line}\r\n\r\n`).join(''));
  }
  const events = lines.map(
    (line) => `event: ${stringOf(at(parse(line), 'type'))}\ndata: ${line}\n\n`,
  );
  return Buffer.from(events.join('') + (dialect === 'cohere' ? 'data: [DONE]\n\n' : ''));
}

function awsFrame(line: string): Buffer {
  const [event, payload] = Object.entries(objectOf(parse(line)))[0] ?? ['', {}];
  return awsEventFrame(event, JSON.stringify(payload));
}

function isChat(answer: unknown, dialect: NativeDialect): boolean {
  const type = at(answer, 'type');
  if (dialect === 'anthropic') return type === 'message' || type === 'message_start';
  if (dialect === 'gemini') {
    return listOf(at(answer, 'candidates')).length > 0 || isObject(at(answer, 'error'));
  }
  if (dialect === 'cohere') return type === 'message-start' || isObject(at(answer, 'message'));
  const begins = at(answer, 'messageStart') ?? at(answer, 'contentBlockStart');
  return isObject(begins ?? at(answer, 'output', 'message'));
}
