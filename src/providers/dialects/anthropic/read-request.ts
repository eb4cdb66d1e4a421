/**
 * Reads a Messages request into the common form: for the Messages door, and for the proof that what
 * was recorded can be said again. What has no word in the form stays native and comes out again
 * when the request returns to this dialect.
 */
import type { ChatForm, OutputFormat, ReasoningWish, Tool, ToolChoice } from '#providers/form.ts';
import { isRecord, listOf, numberOf, otherMembers, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { readCache, readTurns } from './read-turns.ts';
import { nativeOf } from './native.ts';

const BODY_MEMBERS: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'system',
  'max_tokens',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'stream',
  'service_tier',
]);

const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max'] as const;

const FUNCTION_MEMBERS: ReadonlySet<string> = new Set([
  'name',
  'description',
  'input_schema',
  'strict',
  'cache_control',
]);

/** Never throws: whether a body is valid, the door's schema says. */
export function readRequest(body: JsonRecord): ChatForm {
  const choice = recordOf(body['tool_choice']);
  const toolChoice = readChoice(choice);
  const maxOutputTokens = numberOf(body['max_tokens']);
  const serviceTier = textOf(body['service_tier']);
  const metadata = recordOf(body['metadata']);
  const endUser = textOf(metadata['user_id']);
  const container = textOf(body['container']);
  const others = otherMembers(body, BODY_MEMBERS);
  return {
    turns: readTurns(body),
    tools: listOf(body['tools']).filter(isRecord).map(readTool),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(choice['disable_parallel_tool_use'] === true ? { parallelToolCalls: false } : {}),
    output: readFormat(recordOf(body['output_config'])['format']),
    modalities: [],
    reasoning: readThinking(body),
    sampling: readSampling(body),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    choices: 1,
    stream: body['stream'] === true,
    ...(serviceTier === undefined ? {} : { serviceTier }),
    ...(endUser === undefined ? {} : { endUser }),
    ...(container === undefined ? {} : { continues: { kind: 'container', id: container } }),
    native: nativeOf({ ...others, ...nativeThinking(body), ...nativeConfig(body) }) ?? {},
  };
}

function readTool(tool: JsonRecord): Tool {
  const type = textOf(tool['type']) ?? 'custom';
  const name = textOf(tool['name']) ?? '';
  if (type !== 'custom') {
    // A family of versions: web_search_20250305.
    return { kind: 'hosted', tool: type.replace(/_\d{8}$/, ''), config: tool };
  }
  const { description } = tool;
  const cache = readCache(tool);
  const native = nativeOf(otherMembers(tool, FUNCTION_MEMBERS));
  return {
    kind: 'function',
    name,
    ...(typeof description === 'string' ? { description } : {}),
    parameters: tool['input_schema'],
    ...(typeof tool['strict'] === 'boolean' ? { strict: tool['strict'] } : {}),
    ...(cache === undefined ? {} : { cache }),
    ...(native === undefined ? {} : { native }),
  };
}

function readChoice(choice: JsonRecord): ToolChoice | undefined {
  switch (choice['type']) {
    case 'auto':
      return { mode: 'auto' };
    case 'none':
      return { mode: 'none' };
    case 'any':
      return { mode: 'required' };
    case 'tool':
      return { mode: 'one', name: textOf(choice['name']) ?? '', kind: 'function' };
    default:
      return undefined;
  }
}

function readFormat(format: unknown): OutputFormat {
  const record = recordOf(format);
  if (record['type'] !== 'json_schema') return { kind: 'text' };
  return { kind: 'json_schema', name: 'answer', schema: record['schema'], strict: true };
}

function readThinking(body: JsonRecord): ReasoningWish {
  const thinking = recordOf(body['thinking']);
  const said = recordOf(body['output_config'])['effort'];
  const effort = EFFORTS.find((level) => level === said);
  const display = thinking['display'];
  const show = display === 'omitted' ? 'none' : 'summary';
  const shown = display === 'omitted' || display === 'summarized' ? ({ show } as const) : {};
  const level = effort === undefined ? {} : { effort };
  const budgetTokens = numberOf(thinking['budget_tokens']);
  if (thinking['type'] === 'disabled') return { effort: 'none' };
  if (thinking['type'] === 'adaptive') return { adaptive: true, ...level, ...shown };
  return { ...(budgetTokens === undefined ? {} : { budgetTokens }), ...level, ...shown };
}

/**
 * Kept where the form would say something else: an effort without thinking, and kinds of thinking
 * that only this dialect knows.
 */
function nativeThinking(body: JsonRecord): JsonRecord {
  const { thinking } = body;
  const effort = recordOf(body['output_config'])['effort'];
  const type = recordOf(thinking)['type'];
  if (type === 'adaptive' || (type === 'enabled' && effort === undefined)) return {};
  if (type === 'disabled' && effort === undefined) return {};
  return isRecord(thinking) || typeof effort === 'string' ? { thinking: thinking ?? null } : {};
}

function nativeConfig(body: JsonRecord): JsonRecord {
  const { effort: _effort, format: _format, ...rest } = recordOf(body['output_config']);
  return Object.keys(rest).length === 0 ? {} : { output_config: rest };
}

function readSampling(body: JsonRecord): ChatForm['sampling'] {
  const temperature = numberOf(body['temperature']);
  const topP = numberOf(body['top_p']);
  const topK = numberOf(body['top_k']);
  const stop = listOf(body['stop_sequences']).filter((text) => typeof text === 'string');
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
    ...(stop.length === 0 ? {} : { stop }),
  };
}
