/**
 * What an answer says, read by a small reader of the tests' own: text, tool calls, reasoning,
 * finish and tokens of a recording and of what came through the gateway. It shares nothing with
 * `src/providers`, so that a mistake there cannot excuse itself here.
 */
import { at, isObject, listOf, numberOf, objectOf, parse, stringOf } from './recordings-json.ts';

export interface ToolCallReading {
  id: string;
  name: string;
  arguments: string;
}

export interface ChoiceReading {
  text: string;
  refusal: string;
  /** By the field in which it stands. */
  reasoning: Record<string, string>;
  toolCalls: ToolCallReading[];
  functionCall: { name: string; arguments: string };
  annotations: unknown[];
  audio: string;
  finish: string | null;
}

export interface TokenReading {
  readonly prompt: number | null;
  readonly completion: number | null;
  readonly total: number | null;
  readonly cached: number | null;
  readonly reasoning: number | null;
}

export interface Reading {
  readonly choices: Map<number, ChoiceReading>;
  tokens: TokenReading | null;
  /** The gateway's price of it, where told. */
  cost: number | null;
  /** Message of an error that came instead or in the middle. */
  error: string | null;
  /** Params named in the gateway's warnings. */
  readonly warned: Set<string>;
}

const REASONING_FIELDS = ['reasoning_content', 'reasoning'] as const;

/** The data of each event of an SSE text, [DONE] left out. CRLF, LF and CR end lines alike. */
export function readSse(text: string): string[] {
  const data: string[] = [];
  for (const block of text.split(/\r\n\r\n|\n\n|\r\r/)) {
    const lines = block.split(/\r\n|\n|\r/).filter((line) => line.startsWith('data:'));
    if (lines.length === 0) continue;
    const value = lines.map((line) => line.slice('data:'.length).replace(/^ /, '')).join('\n');
    if (value !== '[DONE]') data.push(value);
  }
  return data;
}

/** Reads a whole answer, or the events of a stream, which are given parsed. */
export function readAnswer(events: readonly unknown[]): Reading {
  const reading: Reading = {
    choices: new Map(),
    tokens: null,
    cost: null,
    error: null,
    warned: new Set(),
  };
  for (const event of events) {
    readUsage(event, reading);
    for (const warning of listOf(at(event, 'warnings'))) {
      reading.warned.add(stringOf(at(warning, 'param')));
    }
    const error = at(event, 'error');
    if (error !== undefined && error !== null) {
      reading.error = stringOf(at(error, 'message'));
      return reading;
    }
    for (const choice of listOf(at(event, 'choices'))) readChoice(choice, reading);
  }
  return reading;
}

/** Reads the recorded text of a response, streamed or not. */
export function readRecorded(body: string, streamed: boolean): Reading {
  return readAnswer(streamed ? readSse(body).map(parse) : [parse(body)]);
}

function readUsage(event: unknown, reading: Reading): void {
  const usage = at(event, 'usage') ?? at(event, 'x_groq', 'usage');
  if (!isObject(usage)) return;
  reading.tokens = {
    prompt: numberOf(usage['prompt_tokens']),
    completion: numberOf(usage['completion_tokens']),
    total: numberOf(usage['total_tokens']),
    cached: numberOf(at(usage, 'prompt_tokens_details', 'cached_tokens')),
    reasoning: numberOf(at(usage, 'completion_tokens_details', 'reasoning_tokens')),
  };
  reading.cost = numberOf(usage['cost']);
}

function emptyChoice(): ChoiceReading {
  return {
    text: '',
    refusal: '',
    reasoning: {},
    toolCalls: [],
    functionCall: { name: '', arguments: '' },
    annotations: [],
    audio: '',
    finish: null,
  };
}

function readChoice(choice: unknown, reading: Reading): void {
  const index = numberOf(at(choice, 'index')) ?? 0;
  const into = reading.choices.get(index) ?? emptyChoice();
  reading.choices.set(index, into);
  const part = objectOf(at(choice, 'message') ?? at(choice, 'delta'));
  readContent(part['content'], into);
  into.refusal += stringOf(part['refusal']);
  for (const field of REASONING_FIELDS) addReasoning(into, field, stringOf(part[field]));
  for (const detail of listOf(part['reasoning_details'])) {
    const said = stringOf(at(detail, 'text')) + stringOf(at(detail, 'summary'));
    addReasoning(into, 'reasoning_details', said + stringOf(at(detail, 'data')));
    addReasoning(into, 'signature', stringOf(at(detail, 'signature')));
  }
  for (const call of listOf(part['tool_calls'])) readToolCall(call, into.toolCalls);
  into.functionCall.name += stringOf(at(part, 'function_call', 'name'));
  into.functionCall.arguments += stringOf(at(part, 'function_call', 'arguments'));
  into.annotations.push(...listOf(part['annotations']));
  into.audio += stringOf(at(part, 'audio', 'data'));
  const finish = stringOf(at(choice, 'finish_reason'));
  if (finish !== '') into.finish = finish;
}

/** Content is text, or Mistral's list of parts, in which thinking stands beside text. */
function readContent(content: unknown, into: ChoiceReading): void {
  into.text += stringOf(content);
  for (const part of listOf(content)) {
    into.text += stringOf(at(part, 'text'));
    for (const thought of listOf(at(part, 'thinking'))) {
      addReasoning(into, 'reasoning_content', stringOf(at(thought, 'text')));
    }
  }
}

function addReasoning(into: ChoiceReading, field: string, text: string): void {
  if (text !== '') into.reasoning[field] = (into.reasoning[field] ?? '') + text;
}

/** Streams give calls in pieces, told apart by index or, where there is none, by a new id. */
function readToolCall(call: unknown, calls: ToolCallReading[]): void {
  const index = numberOf(at(call, 'index'));
  const id = stringOf(at(call, 'id'));
  const continued = index === null ? (id === '' ? calls.at(-1) : undefined) : calls[index];
  const into = continued ?? { id: '', name: '', arguments: '' };
  if (continued === undefined) calls.push(into);
  if (into.id === '') into.id = id;
  into.name += stringOf(at(call, 'function', 'name')) + stringOf(at(call, 'custom', 'name'));
  const given = at(call, 'function', 'arguments') ?? at(call, 'custom', 'input');
  into.arguments +=
    typeof given === 'string' ? given : JSON.stringify(given ?? '').replace(/^""$/, '');
}
