/**
 * Changes to the `messages` of a body that passes through, for hosts that refuse what others
 * accept: a conversation may have begun at another host and carry its members, roles and ids.
 * Messages are parsed only where their text shows that there is something to change; all others
 * pass as bytes.
 */
import type { BodyAdaptation, Warning } from '#providers/provider.ts';
import { isRecord, listOf, parseJson, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { plainReasoning } from './content.ts';
import type { ChatHabits } from './habits.ts';

type Message = Record<string, unknown>;

const NOTHING: BodyAdaptation = { edits: [], warnings: [] };

/** A member named role with this value; quotes inside JSON strings are escaped and do not match. */
const DEVELOPER_ROLE = /("role"\s*:\s*)"developer"/g;

/** A member named content with a list, likewise. */
const CONTENT_LIST = /"content"\s*:\s*\[/;

/** What hosts and clients put into an assistant's message, beside role and content. */
const FOREIGN_MEMBERS = [
  'name',
  'refusal',
  'annotations',
  'audio',
  'images',
  'function_call',
  'reasoning',
  'reasoning_content',
  'reasoning_details',
  'provider_specific_fields',
] as const;

const REASONING_MEMBERS: ReadonlySet<string> = new Set([
  'reasoning',
  'reasoning_content',
  'reasoning_details',
]);

/** False: this host takes every message as it is, and the text need not be decoded to know it. */
export function changesMessages(habits: ChatHabits): boolean {
  return (
    !habits.developerRole ||
    !habits.textLists ||
    !habits.messageNames ||
    habits.assistantMembers !== null ||
    habits.toolCallId !== null
  );
}

/** The edit that makes the messages' raw JSON fit the host; none where they fit already. */
export function adaptMessages(raw: string | undefined, habits: ChatHabits): BodyAdaptation {
  if (raw === undefined) return NOTHING;
  const warnings: Warning[] = [];
  let json = raw;
  if (!habits.developerRole && raw.includes('"developer"')) {
    json = raw.replace(DEVELOPER_ROLE, '$1"system"');
    if (json !== raw) warnings.push(DEVELOPER_WARNING);
  }
  if (needsRewriting(json, habits)) json = rewriteAll(json, habits, warnings);
  return json === raw ? NOTHING : { edits: [{ op: 'set', key: 'messages', json }], warnings };
}

const DEVELOPER_WARNING: Warning = {
  code: 'emulated',
  param: 'messages[].role',
  message: 'This provider does not know the role "developer"; it was sent as "system".',
};

/** A cheap look at the text; it may say yes to nothing but never no to something. */
function needsRewriting(json: string, habits: ChatHabits): boolean {
  if (habits.toolCallId !== null && json.includes('"tool_call')) return true;
  if (!habits.messageNames && json.includes('"name"')) return true;
  if (!habits.textLists && CONTENT_LIST.test(json)) return true;
  const known = habits.assistantMembers;
  if (known === null) return false;
  return FOREIGN_MEMBERS.some((name) => !known.includes(name) && json.includes(`"${name}"`));
}

/** Returns the text as it was where no message changes, so that bytes stay the same. */
function rewriteAll(json: string, habits: ChatHabits, warnings: Warning[]): string {
  const messages = parseJson(json);
  if (!Array.isArray(messages)) return json;
  const lost = new Set<string>();
  let changed = false;
  const rewritten = messages.map((message: unknown) => {
    if (!isRecord(message)) return message;
    const next = rewriteMessage(message, habits, lost);
    changed ||= next !== message;
    return next;
  });
  for (const member of lost) {
    const message = `This provider refuses "${member}" in a message.`;
    warnings.push({ code: 'dropped', param: `messages[].${member}`, message });
  }
  return changed ? JSON.stringify(rewritten) : json;
}

/** The same record where nothing changes. */
function rewriteMessage(message: JsonRecord, habits: ChatHabits, lost: Set<string>): JsonRecord {
  const assistant = message['role'] === 'assistant';
  let next: JsonRecord = message;
  if (assistant && habits.assistantMembers !== null) next = keepMembers(next, habits, lost);
  if (!assistant && !habits.messageNames && message['role'] !== 'tool' && 'name' in next) {
    lost.add('name');
    next = without(next, ['name']);
  }
  if (!habits.textLists) next = joinTexts(next);
  return habits.toolCallId === null ? next : renameCalls(next, habits.toolCallId);
}

/**
 * Parts of text as one, each on a line of its own: they are mostly whole files and paragraphs. What
 * else is in a list the host must answer for.
 */
function joinTexts(message: JsonRecord): JsonRecord {
  const { content } = message;
  if (!Array.isArray(content)) return message;
  const texts = content.map((part) =>
    recordOf(part)['type'] === 'text' ? recordOf(part)['text'] : undefined,
  );
  if (!texts.every((text) => typeof text === 'string')) return message;
  return { ...message, content: texts.join('\n') };
}

function keepMembers(message: JsonRecord, habits: ChatHabits, lost: Set<string>): JsonRecord {
  const known = habits.assistantMembers ?? [];
  const refused = Object.keys(message).filter((key) => !known.includes(key));
  if (refused.length === 0) return message;
  const kept = without(message, refused);
  const reasoning = refused.some((key) => REASONING_MEMBERS.has(key))
    ? plainReasoning(message)
    : undefined;
  for (const key of refused) {
    const told = REASONING_MEMBERS.has(key) && habits.reasoningField !== null;
    if (!told && saysSomething(message[key])) lost.add(key);
  }
  return reasoning === undefined ? kept : withReasoning(kept, reasoning, habits);
}

function saysSomething(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return false;
  return !Array.isArray(value) || value.length > 0;
}

/** Puts reasoning where the host takes it back; a host that takes none gets none. */
export function withReasoning(message: JsonRecord, text: string, habits: ChatHabits): Message {
  const field = habits.reasoningField;
  if (field === null || field === 'reasoning_details') return { ...message };
  if (field !== 'content') return { ...message, [field]: message[field] ?? text };
  const said = message['content'];
  const plain = textOf(said);
  const parts = plain === undefined ? listOf(said) : [{ type: 'text', text: plain }];
  const thinking = { type: 'thinking', thinking: [{ type: 'text', text }] };
  return { ...message, content: [thinking, ...parts] };
}

function renameCalls(message: JsonRecord, rename: (id: string) => string): JsonRecord {
  const answers = textOf(message['tool_call_id']);
  if (answers !== undefined) {
    const id = rename(answers);
    return id === answers ? message : { ...message, tool_call_id: id };
  }
  const calls = listOf(message['tool_calls']);
  const renamed = calls.map((call) => {
    const id = textOf(recordOf(call)['id']);
    return id === undefined || rename(id) === id ? call : { ...recordOf(call), id: rename(id) };
  });
  const same = renamed.every((call, index) => call === calls[index]);
  return same ? message : { ...message, tool_calls: renamed };
}

function without(message: JsonRecord, keys: readonly string[]): JsonRecord {
  return Object.fromEntries(Object.entries(message).filter(([key]) => !keys.includes(key)));
}
