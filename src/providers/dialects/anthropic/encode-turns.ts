/**
 * Writes the turns of a conversation as `system` and alternating messages. Instructions go to the
 * front, neighbours of one role become one message, tool results come first in theirs, and the end
 * is one that the model takes.
 */
import type { Part, Turn } from '#providers/form.ts';
import { textOf } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import { callRounds, type CallRounds } from './call-rounds.ts';
import { encodeAllSaid, encodeAnswered, encodeResult, encodeSaid } from './encode-blocks.ts';
import type { Block, EncodePlace } from './encode-place.ts';
import { GO_ON, nativeIn } from './native.ts';

export interface Message {
  readonly role: 'user' | 'assistant' | 'system';
  readonly content: readonly Block[];
}

export interface Conversation {
  readonly system: readonly Block[];
  readonly messages: readonly Message[];
}

/** A message that may still grow by the next turn. */
interface OpenMessage {
  readonly role: Message['role'];
  readonly results: Block[];
  readonly rest: Block[];
}

/** Throws CannotSay where calls and results do not fit together, or nobody asks anything. */
export function encodeTurns(turns: readonly Turn[], place: EncodePlace): Conversation {
  const system: Block[] = [];
  const open: OpenMessage[] = [];
  const calls = callRounds();
  for (const [index, turn] of turns.entries()) {
    const path = turn.path ?? `messages[${index}]`;
    if (turn.name !== undefined && turn.role !== 'tool') {
      place.warn('dropped', 'messages[].name', 'This provider knows no names of speakers.');
    }
    if (turn.role === 'system' || turn.role === 'developer') {
      addInstruction(turn, { system, open, place });
    } else if (turn.role === 'assistant') {
      addAnswer(turn, open, { calls, place, path });
    } else {
      addQuestion(turn, open, { calls, place, path });
    }
  }
  calls.end();
  if (open.length === 0) {
    throw new CannotSay('messages', 'This provider wants at least one message to answer to.');
  }
  endForAnswer(open, place);
  const messages = open.map(({ role, results, rest }) => ({
    role,
    content: [...results, ...rest],
  }));
  return { system, messages };
}

interface Written {
  readonly system: Block[];
  readonly open: OpenMessage[];
  readonly place: EncodePlace;
}

/** Into `system`; in its place only where the caller of this dialect put it there. */
function addInstruction(turn: Turn, written: Written): void {
  const { system, open, place } = written;
  const blocks = [...encodeAllSaid(turn.parts, place)];
  if (blocks.length === 0) return;
  if (nativeIn(turn)['inline'] === true) {
    open.push({ role: 'system', results: [], rest: blocks });
    return;
  }
  if (open.length > 0) {
    const message = 'Instructions in the middle of the conversation were moved to its front.';
    place.warn('emulated', turn.path ?? 'messages', message);
  }
  system.push(...blocks);
}

interface TurnPlace {
  readonly calls: CallRounds;
  readonly place: EncodePlace;
  readonly path: string;
}

function addAnswer(turn: Turn, open: OpenMessage[], at: TurnPlace): void {
  if (open.at(-1)?.role !== 'assistant') at.calls.begin();
  const blocks: Block[] = [];
  for (const part of turn.parts) {
    const block = encodeAnswered(part, at.calls.ofCall, at.place);
    if (block !== null) blocks.push(block);
  }
  // An answer without anything, or with foreign thoughts only, says nothing to anybody.
  if (blocks.length > 0) grow(open, 'assistant').rest.push(...blocks);
}

function addQuestion(turn: Turn, open: OpenMessage[], at: TurnPlace): void {
  const results: Block[] = [];
  const rest: Block[] = [];
  for (const part of turn.parts) {
    if (part.type === 'tool_result') {
      results.push(encodeResult(atPath(part, at.path), at.calls.ofResult, at.place));
      continue;
    }
    const block = encodeSaid(atPath(part, at.path), at.place);
    if (block !== null) rest.push(block);
  }
  if (results.length + rest.length === 0) {
    throw new CannotSay(at.path, 'This provider takes no empty messages.');
  }
  const message = grow(open, 'user');
  message.results.push(...results);
  message.rest.push(...rest);
}

/**
 * Words of the assistant at the end begin its answer. They must not end in white space, and newer
 * models take none: those are asked to go on. The pause of a hosted tool goes back as it is.
 */
function endForAnswer(open: OpenMessage[], place: EncodePlace): void {
  const last = open.at(-1);
  const begun = last?.rest.at(-1);
  if (last?.role !== 'assistant' || begun?.['type'] !== 'text') return;
  if (place.traits.prefill) {
    const text = textOf(begun['text']);
    if (text !== undefined) begun['text'] = text.trimEnd();
    return;
  }
  const message = 'This model goes on with no answer of its own by itself; it was asked to.';
  place.warn('emulated', 'messages', message);
  grow(open, 'user').rest.push({ type: 'text', text: GO_ON });
}

/** A part that tells its place, at least which message. */
function atPath<Kind extends Part>(part: Kind, path: string): Kind {
  return part.path === undefined ? { ...part, path } : part;
}

/** The last message where it has this role, else a new one. */
function grow(open: OpenMessage[], role: Message['role']): OpenMessage {
  const last = open.at(-1);
  if (last?.role === role) return last;
  const message: OpenMessage = { role, results: [], rest: [] };
  open.push(message);
  return message;
}
