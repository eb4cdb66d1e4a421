/**
 * The recorded chat exchanges of the OpenAI family, read in place from the shared folder, and which
 * of our providers each of them is replayed through. What cannot be replayed is told with its
 * reason.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { at, isObject, listOf, numberOf, objectOf, parse, stringOf } from './recordings-json.ts';
import type { JsonObject } from './recordings-json.ts';

/** A configured provider of the test server: one per recorded provider. */
export interface Place {
  /** The recorded provider; name of the configured one. */
  readonly name: string;
  /** Our provider's id. */
  readonly type: string;
}

export interface RecordedExchange {
  /** Where it stands: source, provider, and line or file. */
  readonly label: string;
  readonly place: string;
  readonly model: string;
  /** As sent by whoever recorded it. */
  readonly request: JsonObject;
  /** No request was recorded: a small one of ours stands in. */
  readonly requestIsOurs: boolean;
  /** Path and query of the recorded URL; empty where none was recorded. */
  readonly path: string;
  readonly streamed: boolean;
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface SkippedExchange {
  readonly label: string;
  readonly place: string;
  readonly reason: string;
}

export interface Recordings {
  readonly exchanges: readonly RecordedExchange[];
  readonly skipped: readonly SkippedExchange[];
}

/** Recorded provider to ours. Hosts that have no folder of their own are `openai-compatible`. */
const TYPES: Readonly<Record<string, string>> = {
  openai: 'openai',
  azure: 'azure-openai',
  groq: 'groq',
  mistral: 'mistral',
  deepseek: 'deepseek',
  xai: 'xai',
  openrouter: 'openrouter',
  ollama: 'ollama',
  cerebras: 'cerebras',
  huggingface: 'huggingface',
  zai: 'zai',
  alibaba: 'alibaba',
  moonshotai: 'moonshot',
  perplexity: 'perplexity',
  crusoe: 'openai-compatible',
  heroku: 'openai-compatible',
  snowflake: 'openai-compatible',
  'pydantic-gateway': 'openai-compatible',
  gemini: 'openai-compatible',
  bedrock: 'openai-compatible',
  'openai-compatible': 'openai-compatible',
};

export const PLACES: readonly Place[] = Object.entries(TYPES).map(([name, type]) => ({
  name,
  type,
}));

/** Headers that frame the recorded body on its own wire and would lie about ours. */
const FRAMING = new Set(['transfer-encoding', 'content-length', 'content-encoding', 'connection']);
const LINE_SOURCES = ['pydantic-ai', 'dd-trace-py'] as const;
const FILE_SOURCE = 'vercel-ai';

/** The folder of the recordings, or null where they are absent. */
export function findRecordings(root: string): string | null {
  const shared = process.env['OMNIX_SHARED'] ?? join(root, '..', 'shared');
  const folder = join(shared, 'recordings');
  return existsSync(join(folder, 'INDEX.csv')) ? folder : null;
}

/** Reads every chat-shaped exchange below `folder`. */
export function loadRecordings(folder: string): Recordings {
  const found = [...readLineSources(folder), ...readFileSource(folder)];
  const exchanges: RecordedExchange[] = [];
  const skipped: SkippedExchange[] = [];
  for (const one of found) {
    if ('reason' in one) skipped.push(one);
    else exchanges.push(one);
  }
  return { exchanges, skipped };
}

function* readLineSources(folder: string): Iterable<RecordedExchange | SkippedExchange> {
  for (const source of LINE_SOURCES) {
    for (const provider of readdirSync(join(folder, source)).toSorted()) {
      const file = join(folder, source, provider, 'exchanges.jsonl');
      if (!(provider in TYPES) || !existsSync(file)) continue;
      const lines = readFileSync(file, 'utf8').split('\n');
      for (const [index, line] of lines.entries()) {
        const row = parse(line);
        if (stringOf(at(row, 'api')) !== 'chat.completions') continue;
        yield toExchange(row, { label: `${source}/${provider}:${index + 1}`, place: provider });
      }
    }
  }
}

interface Origin {
  readonly label: string;
  readonly place: string;
}

function toExchange(row: unknown, origin: Origin): RecordedExchange | SkippedExchange {
  const request = at(row, 'request', 'body');
  const reason = whyNot(row);
  if (reason !== null || !isObject(request)) return { ...origin, reason: reason ?? 'no request' };
  const url = new URL(stringOf(at(row, 'request', 'url')));
  const response = objectOf(at(row, 'response'));
  const body = response['body'];
  const deployment = /\/deployments\/([^/]+)\//.exec(url.pathname)?.[1];
  return {
    ...origin,
    model: deployment ?? stringOf(request['model']),
    request,
    requestIsOurs: false,
    path: url.pathname + url.search,
    streamed: request['stream'] === true,
    status: numberOf(response['status']) ?? 0,
    headers: headersOf(response['headers']),
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

function whyNot(row: unknown): string | null {
  const requestKind = stringOf(at(row, 'request', 'bodyKind'));
  const responseKind = stringOf(at(row, 'response', 'bodyKind'));
  const streamed = at(row, 'request', 'body', 'stream') === true;
  const failed = numberOf(at(row, 'response', 'status')) !== 200;
  if (requestKind === 'empty') return 'request missing';
  if (requestKind !== 'json') return `request is ${requestKind}`;
  if (responseKind === 'empty') return 'response missing';
  if (streamed && responseKind !== 'text' && !failed) return 'a stream was asked, none recorded';
  return null;
}

function headersOf(headers: unknown): (readonly [string, string])[] {
  return Object.entries(objectOf(headers))
    .filter(([name]) => !FRAMING.has(name))
    .map(([name, value]) => [name, stringOf(value)] as const);
}

function* readFileSource(folder: string): Iterable<RecordedExchange> {
  for (const place of readdirSync(join(folder, FILE_SOURCE)).toSorted()) {
    if (!(place in TYPES)) continue;
    for (const file of readdirSync(join(folder, FILE_SOURCE, place)).toSorted()) {
      if (file.startsWith('responses__') || file.startsWith('completion__')) continue;
      const text = readFileSync(join(folder, FILE_SOURCE, place, file), 'utf8');
      const origin = { label: `${FILE_SOURCE}/${place}/${file}`, place: hostOf(place, file) };
      const exchange = toBareExchange(text, origin);
      if (exchange !== null) yield exchange;
    }
  }
}

/** The folder is the SDK's, the file's name may say another host. */
function hostOf(place: string, file: string): string {
  return file.startsWith('chat__azure-') ? 'azure' : place;
}

interface Fixture {
  readonly streamed: boolean;
  /** As it stood on the wire. */
  readonly body: string;
  /** Parsed: one whole answer, or the events. */
  readonly answers: readonly unknown[];
}

/** A `.chunks.txt` holds one event a line without framing, and no [DONE]. */
function readFixture(text: string, file: string): Fixture {
  if (file.endsWith('.json')) return { streamed: false, body: text, answers: [parse(text)] };
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (file.endsWith('.sse')) {
    const answers = lines.map((line) => parse(line.slice('data: '.length)));
    return { streamed: true, body: text, answers };
  }
  const framed = lines.map((line) => `data: ${line}\n\n`).join('');
  return { streamed: true, body: `${framed}data: [DONE]\n\n`, answers: lines.map(parse) };
}

/** A fixture of a response alone; null where it is not of chat. */
function toBareExchange(text: string, origin: Origin): RecordedExchange | null {
  const { streamed, body, answers } = readFixture(text, origin.label);
  const failed = answers.length === 1 && isObject(at(answers[0], 'error'));
  if (!answers.some(isChat) && !(failed && origin.label.includes('/chat__'))) return null;
  const named = answers.map((answer) => stringOf(at(answer, 'model'))).find((name) => name !== '');
  const model = named ?? 'recorded-model';
  const messages = [{ role: 'user', content: 'Answer as you did when you were recorded.' }];
  return {
    ...origin,
    model,
    request: { model, messages, ...(streamed ? { stream: true } : {}) },
    requestIsOurs: true,
    path: '',
    streamed,
    status: failed ? 400 : 200,
    headers: [['content-type', streamed ? 'text/event-stream' : 'application/json']],
    body,
  };
}

function isChat(body: unknown): boolean {
  const choice = listOf(at(body, 'choices'))[0];
  return isObject(at(choice, 'message')) || isObject(at(choice, 'delta'));
}
