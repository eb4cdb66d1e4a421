/**
 * What Converse refuses, as a pure function: the fake of it answers only what this lets through.
 * Written from the service's own words (recordings, its model of the API, reports of its users) and
 * sharing nothing with the dialect that it judges.
 */
import { isRecord, listOf, parseJson, recordOf, type JsonRecord } from '#providers/json.ts';
import { recursionFault, schemaFault } from './anthropic-rules-schemas.ts';
import { cacheFaults, documentFaults, mediaFaults } from './bedrock-rules-blocks.ts';

export interface BedrockRefusal {
  readonly status: 400;
  readonly errorType: 'ValidationException';
  readonly message: string;
}

type Faults = readonly string[];

interface Judged {
  readonly body: JsonRecord;
  readonly messages: readonly JsonRecord[];
  readonly claude: boolean;
  readonly model: string;
}

const MEMBERS = new Set([
  'messages',
  'system',
  'inferenceConfig',
  'toolConfig',
  'guardrailConfig',
  'additionalModelRequestFields',
  'promptVariables',
  'additionalModelResponseFieldPaths',
  'requestMetadata',
  'performanceConfig',
  'serviceTier',
  'outputConfig',
]);

/** Null where the real service would answer. `model` is its id of the model. */
export function bedrockRefusal(body: unknown, model: string): BedrockRefusal | null {
  if (!isRecord(body)) return refuse('The body is not an object.');
  const messages = listOf(body['messages']).map(recordOf);
  const judged: Judged = { body, messages, claude: model.includes('claude'), model };
  const faults = [
    ...memberFaults(judged),
    ...roleFaults(judged),
    ...messages.flatMap((message, index) => contentFaults(message, index, judged)),
    ...pairFaults(judged),
    ...endFaults(judged),
    ...toolFaults(judged),
    ...schemaFaults(judged),
    ...thinkingFaults(judged),
    ...inferenceFaults(judged),
    ...documentFaults(messages),
    ...cacheFaults(body, messages),
  ];
  const [first] = faults;
  return first === undefined ? null : refuse(first);
}

function refuse(message: string): BedrockRefusal {
  return { status: 400, errorType: 'ValidationException', message };
}

/** The signature that the fake gives a thought: whoever changes the thought breaks it. */
export function signThought(text: string): string {
  let sum = 7;
  for (let at = 0; at < text.length; at += 1)
    sum = (sum * 31 + text.charCodeAt(at)) % 2_147_483_647;
  return `sig-${text.length}-${sum}`;
}

function memberFaults({ body }: Judged): Faults {
  return Object.keys(body)
    .filter((key) => !MEMBERS.has(key))
    .map((key) => `extraneous key [${key}] is not permitted`);
}

function roleFaults({ messages, claude }: Judged): Faults {
  if (messages.length === 0) return ['The messages field is empty.'];
  const faults: string[] = [];
  if (messages[0]?.['role'] !== 'user' && !claude) {
    faults.push('A conversation must start with a user message.');
  }
  for (const [index, { role }] of messages.entries()) {
    if (role !== 'user' && role !== 'assistant') faults.push(`messages.${index}.role is unknown`);
    if (role === messages[index - 1]?.['role']) {
      faults.push('A conversation must alternate between user and assistant roles.');
    }
  }
  return faults;
}

const NO_PREFILL = /llama|claude-(?:(?:opus|sonnet)-4-[6-9]|(?:opus|sonnet|haiku|fable)-[5-9])/;

/** What may stand at the end where the assistant has the last word. */
function endFaults({ messages, model }: Judged): Faults {
  const last = messages.at(-1);
  const text = listOf(last?.['content']).map(recordOf).at(-1)?.['text'];
  if (last?.['role'] !== 'assistant' || typeof text !== 'string') return [];
  const faults = /\s$/.test(text) ? ['The final assistant content ends with whitespace.'] : [];
  if (NO_PREFILL.test(model)) faults.push('The conversation must end with a user message.');
  return faults;
}

