/**
 * Writes the turns of a conversation as chat messages. What a turn holds and a message cannot is
 * moved where the official clients move it (media of tool results into a user message), or left out
 * with a warning.
 */
import type { Part, ReasoningPart, ToolCallPart, ToolResultPart, Turn } from '#providers/form.ts';
import type { Warning } from '#providers/provider.ts';
import { DIALECT } from './content.ts';
import { encodeParts } from './encode-parts.ts';
import type { ChatHabits } from './habits.ts';
import { withReasoning } from './messages.ts';

type Message = Record<string, unknown>;

export function encodeTurns(
  turns: readonly Turn[],
  habits: ChatHabits,
  warnings: Warning[],
): readonly Message[] {
  const messages: Message[] = [];
  // Results stand together, right after their calls: what they show comes after the last of them.
  const media: Part[] = [];
  for (const [index, turn] of turns.entries()) {
    const place = { habits, warnings, path: `messages[${index}]` };
    if (turn.role === 'assistant') messages.push(...encodeAssistant(turn, place));
    else messages.push(...encodeOther(turn, place, media));
    if (media.length === 0 || answersCalls(turns[index + 1])) continue;
    messages.push({ role: 'user', content: encodeParts(media, place) });
    media.length = 0;
  }
  return messages;
}

function answersCalls(turn: Turn | undefined): boolean {
  return turn?.parts.some((part) => part.type === 'tool_result') === true;
}

/** Where we are, and what the host can: shared by everything below. */
export interface EncodePlace {
  readonly habits: ChatHabits;
  readonly warnings: Warning[];
  /** Of the message, for warnings. */
  readonly path: string;
}

function encodeAssistant(turn: Turn, place: EncodePlace): readonly Message[] {
  const { parts } = turn;
  const calls = parts.filter((part) => part.type === 'tool_call');
  const refusals = parts.filter((part) => part.type === 'refusal');
  const audio = parts.find((part) => part.type === 'audio');
  const reasoning = parts.filter((part) => part.type === 'reasoning');
  const said = parts.filter((part) => part.type === 'text' || part.type === 'image');
  const hosted = parts.some(
    (part) => part.type === 'hosted_tool_call' || part.type === 'hosted_tool_result',
  );
  if (hosted) warn(place, 'Calls of hosted tools cannot be told to this provider.');
  const message: Message = { ...turn.native?.[DIALECT], role: 'assistant' };
  message['content'] = said.length === 0 ? null : encodeParts(said, place);
  if (turn.name !== undefined) message['name'] = turn.name;
  if (refusals.length > 0) message['refusal'] = refusals.map((part) => part.text).join('');
  if (audio?.id !== undefined) message['audio'] = { id: audio.id };
  if (calls.length > 0) addCalls(message, calls);
  return [addReasoning(message, reasoning, place)];
}

/** Calls as the model made them; a call that came as `function_call` goes back as one. */
function addCalls(message: Message, calls: readonly ToolCallPart[]): void {
  const [first] = calls;
  if (first?.native?.[DIALECT]?.['function_call'] === true) {
    message['function_call'] = { name: first.name, arguments: first.arguments };
    return;
  }
  message['tool_calls'] = calls.map((call) => {
    const { id, name } = call;
    const native = call.native?.[DIALECT];
    if (call.format === 'text') {
      return { ...native, id, type: 'custom', custom: { name, input: call.arguments } };
    }
    return { ...native, id, type: 'function', function: { name, arguments: call.arguments } };
  });
}

/** Into the field that the host takes it back in; blocks of OpenRouter's go back as they came. */
function addReasoning(
  message: Message,
  parts: readonly ReasoningPart[],
  place: EncodePlace,
): Message {
  if (parts.length === 0) return message;
  const { habits } = place;
  const text = parts.map((part) => part.text).join('');
  if (habits.reasoningField === null) {
    warn(place, 'This provider does not take reasoning of earlier turns back.');
    return message;
  }
  if (habits.reasoningField !== 'reasoning_details') {
    return text === '' ? message : withReasoning(message, text, habits);
  }
  const told = text === '' ? {} : { reasoning: text };
  return { ...message, ...told, reasoning_details: parts.map(reasoningDetail) };
}

function reasoningDetail(part: ReasoningPart): Message {
  const native = part.native?.[DIALECT] ?? {};
  if (part.encrypted !== undefined) {
    return { type: 'reasoning.encrypted', ...native, data: part.encrypted };
  }
  if (part.summary) return { type: 'reasoning.summary', ...native, summary: part.text };
  const { signature } = part;
  const signed = signature === undefined ? {} : { signature };
  return { type: 'reasoning.text', ...native, text: part.text, ...signed };
}

/**
 * A turn of anybody else. Tool results become messages of their own, before the rest, since they
 * must follow the calls that they answer; their media are left to be sent after them.
 */
function encodeOther(turn: Turn, place: EncodePlace, media: Part[]): readonly Message[] {
  const results = turn.parts.filter((part) => part.type === 'tool_result');
  const rest = turn.parts.filter((part) => part.type !== 'tool_result');
  const before = media.length;
  const messages = results.map((result) => encodeResult(result, place, media));
  if (media.length > before) {
    const message = 'Media of a tool result were sent as a user message after it.';
    place.warnings.push({ code: 'emulated', param: place.path, message });
  }
  if (rest.length === 0) return messages;
  const shown = media.splice(0);
  if (shown.length > 0) messages.push({ role: 'user', content: encodeParts(shown, place) });
  const message: Message = { ...turn.native?.[DIALECT], role: turn.role };
  message['content'] = encodeParts(rest, place);
  if (turn.name !== undefined) message['name'] = turn.name;
  return [...messages, message];
}

function encodeResult(result: ToolResultPart, place: EncodePlace, media: Part[]): Message {
  const texts = result.content.filter((part) => part.type === 'text');
  media.push(...result.content.filter((part) => part.type !== 'text'));
  return {
    ...result.native?.[DIALECT],
    role: 'tool',
    tool_call_id: result.callId,
    content: texts.length === 0 ? '' : encodeParts(texts, place),
  };
}

function warn(place: EncodePlace, message: string): void {
  place.warnings.push({ code: 'dropped', param: place.path, message });
}
