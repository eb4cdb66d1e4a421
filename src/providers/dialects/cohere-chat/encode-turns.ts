/**
 * Writes the turns of a conversation as messages of Cohere's v2 chat. Text files go beside the
 * messages as documents, which is where Cohere cites from.
 */
import type {
  FilePart,
  ImagePart,
  Part,
  ReasoningPart,
  TextPart,
  ToolCallPart,
  ToolResultPart,
  Turn,
} from '#providers/form.ts';
import { recordOf } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import type { Warning } from '#providers/provider.ts';
import { checkToolOrder } from '../tool-order.ts';
import { COHERE, PLAN_ID } from './native.ts';

type Message = Record<string, unknown>;

export interface EncodedTurns {
  readonly messages: readonly Message[];
  /** Files of the conversation, for the body's `documents`. */
  readonly documents: readonly unknown[];
}

interface Place {
  readonly warnings: Warning[];
  readonly documents: unknown[];
  /** Images of tool results that wait for the last result of their calls. */
  images: ImagePart[];
}

/** Throws CannotSay where Cohere could not be told what the conversation says. */
export function encodeTurns(turns: readonly Turn[], warnings: Warning[]): EncodedTurns {
  checkToolOrder(turns);
  const place: Place = { warnings, documents: [], images: [] };
  const messages: Message[] = [];
  for (const [index, turn] of turns.entries()) {
    const path = turn.path ?? `messages[${index}]`;
    if (turn.name !== undefined && turn.role !== 'tool') {
      const message = 'Cohere takes no names of speakers.';
      warnings.push({ code: 'dropped', param: `${path}.name`, message });
    }
    if (turn.role !== 'tool') messages.push(...imageMessage(place));
    if (turn.role === 'assistant') messages.push(encodeAssistant(turn, path, place));
    else messages.push(...encodeOther(turn, path, place));
  }
  return { messages: [...messages, ...imageMessage(place)], documents: place.documents };
}

function imageMessage(place: Place): readonly Message[] {
  const { images } = place;
  if (images.length === 0) return [];
  place.images = [];
  return [{ role: 'user', content: images.map((image) => encodeImage(image, '')) }];
}

/** Results of tools first, since they must follow their calls; then what was said. */
function encodeOther(turn: Turn, path: string, place: Place): readonly Message[] {
  const messages: Message[] = [];
  const said: Part[] = [];
  for (const part of turn.parts) {
    if (part.type === 'tool_result') messages.push(encodeResult(part, path, place));
    else said.push(part);
  }
  if (said.length === 0 && messages.length > 0) return messages;
  messages.push(...imageMessage(place));
  const role = turn.role === 'user' ? 'user' : 'system';
  const blocks = said.flatMap((part, index) => {
    const at = part.path ?? `${path}.content[${index}]`;
    if (role === 'system' && part.type !== 'text') {
      throw new CannotSay(at, 'A system message of Cohere holds text only.');
    }
    return encodeSaid(part, at, place);
  });
  // Instructions that say nothing are the same as none; Cohere refuses them.
  if (role === 'user' || blocks.length > 0)
    messages.push({ role, content: contentOf(blocks, path) });
  return messages;
}

/** One text as a string, as Cohere's own clients write it; more as blocks; nothing is refused. */
function contentOf(blocks: readonly Message[], path: string): unknown {
  const [only] = blocks;
  if (only === undefined) throw new CannotSay(path, 'Cohere takes no message without content.');
  return blocks.length === 1 && only['type'] === 'text' ? only['text'] : blocks;
}

function encodeSaid(part: Part, path: string, place: Place): readonly Message[] {
  if (part.type === 'text') return part.text === '' ? [] : [{ type: 'text', text: part.text }];
  if (part.type === 'image') return [encodeImage(part, path)];
  if (part.type === 'file') {
    place.documents.push({ data: documentOf(part, path) });
    const message = 'The file was sent as a document beside the messages.';
    place.warnings.push({ code: 'emulated', param: path, message });
    return [];
  }
  throw new CannotSay(path, `Cohere takes no ${part.type.replaceAll('_', ' ')} in a message.`);
}

function encodeImage(part: ImagePart, path: string): Message {
  const { source } = part;
  if (source.kind === 'file_id') {
    throw new CannotSay(path, 'Cohere takes images inline or by address, not by the id of a file.');
  }
  if (source.kind === 'base64' && !/^image\/[\w.+-]+$/.test(source.mediaType)) {
    throw new CannotSay(path, `The media type "${source.mediaType}" is not one of an image.`);
  }
  const url = source.kind === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
  const detail = part.detail === undefined || part.detail === 'original' ? {} : detailOf(part);
  return { type: 'image_url', image_url: { url, ...detail } };
}

