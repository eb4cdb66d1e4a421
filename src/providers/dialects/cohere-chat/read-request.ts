/**
 * Reads a request of Cohere's v2 chat into the common form, so that recorded requests can be
 * written again and compared, and so that a door of this dialect would need no more.
 */
import type {
  ChatForm,
  MediaSource,
  OutputFormat,
  Part,
  ReasoningWish,
  SamplingWish,
  Tool,
  ToolChoice,
  ToolResultPart,
  Turn,
} from '#providers/form.ts';
import { isRecord, listOf, numberOf, otherMembers, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { COHERE, OWN, PLAN_ID } from './native.ts';

const MEMBERS = new Set([
  'model',
  'messages',
  'tools',
  'tool_choice',
  'strict_tools',
  'response_format',
  'thinking',
  'max_tokens',
  'stop_sequences',
  'temperature',
  'p',
  'k',
  'frequency_penalty',
  'presence_penalty',
  'seed',
  'logprobs',
  'stream',
]);

/** What it says in the common form; members without a word there stay native. */
export function readRequest(body: JsonRecord): ChatForm {
  const choice = toolChoiceOf(body['tool_choice']);
  const max = numberOf(body['max_tokens']);
  return {
    turns: listOf(body['messages']).map((message, index) => turnOf(recordOf(message), index)),
    tools: listOf(body['tools']).map((tool) => toolOf(tool, body['strict_tools'] === true)),
    ...(choice === undefined ? {} : { toolChoice: choice }),
    output: outputOf(recordOf(body['response_format'])),
    modalities: ['text'],
    reasoning: reasoningOf(body['thinking']),
    sampling: samplingOf(body),
    ...(max === undefined ? {} : { maxOutputTokens: max }),
    choices: 1,
    stream: body['stream'] === true,
    native: { [COHERE]: otherMembers(body, MEMBERS) },
  };
}

function turnOf(message: JsonRecord, index: number): Turn {
  const path = `messages[${index}]`;
  const { role } = message;
  if (role === 'assistant') return { role, parts: assistantParts(message), path };
  if (role === 'tool') return { role, parts: [resultOf(message)], path };
  const parts = blocksOf(message['content']).map(blockPart);
  return { role: role === 'system' ? 'system' : 'user', parts, path };
}

function blocksOf(content: unknown): readonly JsonRecord[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return listOf(content).map(recordOf);
}

function blockPart(block: JsonRecord): Part {
  const thinking = textOf(block['thinking']);
  if (thinking !== undefined) {
    return { type: 'reasoning', text: thinking, summary: false, native: OWN };
  }
  const image = recordOf(block['image_url']);
  const url = textOf(image['url']) ?? textOf(block['image_url']);
  if (url === undefined) return { type: 'text', text: textOf(block['text']) ?? '' };
  const { detail } = image;
  const part = { type: 'image', source: imageSource(url) } as const;
  if (detail !== 'low' && detail !== 'high' && detail !== 'auto') return part;
  return { ...part, detail };
}

function imageSource(url: string): MediaSource {
  const inline = /^data:([^;,]+);base64,(.*)$/s.exec(url);
  if (inline === null) return { kind: 'url', url };
  return { kind: 'base64', mediaType: inline[1] ?? '', data: inline[2] ?? '' };
}

function assistantParts(message: JsonRecord): readonly Part[] {
  const plan = textOf(message['tool_plan']);
  const planned: readonly Part[] =
    plan === undefined
      ? []
      : [{ type: 'reasoning', text: plan, summary: false, id: PLAN_ID, native: OWN }];
  const calls = listOf(message['tool_calls']).map((said): Part => {
    const call = recordOf(said);
    const called = recordOf(call['function']);
    return {
      type: 'tool_call',
      id: textOf(call['id']) ?? '',
      name: textOf(called['name']) ?? '',
      arguments: textOf(called['arguments']) ?? '{}',
      format: 'json',
    };
  });
  return [...planned, ...blocksOf(message['content']).map(blockPart), ...calls];
}

function resultOf(message: JsonRecord): ToolResultPart {
  const content = blocksOf(message['content']).map((block): ToolResultPart['content'][number] => {
    const { document } = block;
    if (!isRecord(document)) return { type: 'text', text: textOf(block['text']) ?? '' };
    const text = JSON.stringify(document['data'] ?? document);
    return { type: 'text', text, native: { [COHERE]: { document } } };
  });
  return { type: 'tool_result', callId: textOf(message['tool_call_id']) ?? '', content };
}

function toolOf(tool: unknown, strict: boolean): Tool {
  const said = recordOf(recordOf(tool)['function']);
  const description = textOf(said['description']);
  return {
    kind: 'function',
    name: textOf(said['name']) ?? '',
    ...(description === undefined ? {} : { description }),
    ...(said['parameters'] === undefined ? {} : { parameters: said['parameters'] }),
    ...(strict ? { strict } : {}),
  };
}

function toolChoiceOf(said: unknown): ToolChoice | undefined {
  if (said === 'REQUIRED') return { mode: 'required' };
  return said === 'NONE' ? { mode: 'none' } : undefined;
}

function outputOf(format: JsonRecord): OutputFormat {
  if (format['type'] !== 'json_object') return { kind: 'text' };
  const schema = format['json_schema'];
  return isRecord(schema) ? { kind: 'json_schema', name: 'answer', schema } : { kind: 'json' };
}

function reasoningOf(thinking: unknown): ReasoningWish {
  if (!isRecord(thinking)) return {};
  if (thinking['type'] === 'disabled') return { effort: 'none' };
  const budgetTokens = numberOf(thinking['token_budget']);
  return budgetTokens === undefined ? { adaptive: true } : { budgetTokens };
}

function samplingOf(body: JsonRecord): SamplingWish {
  const numbers = {
    temperature: numberOf(body['temperature']),
    topP: numberOf(body['p']),
    topK: numberOf(body['k']),
    frequencyPenalty: numberOf(body['frequency_penalty']),
    presencePenalty: numberOf(body['presence_penalty']),
    seed: numberOf(body['seed']),
  };
  const stop = listOf(body['stop_sequences']).filter((each) => typeof each === 'string');
  return {
    ...Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined)),
    ...(stop.length === 0 ? {} : { stop }),
    ...(body['logprobs'] === true ? { logprobs: true } : {}),
  };
}
