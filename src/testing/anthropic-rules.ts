/**
 * What Anthropic's Messages API refuses, as a pure function over a request body: so that a test
 * sees a 400 where the real host would answer with one. It shares nothing with the dialect that
 * writes such bodies.
 */
import { at, isObject, listOf, numberOf, objectOf, stringOf } from './recordings-json.ts';
import type { JsonObject } from './recordings-json.ts';
import { schemaFault } from './anthropic-rules-schemas.ts';

export interface Refusal {
  readonly path: string;
  readonly message: string;
}

interface Block {
  readonly path: string;
  readonly type: string;
  readonly block: JsonObject;
}

interface Message {
  readonly role: string;
  readonly blocks: readonly Block[];
}

const MEMBERS: ReadonlySet<string> = new Set([
  'model',
  'max_tokens',
  'messages',
  'system',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'stream',
  'metadata',
  'service_tier',
  'container',
]);

/** Models that must not find their answer begun. */
const NO_PREFILL = /claude-(?:(?:opus|sonnet)-4-[6-9]|mythos|(?:opus|sonnet|haiku|fable)-[5-9])/;

const THOUGHTS: readonly string[] = ['thinking', 'redacted_thinking'];

/** The signature under which the fake gives a thought out, and takes it back. */
export function signThought(thought: string): string {
  let hash = 0x811c9dc5;
  for (const char of thought) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return `signed-${(hash >>> 0).toString(16)}`;
}

/** The first thing that is wrong with the body, or null where the host would answer. */
export function refuseMessages(body: unknown): Refusal | null {
  const messages = listOf(at(body, 'messages')).map(readMessage);
  const [first] = [
    ...checkMembers(objectOf(body)),
    ...checkUser(objectOf(body)),
    ...checkGrammars(objectOf(body)),
    ...checkTools(objectOf(body)),
    ...checkMessages(messages),
    ...checkCalls(messages),
    ...checkEnd(objectOf(body), messages.at(-1)),
    ...checkThinking(objectOf(body), messages),
    ...checkCache(body, messages),
  ];
  return first ?? null;
}

function readMessage(message: unknown, index: number): Message {
  const path = `messages.${index}`;
  const content = at(message, 'content');
  const list = typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content);
  const blocks = list.map((block, position) => ({
    path: `${path}.content.${position}`,
    type: stringOf(at(block, 'type')),
    block: objectOf(block),
  }));
  return { role: stringOf(at(message, 'role')), blocks };
}

function* checkMembers(body: JsonObject): Iterable<Refusal> {
  for (const key of Object.keys(body)) {
    if (!MEMBERS.has(key)) yield { path: key, message: 'Extra inputs are not permitted' };
  }
  if ((numberOf(body['max_tokens']) ?? 0) < 1) yield { path: 'max_tokens', message: 'required' };
  if (stringOf(body['model']) === '') yield { path: 'model', message: 'required' };
  const temperature = numberOf(body['temperature']) ?? 1;
  if (temperature < 0 || temperature > 1) yield { path: 'temperature', message: 'range: 0..1' };
  for (const stop of listOf(body['stop_sequences'])) {
    if (stringOf(stop).trim() === '') yield { path: 'stop_sequences', message: 'whitespace' };
  }
}

function* checkUser(body: JsonObject): Iterable<Refusal> {
  const path = 'metadata.user_id';
  const id = stringOf(at(body, 'metadata', 'user_id'));
  if (id.includes('@') && id.includes('.')) {
    yield { path, message: 'user_id appears to contain an email address' };
  }
  if (id.startsWith('+')) yield { path, message: 'user_id appears to contain a phone number' };
  if (id.length > 256) yield { path, message: 'at most 256 characters' };
}

