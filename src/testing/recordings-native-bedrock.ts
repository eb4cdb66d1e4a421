/** A plain reader of recorded Bedrock Converse answers and the events of their streams. */
import { at, isObject, listOf, numberOf, objectOf, parse, stringOf } from './recordings-json.ts';
import type { NativeReading, NativeTokens } from './recordings-native-answer.ts';

const FINISH: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  guardrail_intervened: 'content_filter',
  content_filtered: 'content_filter',
};

interface OpenTool {
  readonly id: string;
  readonly name: string;
  readonly hosted: boolean;
  json: string;
}

export function readBedrock(answers: readonly unknown[], into: NativeReading): void {
  const tools = new Map<number, OpenTool>();
  const signatures = new Map<number, string>();
  for (const answer of answers) {
    const message = at(answer, 'message');
    if (typeof message === 'string') into.error = message;
    for (const block of listOf(at(answer, 'output', 'message', 'content'))) readBlock(block, into);
    readBlockEvent(answer, { tools, signatures, into });
    readEnd(answer, into);
  }
  into.signatures.push(...signatures.values());
  for (const { id, name, hosted, json } of tools.values()) {
    if (!hosted) into.calls.push({ id, name, input: json === '' ? {} : parse(json) });
  }
}

interface Grown {
  readonly tools: Map<number, OpenTool>;
  readonly signatures: Map<number, string>;
  readonly into: NativeReading;
}

function readBlockEvent(answer: unknown, { tools, signatures, into }: Grown): void {
  const start = at(answer, 'contentBlockStart');
  const delta = at(answer, 'contentBlockDelta');
  const index = numberOf(at(start ?? delta, 'contentBlockIndex')) ?? 0;
  const tool = at(start, 'start', 'toolUse');
  if (isObject(tool)) tools.set(index, toOpenTool(tool));
  const grown = tools.get(index);
  if (grown !== undefined) grown.json += stringOf(at(delta, 'delta', 'toolUse', 'input'));
  into.text += stringOf(at(delta, 'delta', 'text'));
  const thought = at(delta, 'delta', 'reasoningContent');
  into.reasoning += stringOf(at(thought, 'text'));
  const opaque = stringOf(at(thought, 'signature')) + stringOf(at(thought, 'redactedContent'));
  if (opaque !== '') signatures.set(index, (signatures.get(index) ?? '') + opaque);
}

function readEnd(answer: unknown, into: NativeReading): void {
  const stop = stringOf(at(answer, 'stopReason') ?? at(answer, 'messageStop', 'stopReason'));
  if (stop !== '') into.finish = FINISH[stop] ?? 'stop';
  const usage = at(answer, 'usage') ?? at(answer, 'metadata', 'usage');
  if (isObject(usage)) into.tokens = readTokens(usage);
}

function readBlock(block: unknown, into: NativeReading): void {
  into.text += stringOf(at(block, 'text'));
  const thought = at(block, 'reasoningContent');
  into.reasoning += stringOf(at(thought, 'reasoningText', 'text'));
  const signature = stringOf(at(thought, 'reasoningText', 'signature'));
  const opaque = signature + stringOf(at(thought, 'redactedContent'));
  if (opaque !== '') into.signatures.push(opaque);
  const tool = at(block, 'toolUse');
  if (!isObject(tool)) return;
  const { id, name, hosted } = toOpenTool(tool);
  if (!hosted) into.calls.push({ id, name, input: tool['input'] });
}

/** Nova's code interpreter, which runs at Amazon, is marked by its type. */
function toOpenTool(tool: unknown): OpenTool {
  const { toolUseId, name, type } = objectOf(tool);
  const hosted = type === 'server_tool_use';
  return { id: stringOf(toolUseId), name: stringOf(name), hosted, json: '' };
}

function readTokens(usage: unknown): NativeTokens {
  const read = (name: string) => numberOf(at(usage, name)) ?? 0;
  const long = listOf(at(usage, 'cacheDetails')).filter((one) => at(one, 'ttl') === '1h');
  const cacheWrite1h = long.reduce<number>(
    (sum, one) => sum + (numberOf(at(one, 'inputTokens')) ?? 0),
    0,
  );
  return {
    input: read('inputTokens'),
    cacheRead: read('cacheReadInputTokens'),
    cacheWrite5m: read('cacheWriteInputTokens') - cacheWrite1h,
    cacheWrite1h,
    audioInput: 0,
    imageOutput: 0,
    reasoning: 0,
    generated: read('outputTokens'),
  };
}