function detailOf(part: ImagePart): Message {
  return { detail: part.detail };
}

const TEXT_TYPES = /^(?:text\/|application\/(?:json|xml|yaml|x-yaml)\b)/;

/** The text of a file that is text; Cohere's documents are nothing else. */
function documentOf(part: FilePart, path: string): Message {
  const { source } = part;
  if (source.kind !== 'base64' || !TEXT_TYPES.test(source.mediaType)) {
    throw new CannotSay(path, 'Cohere takes only inline files of text, as documents.');
  }
  const title = part.filename === undefined ? {} : { title: part.filename };
  return { text: textOfBase64(source.data, path), ...title };
}

function textOfBase64(data: string, path: string): string {
  try {
    const bytes = Uint8Array.from(atob(data), (character) => character.codePointAt(0) ?? 0);
    return new TextDecoder().decode(bytes);
  } catch {
    throw new CannotSay(path, 'The data of the file are not valid base64.');
  }
}

function encodeAssistant(turn: Turn, path: string, place: Place): Message {
  const calls = turn.parts.filter((part) => part.type === 'tool_call');
  const own = turn.parts.flatMap(ownReasoning);
  const plan = own.filter((part) => part.id === PLAN_ID).map((part) => part.text);
  const blocks = turn.parts.flatMap((part) => assistantBlock(part, path, place));
  if (blocks.length === 0 && calls.length === 0) {
    throw new CannotSay(path, 'Cohere takes no message without content.');
  }
  const message: Message = { role: 'assistant' };
  if (plan.length > 0) message['tool_plan'] = plan.join('');
  if (blocks.length > 0) message['content'] = contentOf(blocks, path);
  if (calls.length > 0) message['tool_calls'] = calls.map(encodeCall);
  return message;
}

/** What another model thought is nothing that Cohere's would go on from: it is left out. */
function ownReasoning(part: Part): readonly ReasoningPart[] {
  return part.type === 'reasoning' && part.native?.[COHERE] !== undefined ? [part] : [];
}

function assistantBlock(part: Part, path: string, place: Place): readonly Message[] {
  if (part.type === 'reasoning') {
    const own = ownReasoning(part).filter((each) => each.id !== PLAN_ID && each.text !== '');
    return own.map((each) => ({ type: 'thinking', thinking: each.text }));
  }
  if (part.type === 'text' || part.type === 'refusal') {
    return part.text === '' ? [] : [{ type: 'text', text: part.text }];
  }
  if (part.type === 'tool_call') return [];
  const message = `A part of type "${part.type}" cannot be sent to Cohere as the assistant's.`;
  place.warnings.push({ code: 'dropped', param: part.path ?? path, message });
  return [];
}

function encodeCall(call: ToolCallPart): Message {
  const written = call.format === 'text' ? JSON.stringify({ input: call.arguments }) : '';
  const said = call.arguments === '' ? '{}' : call.arguments;
  const args = call.format === 'text' ? written : said;
  return { id: call.id, type: 'function', function: { name: call.name, arguments: args } };
}

function encodeResult(result: ToolResultPart, path: string, place: Place): Message {
  const blocks = result.content.flatMap((part, index) => {
    const at = part.path ?? `${path}.content[${index}]`;
    if (part.type !== 'image') return [resultBlock(part, at)];
    const message = 'An image of a tool result was sent as a user message after it.';
    place.warnings.push({ code: 'emulated', param: at, message });
    encodeImage(part, at);
    place.images.push(part);
    return [];
  });
  const [only] = blocks;
  const plain = blocks.length === 1 && only?.['type'] === 'text' ? only['text'] : blocks;
  const content = blocks.length === 0 ? '' : plain;
  return { role: 'tool', tool_call_id: result.callId, content };
}

function resultBlock(part: Exclude<ToolResultPart['content'][number], ImagePart>, path: string) {
  if (part.type === 'text') return documentBlock(part) ?? { type: 'text', text: part.text };
  if (part.type === 'file') return { type: 'document', document: { data: documentOf(part, path) } };
  throw new CannotSay(path, 'Cohere takes no audio in the result of a tool.');
}

/** A document that came from a request of Cohere's own. */
function documentBlock(part: TextPart): Message | null {
  const document = part.native?.[COHERE]?.['document'];
  return document === undefined ? null : { type: 'document', document: recordOf(document) };
}
