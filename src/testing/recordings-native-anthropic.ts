/** A plain reader of recorded Anthropic messages and their streams. */
import { at, isObject, listOf, numberOf, objectOf, parse, stringOf } from './recordings-json.ts';
import type { JsonObject } from './recordings-json.ts';
import type { NativeReading, NativeTokens } from './recordings-native-answer.ts';

const FINISH: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  // More is to come, with the next request.
  pause_turn: 'length',
  compaction: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

interface Block {
  type: string;
  text: string;
  thinking: string;
  opaque: string;
  json: string;
  readonly start: JsonObject;
  readonly citations: unknown[];
}

export function readAnthropic(answers: readonly unknown[], into: NativeReading): void {
  const blocks: Block[] = [];
  const byIndex = new Map<number, Block>();
  let usage: JsonObject = {};
  for (const answer of answers) {
    const message = at(answer, 'type') === 'message' ? answer : at(answer, 'message');
    for (const block of listOf(at(message, 'content'))) blocks.push(toBlock(block));
    readBlockEvent(answer, blocks, byIndex);
    readEnd(answer, message, into);
    usage = { ...usage, ...withoutNulls(at(message, 'usage') ?? at(answer, 'usage')) };
  }
  // An explained refusal is a message of OpenAI's own kind, and ends as one.
  if (into.refusal !== '') into.finish = 'stop';
  for (const block of blocks) readBlock(block, into);
  if (Object.keys(usage).length > 0) into.tokens = readTokens(usage);
}

function readBlockEvent(event: unknown, blocks: Block[], byIndex: Map<number, Block>): void {
  const index = numberOf(at(event, 'index')) ?? 0;
  const type = at(event, 'type');
  if (type === 'content_block_start') {
    const block = toBlock(at(event, 'content_block'));
    byIndex.set(index, block);
    blocks.push(block);
  }
  const grown = byIndex.get(index);
  if (type === 'content_block_delta' && grown !== undefined) grow(grown, at(event, 'delta'));
}

function readEnd(answer: unknown, message: unknown, into: NativeReading): void {
  const error = at(answer, 'error');
  if (isObject(error)) into.error = stringOf(error['message']);
  const stop = stringOf(at(message, 'stop_reason') ?? at(answer, 'delta', 'stop_reason'));
  if (stop !== '') into.finish = FINISH[stop] ?? 'stop';
  const why = at(message, 'stop_details') ?? at(answer, 'delta', 'stop_details');
  into.refusal += stringOf(at(why, 'explanation'));
}

function toBlock(block: unknown): Block {
  const start = objectOf(block);
  return {
    start,
    type: stringOf(start['type']),
    text: stringOf(start['text']),
    thinking: stringOf(start['thinking']),
    opaque: stringOf(start['signature']) + stringOf(start['data']),
    json: '',
    citations: [...listOf(start['citations'])],
  };
}

function grow(block: Block, delta: unknown): void {
  block.text += stringOf(at(delta, 'text'));
  block.thinking += stringOf(at(delta, 'thinking'));
  block.opaque += stringOf(at(delta, 'signature'));
  block.json += stringOf(at(delta, 'partial_json'));
  const citation = at(delta, 'citation');
  if (citation !== undefined) block.citations.push(citation);
}

function readBlock(block: Block, into: NativeReading): void {
  if (block.type === 'text') into.text += block.text;
  if (block.type === 'thinking') into.reasoning += block.thinking;
  if (block.type.endsWith('thinking') && block.opaque !== '') into.signatures.push(block.opaque);
  for (const citation of block.citations) {
    const named = ['url', 'source', 'document_title', 'title'].map((key) => at(citation, key));
    const source = named.find((name) => typeof name === 'string' && name !== '');
    if (source !== undefined) into.sources.add(stringOf(source));
  }
  if (block.type !== 'tool_use') return;
  const { id, name, input } = block.start;
  const said = block.json === '' ? input : parse(block.json);
  into.calls.push({ id: stringOf(id), name: stringOf(name), input: said });
}

function withoutNulls(record: unknown): JsonObject {
  return Object.fromEntries(Object.entries(objectOf(record)).filter(([, value]) => value !== null));
}

/**
 * The members of `usage` leave out what a compaction read and wrote, which is billed
 * (https://platform.claude.com/docs/en/build-with-claude/compaction, read 2026-11). What an advisor
 * did is told beside them and billed at the advisor's own price.
 */
function readTokens(usage: JsonObject): NativeTokens {
  const iterations = listOf(usage['iterations']);
  const compactions = iterations.filter((one) => at(one, 'type') === 'compaction').map(countsOf);
  const counts = [countsOf(usage), ...compactions];
  const sum = (name: keyof NativeTokens) => counts.reduce((total, one) => total + one[name], 0);
  return {
    input: sum('input'),
    cacheRead: sum('cacheRead'),
    cacheWrite5m: sum('cacheWrite5m'),
    cacheWrite1h: sum('cacheWrite1h'),
    audioInput: 0,
    imageOutput: 0,
    reasoning: sum('reasoning'),
    generated: sum('generated'),
  };
}

function countsOf(usage: unknown): NativeTokens {
  const read = (...path: string[]) => numberOf(at(usage, ...path)) ?? 0;
  const cacheWrite1h = read('cache_creation', 'ephemeral_1h_input_tokens');
  return {
    input: read('input_tokens'),
    cacheRead: read('cache_read_input_tokens'),
    cacheWrite5m: read('cache_creation_input_tokens') - cacheWrite1h,
    cacheWrite1h,
    audioInput: 0,
    imageOutput: 0,
    reasoning: read('output_tokens_details', 'thinking_tokens'),
    generated: read('output_tokens'),
  };
}