/** Schemas that grammars are made of: of the answer, and of strict tools. */
function* checkGrammars(body: JsonObject): Iterable<Refusal> {
  const strict = listOf(body['tools']).filter((tool) => at(tool, 'strict') === true);
  const schemas = [
    at(body, 'output_config', 'format', 'schema'),
    ...strict.map((tool) => at(tool, 'input_schema')),
  ];
  for (const schema of schemas) {
    const message = schemaFault(schema);
    if (message !== null) yield { path: 'schema', message };
  }
}

function* checkTools(body: JsonObject): Iterable<Refusal> {
  const choice = stringOf(at(body['tool_choice'], 'type'));
  if (choice !== '' && listOf(body['tools']).length === 0) {
    yield { path: 'tool_choice', message: 'may only be specified while providing tools' };
  }
  for (const [index, tool] of listOf(body['tools']).entries()) {
    const named = at(tool, 'type') === undefined;
    if (named && stringOf(at(tool, 'input_schema', 'type')) !== 'object') {
      yield { path: `tools.${index}.input_schema.type`, message: 'must be object' };
    }
  }
}

function* checkMessages(messages: readonly Message[]): Iterable<Refusal> {
  if (messages.length === 0) yield { path: 'messages', message: 'at least one message' };
  for (const [index, message] of messages.entries()) {
    const path = `messages.${index}`;
    if (!['user', 'assistant', 'system'].includes(message.role)) {
      yield { path: `${path}.role`, message: 'unexpected role' };
    }
    if (message.blocks.length === 0) yield { path, message: 'content must not be empty' };
    for (const { block, path: where, type } of message.blocks) {
      if (type === 'text' && stringOf(block['text']).trim() === '') {
        yield { path: where, message: 'text content blocks must contain non-whitespace text' };
      }
      yield* checkThought(block, where);
    }
  }
}

function* checkThought(block: JsonObject, path: string): Iterable<Refusal> {
  if (block['type'] === 'thinking') {
    const signature = stringOf(block['signature']);
    if (signature === '') yield { path: `${path}.signature`, message: 'Field required' };
    else if (signature !== signThought(stringOf(block['thinking']))) {
      yield { path, message: 'Invalid `signature` in `thinking` block' };
    }
  }
  if (block['type'] === 'redacted_thinking' && stringOf(block['data']) === '') {
    yield { path: `${path}.data`, message: 'Field required' };
  }
  if (THOUGHTS.includes(stringOf(block['type'])) && block['cache_control'] !== undefined) {
    yield { path: `${path}.cache_control`, message: 'Extra inputs are not permitted' };
  }
}

/** Neighbours of one role count as one message. */
function joined(messages: readonly Message[]): readonly Message[] {
  const whole: Message[] = [];
  for (const message of messages) {
    const last = whole.at(-1);
    if (last?.role !== message.role) whole.push(message);
    else whole.splice(-1, 1, { ...last, blocks: [...last.blocks, ...message.blocks] });
  }
  return whole;
}

function* checkCalls(messages: readonly Message[]): Iterable<Refusal> {
  let open = new Map<string, string>();
  for (const { role, blocks } of joined(messages)) {
    if (role === 'assistant') {
      yield* unanswered(open);
      open = new Map();
      yield* openCalls(blocks, open);
    } else if (role === 'user') {
      yield* answerCalls(blocks, open);
      yield* unanswered(open);
    }
  }
  yield* unanswered(open);
}

function* openCalls(blocks: readonly Block[], open: Map<string, string>): Iterable<Refusal> {
  for (const { type, block, path } of blocks) {
    if (type !== 'tool_use') continue;
    const id = stringOf(block['id']);
    if (!/^[a-zA-Z0-9_-]+$/.test(id)) yield { path: `${path}.id`, message: 'pattern' };
    if (open.has(id)) yield { path, message: '`tool_use` ids must be unique' };
    if (!isObject(block['input'])) yield { path: `${path}.input`, message: 'must be an object' };
    open.set(id, path);
  }
}

