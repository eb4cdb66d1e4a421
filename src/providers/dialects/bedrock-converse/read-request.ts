/**
 * Reads a request of Converse into the common form: what proves, against recorded requests, that
 * writing them loses nothing. There is no door that speaks Converse.
 */
import type {
  ChatForm,
  OutputFormat,
  ReasoningEffort,
  ReasoningWish,
  Tool,
  ToolChoice,
  Turn,
} from '#providers/form.ts';
import { isRecord, listOf, numberOf, parseJson, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { BEDROCK, OUTPUT_TOOL } from './native.ts';
import { cacheHint, readBlocks } from './read-blocks.ts';

/** Members that have a word in the form; others are kept as they are. */
const MEMBERS: ReadonlySet<string> = new Set([
  'messages',
  'system',
  'inferenceConfig',
  'toolConfig',
  'outputConfig',
  'serviceTier',
  'requestMetadata',
  'additionalModelRequestFields',
]);

export function readRequest(body: JsonRecord): ChatForm {
  const inference = recordOf(body['inferenceConfig']);
  const maxOutputTokens = numberOf(inference['maxTokens']);
  const serviceTier = textOf(recordOf(body['serviceTier'])['type']);
  const metadata = Object.entries(recordOf(body['requestMetadata'])).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  const more = readFields(recordOf(body['additionalModelRequestFields']));
  const { tools, choice, output } = readTools(recordOf(body['toolConfig']));
  const rest = Object.entries(body).filter(([key]) => !MEMBERS.has(key));
  const unread =
    Object.keys(more.rest).length === 0 ? {} : { additionalModelRequestFields: more.rest };
  return {
    turns: [...readSystem(body['system']), ...listOf(body['messages']).flatMap(readMessage)],
    tools,
    ...(choice === undefined ? {} : { toolChoice: choice }),
    ...(more.parallel === undefined ? {} : { parallelToolCalls: more.parallel }),
    output: output ?? readOutput(recordOf(body['outputConfig'])),
    modalities: ['text'],
    reasoning: more.reasoning,
    sampling: {
      ...readSampling(inference),
      ...(more.topK === undefined ? {} : { topK: more.topK }),
    },
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    choices: 1,
    stream: false,
    ...(serviceTier === undefined ? {} : { serviceTier }),
    ...(metadata.length === 0 ? {} : { metadata: Object.fromEntries(metadata) }),
    native: { [BEDROCK]: { ...Object.fromEntries(rest), ...unread } },
  };
}

function readSystem(system: unknown): readonly Turn[] {
  const parts = readBlocks(system);
  return parts.length === 0 ? [] : [{ role: 'system', parts }];
}

/** Results of tools become turns of their own, as the form has them. */
function readMessage(message: unknown): readonly Turn[] {
  const { role, content } = recordOf(message);
  const parts = readBlocks(content);
  if (role === 'assistant') return [{ role: 'assistant', parts }];
  const results = parts.filter((part) => part.type === 'tool_result');
  const rest = parts.filter((part) => part.type !== 'tool_result');
  const turns: Turn[] = results.map((part) => ({ role: 'tool', parts: [part] }));
  if (rest.length > 0 || results.length === 0) turns.push({ role: 'user', parts: rest });
  return turns;
}

function readSampling(inference: JsonRecord): ChatForm['sampling'] {
  const temperature = numberOf(inference['temperature']);
  const topP = numberOf(inference['topP']);
  const stop = listOf(inference['stopSequences']).filter((text) => typeof text === 'string');
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(stop.length === 0 ? {} : { stop }),
  };
}

interface ToolReading {
  readonly tools: readonly Tool[];
  readonly choice: ToolChoice | undefined;
  /** A schema that was sent as a tool. */
  readonly output: OutputFormat | undefined;
}

