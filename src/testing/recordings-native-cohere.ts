/** A plain reader of recorded answers of Cohere's second API and their streams. */
import { at, isObject, listOf, numberOf, parse, stringOf } from './recordings-json.ts';
import { NO_TOKENS, type NativeReading } from './recordings-native-answer.ts';

const FINISH: Readonly<Record<string, string>> = {
  COMPLETE: 'stop',
  STOP_SEQUENCE: 'stop',
  MAX_TOKENS: 'length',
  TOOL_CALL: 'tool_calls',
};

interface OpenCall {
  readonly id: string;
  readonly name: string;
  json: string;
}

export function readCohere(answers: readonly unknown[], into: NativeReading): void {
  const calls: OpenCall[] = [];
  for (const answer of answers) {
    const message = at(answer, 'message') ?? at(answer, 'delta', 'message');
    if (typeof message === 'string') into.error = message;
    readMessage(message, into);
    readCalls(message, calls);
    const end = at(answer, 'finish_reason') === undefined ? at(answer, 'delta') : answer;
    const finish = stringOf(at(end, 'finish_reason'));
    if (finish !== '') into.finish = FINISH[finish] ?? 'stop';
    if (isObject(at(end, 'usage'))) readTokens(at(end, 'usage'), into);
  }
  for (const { id, name, json } of calls) {
    // A call without arguments comes as "", or as the text "null".
    into.calls.push({ id, name, input: parse(json === '' ? '{}' : json) ?? {} });
  }
}

function readCalls(message: unknown, calls: OpenCall[]): void {
  for (const call of many(at(message, 'tool_calls'))) {
    const json = stringOf(at(call, 'function', 'arguments'));
    const id = stringOf(at(call, 'id'));
    const last = calls.at(-1);
    if (id !== '') calls.push({ id, name: stringOf(at(call, 'function', 'name')), json });
    else if (last !== undefined) last.json += json;
  }
}

/** Whole answers have lists where streams have one. */
function many(value: unknown): readonly unknown[] {
  return isObject(value) ? [value] : listOf(value);
}

function readMessage(message: unknown, into: NativeReading): void {
  for (const part of many(at(message, 'content'))) {
    into.text += stringOf(at(part, 'text'));
    into.reasoning += stringOf(at(part, 'thinking'));
  }
  into.reasoning += stringOf(at(message, 'tool_plan'));
  for (const citation of many(at(message, 'citations'))) {
    for (const source of listOf(at(citation, 'sources'))) {
      const title = at(source, 'document', 'title') ?? at(source, 'id');
      into.sources.add(stringOf(title));
    }
  }
}

/** Cohere bills other units than the tokens that its model saw: the bill counts. */
function readTokens(usage: unknown, into: NativeReading): void {
  const read = (name: string) =>
    numberOf(at(usage, 'billed_units', name)) ?? numberOf(at(usage, 'tokens', name)) ?? 0;
  into.tokens = {
    ...NO_TOKENS,
    input: read('input_tokens'),
    generated: read('output_tokens'),
  };
}