/** Schemas that answers and the arguments of strict tools are held to. */
function schemaFaults({ body, claude }: Judged): Faults {
  const format = recordOf(recordOf(recordOf(body['outputConfig'])['textFormat'])['structure']);
  const written = recordOf(format['jsonSchema'])['schema'];
  const specs = listOf(recordOf(body['toolConfig'])['tools']).map((tool) =>
    recordOf(recordOf(tool)['toolSpec']),
  );
  const strict = specs.filter((spec) => spec['strict'] === true);
  const schemas = [
    typeof written === 'string' ? parseJson(written) : undefined,
    ...strict.map((spec) => recordOf(spec['inputSchema'])['json']),
  ];
  return schemas.flatMap((schema) => (claude ? schemaFault : recursionFault)(schema) ?? []);
}

function contentFaults(message: JsonRecord, index: number, { claude, model }: Judged): Faults {
  const blocks = listOf(message['content']).map(recordOf);
  const at = `messages.${index}.content`;
  if (blocks.length === 0) return [`The content field at ${at} is empty.`];
  const faults = blocks.flatMap((block, position) =>
    blockFaults(block, `${at}.${position}`, model),
  );
  const results = blocks.filter((block) => 'toolResult' in block).length;
  const mixes = /llama|mistral/.test(model) && results > 0 && results < blocks.length;
  if (mixes && message['role'] === 'user') {
    faults.push(
      `${at}: Conversation blocks and tool result blocks cannot be provided in the same turn.`,
    );
  }
  const unsigned = blocks.some((block) => isRecord(block['reasoningContent']) && !isSigned(block));
  if (claude && unsigned) faults.push(`${at}: Invalid signature in thinking block.`);
  return faults;
}

function blockFaults(block: JsonRecord, at: string, model: string): string[] {
  const keys = Object.keys(block);
  if (keys.length !== 1) return [`${at} must have exactly one member`];
  if (block['text'] === '') return [`The text field in the ContentBlock object at ${at} is blank.`];
  const faults = mediaFaults(block, at);
  const { toolUse, toolResult } = block;
  if (isRecord(toolUse)) {
    if (!isRecord(toolUse['input'])) faults.push(`${at}.toolUse.input must be an object`);
    if (!isName(toolUse['name'])) faults.push(`${at}.toolUse.name is malformed`);
    const id = toolUse['toolUseId'];
    // Kimi's own ids hold a dot and a colon (recordings).
    const plain = model.includes('kimi') ? String(id).replace(/[.:]/g, '_') : id;
    if (!isName(plain)) faults.push(`${at}.toolUse.toolUseId is malformed`);
  }
  for (const inner of isRecord(toolResult) ? listOf(toolResult['content']).map(recordOf) : []) {
    faults.push(...mediaFaults(inner, `${at}.toolResult`));
  }
  return faults;
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && /^[a-zA-Z0-9_-]{1,64}$/.test(value);
}

function isSigned(block: JsonRecord): boolean {
  const reasoning = recordOf(block['reasoningContent']);
  if (typeof reasoning['redactedContent'] === 'string') return true;
  const { text, signature } = recordOf(reasoning['reasoningText']);
  return typeof text === 'string' && signature === signThought(text);
}

function idsOf(message: JsonRecord | undefined, kind: 'toolUse' | 'toolResult'): readonly string[] {
  return listOf(message?.['content']).flatMap((block) => {
    const said = recordOf(recordOf(block)[kind]);
    // What the host ran itself is answered where it stands.
    return typeof said['toolUseId'] === 'string' && said['type'] === undefined
      ? [said['toolUseId']]
      : [];
  });
}

/** Calls are answered in the next message, each once, and nothing else is. */
function pairFaults({ messages }: Judged): Faults {
  const faults: string[] = [];
  for (const [index, message] of messages.entries()) {
    const calls = message['role'] === 'assistant' ? idsOf(message, 'toolUse') : [];
    const answers = idsOf(messages[index + 1], 'toolResult');
    const missing = calls.filter((id) => !answers.includes(id));
    const at = `messages.${index + 1}.content`;
    if (missing.length > 0) {
      faults.push(
        `Expected toolResult blocks at ${at} for the following Ids: ${missing.join(', ')}`,
      );
    }
    if (message['role'] === 'assistant' && answers.length > calls.length) {
      const more = `The number of toolResult blocks at ${at} exceeds`;
      faults.push(`${more} the number of toolUse blocks of previous turn.`);
    }
  }
  if (messages[0]?.['role'] === 'user' && idsOf(messages[0], 'toolResult').length > 0) {
    faults.push(
      'The number of toolResult blocks exceeds the number of toolUse blocks of previous turn.',
    );
  }
  return faults;
}