function* answerCalls(blocks: readonly Block[], open: Map<string, string>): Iterable<Refusal> {
  let others = false;
  for (const { type, block, path } of blocks) {
    if (type !== 'tool_result') {
      others = true;
      continue;
    }
    if (others) yield { path, message: '`tool_result` blocks must come first' };
    if (!open.delete(stringOf(block['tool_use_id']))) {
      yield { path, message: 'unexpected `tool_use_id`: no `tool_use` in the previous message' };
    }
  }
}

function* unanswered(open: ReadonlyMap<string, string>): Iterable<Refusal> {
  for (const [id, path] of open) {
    yield { path, message: `\`tool_use\` ${id} was found without a \`tool_result\` after it` };
  }
}

/** What may stand at the end where the assistant has the last word. */
function* checkEnd(body: JsonObject, last: Message | undefined): Iterable<Refusal> {
  const end = last?.blocks.at(-1);
  if (last?.role !== 'assistant' || end?.type !== 'text') return;
  if (NO_PREFILL.test(stringOf(body['model']))) {
    yield { path: 'messages', message: 'This model does not support assistant message prefill.' };
  }
  if (/\s$/.test(stringOf(end.block['text']))) {
    const message = 'final assistant content cannot end with trailing whitespace';
    yield { path: 'messages', message };
  }
}

function* checkThinking(body: JsonObject, messages: readonly Message[]): Iterable<Refusal> {
  const { thinking } = body;
  if (at(thinking, 'type') !== 'enabled') return;
  const path = 'thinking.budget_tokens';
  const budget = numberOf(at(thinking, 'budget_tokens')) ?? 0;
  if (budget < 1_024) yield { path, message: 'must be at least 1024' };
  if (budget >= (numberOf(body['max_tokens']) ?? 0)) {
    yield { path: 'max_tokens', message: 'must be greater than `thinking.budget_tokens`' };
  }
  if (['any', 'tool'].includes(stringOf(at(body, 'tool_choice', 'type')))) {
    yield { path: 'tool_choice', message: 'Thinking may not be enabled when it forces tool use' };
  }
  if ((numberOf(body['temperature']) ?? 1) !== 1) {
    yield { path: 'temperature', message: 'may only be set to 1 when thinking is enabled' };
  }
  if (body['top_k'] !== undefined) {
    yield { path: 'top_k', message: 'must be unset when thinking is enabled' };
  }
  yield* checkLoop(messages);
}

/** The answer that is gone on with, or began the last loop of calls, must begin with thoughts. */
function* checkLoop(messages: readonly Message[]): Iterable<Refusal> {
  const whole = joined(messages);
  const answers = (message: Message | undefined): boolean =>
    message?.role === 'user' && message.blocks.some(({ type }) => type === 'tool_result');
  if (whole.at(-1)?.role !== 'assistant' && !answers(whole.at(-1))) return;
  let first: Message | undefined;
  for (const message of whole.toReversed()) {
    if (message.role === 'assistant') first = message;
    else if (!answers(message)) break;
  }
  const block = first?.blocks[0];
  if (block === undefined || THOUGHTS.includes(block.type)) return;
  yield {
    path: `${block.path}.type`,
    message: `Expected \`thinking\` or \`redacted_thinking\`, but found \`${block.type}\``,
  };
}

function* checkCache(body: unknown, messages: readonly Message[]): Iterable<Refusal> {
  const inner = messages.flatMap(({ blocks }) =>
    blocks.flatMap(({ block }) => [...listOf(block['content']), block]),
  );
  const marked = [...listOf(at(body, 'tools')), ...listOf(at(body, 'system')), ...inner].filter(
    (block) => isObject(at(block, 'cache_control')),
  );
  if (marked.length > 4) yield { path: 'cache_control', message: 'A maximum of 4 blocks' };
  let short = false;
  for (const block of marked) {
    const long = at(block, 'cache_control', 'ttl') === '1h';
    if (long && short) yield { path: 'cache_control.ttl', message: '1h must not come after 5m' };
    short ||= !long;
  }
}
