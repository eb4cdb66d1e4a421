/**
 * Writes the turns of a conversation as Converse's system blocks and messages. Messages alternate
 * between user and assistant, so neighbours are joined: all results of one round of calls go into
 * one message, and what the user says behind them too where the model's family allows it.
 */
import type { Turn } from '#providers/form.ts';
import { CannotSay } from '#providers/provider.ts';
import { GO_ON } from '../anthropic/native.ts';
import { checkToolOrder } from '../tool-order.ts';
import { encodeParts, isCachePoint } from './encode-parts.ts';
import type { Block } from './media.ts';
import { cachePoint, warn } from './place.ts';
import type { Place } from './place.ts';

export interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: Block[];
}

export interface Conversation {
  readonly system: Block[];
  readonly messages: readonly Message[];
}

/** Throws CannotSay for turns in an order that no repair would keep honest. */
export function encodeTurns(turns: readonly Turn[], place: Place): Conversation {
  checkToolOrder(turns);
  const system: Block[] = [];
  const messages: Message[] = [];
  for (const [index, turn] of turns.entries()) {
    const path = turn.path ?? `messages[${index}]`;
    if (turn.role === 'system' || turn.role === 'developer') {
      if (messages.length > 0) warnMoved(path, place);
      system.push(...encodeSystem(turn, path, place));
      continue;
    }
    const blocks = encodeParts(turn.parts, path, place);
    if (turn.role === 'assistant') add(messages, { role: 'assistant', content: [...blocks] });
    else addUser(messages, { turn, path, blocks }, place);
  }
  const [first] = messages;
  if (first === undefined) throw new CannotSay('messages', 'There is no message for the model.');
  if (first.role === 'assistant' && place.family.startsWithUser) {
    throw new CannotSay('messages', 'This model wants the first message from the user.');
  }
  endForAnswer(messages, place);
  addWords(messages, place);
  return { system, messages };
}

function warnMoved(path: string, place: Place): void {
  const message = 'A system message inside the conversation was moved to its beginning.';
  warn(place, 'emulated', { param: path, message });
}

function encodeSystem(turn: Turn, path: string, place: Place): readonly Block[] {
  return turn.parts.flatMap((part, index) => {
    const partPath = part.path ?? `${path}.content[${index}]`;
    if (part.type !== 'text') {
      throw new CannotSay(partPath, 'A system message can hold only text at this provider.');
    }
    if (part.text.trim() === '') return [];
    const point = part.cache === undefined ? null : cachePoint(part.cache, place, partPath);
    return [{ text: part.text }, ...(point === null ? [] : [point])];
  });
}

/** Joins a message to the one before it where both are of one role; an empty one says nothing. */
function add(messages: Message[], message: Message): void {
  if (message.content.length === 0) return;
  const last = messages.at(-1);
  if (last?.role === message.role) last.content.push(...message.content);
  else messages.push(message);
}

interface UserTurn {
  readonly turn: Turn;
  readonly path: string;
  readonly blocks: readonly Block[];
}

function addUser(messages: Message[], { turn, path, blocks }: UserTurn, place: Place): void {
  if (blocks.length === 0) throw new CannotSay(path, 'This message is empty.');
  const last = messages.at(-1);
  const isResult = turn.parts.some((part) => part.type === 'tool_result');
  const followsResult = last?.content.some((block) => 'toolResult' in block) === true;
  if (last?.role === 'user' && followsResult && !isResult && !place.family.mixedTurns) {
    // What the official clients put between them, too.
    messages.push({ role: 'assistant', content: [{ text: '.' }] });
    const message = 'This model takes no words beside tool results; a "." was put between them.';
    warn(place, 'emulated', { param: path, message });
  }
  add(messages, { role: 'user', content: [...blocks] });
}

/**
 * Words of the assistant at the end begin its answer. They must not end in white space, and some
 * models take none: those are asked to go on.
 */
function endForAnswer(messages: Message[], place: Place): void {
  const last = messages.at(-1);
  if (last?.role !== 'assistant') return;
  const at = last.content.findLastIndex((block) => !isCachePoint(block));
  const text = last.content[at]?.['text'];
  if (typeof text !== 'string') return;
  if (place.family.prefill) {
    last.content[at] = { text: text.trimEnd() };
    return;
  }
  messages.push({ role: 'user', content: [{ text: GO_ON }] });
  const message = 'This model goes on with no answer of its own by itself; it was asked to.';
  warn(place, 'emulated', { param: 'messages', message });
}

/** Documents are refused in a message that says nothing beside them. */
function addWords(messages: readonly Message[], place: Place): void {
  const mute = messages.filter(({ content }) => hasDocument(content) && !hasWords(content));
  if (mute.length === 0) return;
  for (const { content } of mute) content.push({ text: '.' });
  const message = 'This provider takes no documents without words; a "." was put beside them.';
  warn(place, 'emulated', { param: 'messages', message });
}

function hasDocument(content: readonly Block[]): boolean {
  return content.some((block) => 'document' in block);
}

/** Blank words, as before a cache point, are none. */
function hasWords(content: readonly Block[]): boolean {
  return content.some(({ text }) => typeof text === 'string' && text.trim() !== '');
}

/** Whether any tool is called or answered in the conversation: then tools must be declared. */
export function toolsInHistory(messages: readonly Message[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { content } of messages) {
    for (const { toolUse } of content) {
      if (typeof toolUse !== 'object' || toolUse === null || !('name' in toolUse)) continue;
      if (!('type' in toolUse) && typeof toolUse.name === 'string') names.add(toolUse.name);
    }
  }
  return names;
}

/**
 * Whether the model is to go on with what comes without its reasoning, a round of tools or an
 * answer that is begun: Claude refuses to think on then.
 */
export function isUnsigned(messages: readonly Message[]): boolean {
  const last = messages.at(-1);
  if (last === undefined) return false;
  if (last.role === 'assistant') return !last.content.some((block) => 'reasoningContent' in block);
  if (!last.content.some((block) => 'toolResult' in block)) return false;
  const before = messages.at(-2)?.content ?? [];
  const called = before.some((block) => 'toolUse' in block);
  return called && !before.some((block) => 'reasoningContent' in block);
}