function toolFaults({ body, messages }: Judged): Faults {
  const config = body['toolConfig'];
  const used = messages.some(
    (message) => idsOf(message, 'toolUse').length + idsOf(message, 'toolResult').length > 0,
  );
  if (config === undefined) {
    const message =
      'The toolConfig field must be defined when using toolUse and toolResult blocks.';
    return used ? [message] : [];
  }
  const tools = listOf(recordOf(config)['tools']).map(recordOf);
  const specs = tools.map((tool) => recordOf(tool['toolSpec'])).filter((spec) => 'name' in spec);
  const faults = tools.length === 0 ? ['The tools field is empty.'] : [];
  for (const spec of specs) {
    const schema = recordOf(recordOf(spec['inputSchema'])['json']);
    if (!isName(spec['name'])) faults.push('toolSpec.name is malformed');
    if (schema['type'] !== 'object') faults.push('toolConfig.inputSchema.json.type must be object');
    if (spec['description'] === '') faults.push('toolSpec.description is blank');
  }
  const choice = recordOf(recordOf(config)['toolChoice']);
  const named = recordOf(choice['tool'])['name'];
  if (named !== undefined && !specs.some((spec) => spec['name'] === named)) {
    faults.push('toolChoice names a tool that is not there');
  }
  if (Object.keys(choice).some((key) => !['auto', 'any', 'tool'].includes(key))) {
    faults.push('toolChoice is unknown');
  }
  return faults;
}

/** Claude's rules for extended thinking, which Converse passes on. */
function thinkingFaults({ body, messages, claude }: Judged): Faults {
  const thinking = recordOf(recordOf(body['additionalModelRequestFields'])['thinking']);
  if (!claude || thinking['type'] !== 'enabled') return [];
  const inference = recordOf(body['inferenceConfig']);
  const budget = Number(thinking['budget_tokens']);
  const most = Number(inference['maxTokens'] ?? Number.POSITIVE_INFINITY);
  const choice = recordOf(recordOf(body['toolConfig'])['toolChoice']);
  const faults: string[] = [];
  if (!(budget >= 1_024)) faults.push('thinking.budget_tokens: must be at least 1024');
  if (budget >= most) faults.push('max_tokens must be greater than thinking.budget_tokens');
  if ('any' in choice || 'tool' in choice) {
    faults.push('Thinking may not be enabled when tool_choice forces tool use.');
  }
  if ('temperature' in inference) faults.push('temperature may only be 1 when thinking is enabled');
  return [...faults, ...loopFaults(messages)];
}

/** What is gone on with, calls of tools or a begun answer, stands behind its thoughts. */
function loopFaults(messages: readonly JsonRecord[]): Faults {
  const last = messages.at(-1);
  const answered = idsOf(last, 'toolResult').length > 0 ? messages.at(-2) : undefined;
  const goneOn = last?.['role'] === 'assistant' ? last : answered;
  const [first] = listOf(goneOn?.['content']).map(recordOf);
  if (first === undefined || 'reasoningContent' in first) return [];
  return ['Expected thinking or redacted_thinking at the start of the assistant message.'];
}

function inferenceFaults({ body }: Judged): Faults {
  const inference = recordOf(body['inferenceConfig']);
  const faults: string[] = [];
  for (const key of ['temperature', 'topP']) {
    const value = inference[key];
    if (value === undefined) continue;
    if (typeof value !== 'number' || value < 0 || value > 1) faults.push(`${key} is out of range`);
  }
  const most = inference['maxTokens'];
  if (most !== undefined && !(Number(most) >= 1)) faults.push('maxTokens must be at least 1');
  return faults;
}
