/**
 * Reads the messages of a chat body into turns: one turn for each message, under the same index, so
 * that a path of the form is a path of the caller's body.
 */
import type { Part, Role, ToolResultPart, Turn } from '#providers/form.ts';
import { listOf, otherMembers, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import { nativeOf } from './content.ts';
import { readAssistant } from './read-form-assistant.ts';
import { callBook, legacyKey } from './read-form-calls.ts';
import type { CallBook } from './read-form-calls.ts';
import { readCache, readParts } from './read-form-parts.ts';

/** Throws CannotSay with the path of what no upstream would take. */
export function readTurns(messages: unknown): readonly Turn[] {
  const calls = callBook();
  const turns = listOf(messages).map((said, index) => {
    const message = recordOf(said);
    const role = message['role'];
    if (role === 'tool' || role === 'function') return readResult(message, index, calls);
    calls.settle();
    if (role === 'assistant') return readAssistant(message, index, calls);
    return readInstruction(
      message,
      role === 'system' || role === 'developer' ? role : 'user',
      index,
    );
  });
  calls.settle();
  return turns;
}

const INSTRUCTION_MEMBERS = new Set(['role', 'content', 'name', 'cache_control']);

/** A system message may be empty, since clients send them so; it has no parts then. */
function readInstruction(message: JsonRecord, role: Role, index: number): Turn {
  const path = `messages[${index}]`;
  const parts = cacheLast(readParts(message['content'], path), message, path);
  if (parts.length === 0 && role === 'user') {
    throw new CannotSay(`${path}.content`, 'A user message must not be empty.');
  }
  const name = textOf(message['name']);
  const native = nativeOf(otherMembers(message, INSTRUCTION_MEMBERS));
  return {
    role,
    parts,
    path,
    ...(name === undefined ? {} : { name }),
    ...(native === undefined ? {} : { native }),
  };
}

/** A hint on the message means its last part. */
export function cacheLast<Kind extends Part>(
  parts: readonly Kind[],
  message: JsonRecord,
  path: string,
): readonly Kind[] {
  const cache = readCache(message, path);
  const last = parts.at(-1);
  return cache === undefined || last === undefined
    ? parts
    : [...parts.slice(0, -1), { ...last, cache }];
}

const RESULT_MEMBERS = new Set([
  'role',
  'content',
  'name',
  'tool_call_id',
  'is_error',
  'cache_control',
]);

/** The result of a tool, or of a legacy function, which names its call by the function. */
function readResult(message: JsonRecord, index: number, calls: CallBook): Turn {
  const path = `messages[${index}]`;
  const legacy = message['role'] === 'function';
  const member = legacy ? 'name' : 'tool_call_id';
  const named = textOf(message[member]) ?? '';
  const call = calls.answer(legacy ? legacyKey(named) : named, `${path}.${member}`);
  const content = readParts(message['content'], path).map((part, position) => {
    if (isResultContent(part)) return part;
    const place = part.path ?? `${path}.content[${position}]`;
    throw new CannotSay(place, `A tool result cannot hold content of type "${part.type}".`);
  });
  // Upstreams mark the result as a whole, so a hint within it is a hint on it.
  const cache = readCache(message, path) ?? content.findLast((part) => part.cache)?.cache;
  const native = nativeOf(otherMembers(message, RESULT_MEMBERS));
  const result: ToolResultPart = {
    type: 'tool_result',
    callId: call.id,
    name: call.name,
    content: content.map(({ cache: _cache, ...part }) => part),
    path,
    ...(message['is_error'] === true ? { isError: true } : {}),
    ...(cache === undefined ? {} : { cache }),
    ...(native === undefined ? {} : { native }),
  };
  return { role: 'tool', parts: [result], path };
}

type ResultContent = ToolResultPart['content'][number];

function isResultContent(part: Part): part is ResultContent {
  const { type } = part;
  return type === 'text' || type === 'image' || type === 'file' || type === 'audio';
}