function readTools(config: JsonRecord): ToolReading {
  const all: Tool[] = [];
  for (const block of listOf(config['tools']).map(recordOf)) {
    const hint = cacheHint(block);
    const last = all.at(-1);
    if (hint !== null && last?.kind === 'function') all[all.length - 1] = { ...last, cache: hint };
    const system = textOf(recordOf(block['systemTool'])['name']);
    if (system !== undefined) all.push({ kind: 'hosted', tool: system, config: {} });
    if (isRecord(block['toolSpec'])) all.push(readTool(block['toolSpec']));
  }
  const isOutput = (tool: Tool): boolean => tool.kind === 'function' && tool.name === OUTPUT_TOOL;
  const choice = readChoice(recordOf(config['toolChoice']));
  return {
    tools: all.filter((tool) => !isOutput(tool)),
    choice: choice?.mode === 'one' && choice.name === OUTPUT_TOOL ? undefined : choice,
    output: outputOf(all.find(isOutput)),
  };
}

function outputOf(tool: Tool | undefined): OutputFormat | undefined {
  if (tool?.kind !== 'function') return undefined;
  return { kind: 'json_schema', name: 'response', schema: tool.parameters };
}

function readTool(spec: JsonRecord): Tool {
  const description = textOf(spec['description']);
  return {
    kind: 'function',
    name: textOf(spec['name']) ?? '',
    ...(description === undefined ? {} : { description }),
    parameters: recordOf(spec['inputSchema'])['json'],
    ...(typeof spec['strict'] === 'boolean' ? { strict: spec['strict'] } : {}),
  };
}

function readChoice(choice: JsonRecord): ToolChoice | undefined {
  if ('auto' in choice) return { mode: 'auto' };
  if ('any' in choice) return { mode: 'required' };
  const name = textOf(recordOf(choice['tool'])['name']);
  return name === undefined ? undefined : { mode: 'one', name, kind: 'function' };
}

function readOutput(config: JsonRecord): OutputFormat {
  const structure = recordOf(recordOf(config['textFormat'])['structure']);
  const said = recordOf(structure['jsonSchema']);
  const schema = parseJson(textOf(said['schema']) ?? '');
  if (schema === undefined) return { kind: 'text' };
  const description = textOf(said['description']);
  const told = description === undefined ? {} : { description };
  return { kind: 'json_schema', name: textOf(said['name']) ?? 'response', ...told, schema };
}

interface Fields {
  readonly reasoning: ReasoningWish;
  readonly topK: number | undefined;
  readonly parallel: boolean | undefined;
  /** What the form has no word for. */
  readonly rest: JsonRecord;
}

/** The members by which each family is told to think, and the ones that hold `top_k`. */
function readFields(fields: JsonRecord): Fields {
  const rest: Record<string, unknown> = { ...fields };
  const take = (key: string): unknown => {
    const value = rest[key];
    delete rest[key];
    return value;
  };
  const effort = recordOf(take('output_config'))['effort'];
  const thinking = recordOf(take('thinking'));
  const nova = recordOf(take('reasoningConfig'))['maxReasoningEffort'];
  const level = effortOf(take('reasoning_effort') ?? take('reasoning_config') ?? nova ?? effort);
  const budget = numberOf(thinking['budget_tokens']);
  const topK = numberOf(take('top_k') ?? take('k') ?? recordOf(take('inferenceConfig'))['topK']);
  const serial = recordOf(take('tool_choice'))['disable_parallel_tool_use'];
  return {
    reasoning: {
      ...(level === undefined ? {} : { effort: level }),
      ...(budget === undefined ? {} : { budgetTokens: budget }),
      ...(thinking['type'] === 'adaptive' ? { adaptive: true } : {}),
      ...(thinking['type'] === 'disabled' ? { effort: 'none' } : {}),
    },
    topK,
    parallel: typeof serial === 'boolean' ? !serial : undefined,
    rest,
  };
}

const EFFORTS: ReadonlyMap<unknown, ReasoningEffort> = new Map(
  (['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const).map((effort) => [
    effort,
    effort,
  ]),
);

function effortOf(said: unknown): ReasoningEffort | undefined {
  return EFFORTS.get(said);
}
