/** Writes the parts of one turn as Converse's content blocks, cache points among them. */
import type { Part, ReasoningPart, ToolCallPart, ToolResultPart } from '#providers/form.ts';
import { isRecord, parseJson, textOf } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import { audioBlock, documentBlock, imageBlock, videoBlock } from './media.ts';
import type { Block } from './media.ts';
import { BEDROCK } from './native.ts';
import { cachePoint, warn } from './place.ts';
import type { Place } from './place.ts';

/** The blocks of a user's or an assistant's turn. Parts that say nothing are left out. */
export function encodeParts(parts: readonly Part[], path: string, place: Place): readonly Block[] {
  const blocks: Block[] = [];
  for (const [index, part] of parts.entries()) {
    const partPath = part.path ?? `${path}.content[${index}]`;
    const block = encodePart(part, partPath, place);
    const point = part.cache === undefined ? null : cachePoint(part.cache, place, partPath);
    if (block !== null) blocks.push(block);
    if (point !== null) addPoint(blocks, point, place);
  }
  // What stands before a cache point is cached: at the beginning, that is nothing.
  return isCachePoint(blocks[0]) ? blocks.slice(1) : blocks;
}

/** Right behind a document or a film a cache point is refused. */
function addPoint(blocks: Block[], point: Block, place: Place): void {
  const last = blocks.at(-1);
  if (isCachePoint(last)) return;
  const refused = last !== undefined && ('document' in last || 'video' in last);
  if (!refused) blocks.push(point);
  else if (place.family.cache?.afterDocuments === true) blocks.push({ text: '\n' }, point);
  else blocks.splice(-1, 0, point);
}

export function isCachePoint(block: Block | undefined): boolean {
  return block !== undefined && 'cachePoint' in block;
}

function encodePart(part: Part, path: string, place: Place): Block | null {
  switch (part.type) {
    case 'text':
    case 'refusal':
      // Blank text is refused.
      return part.text.trim() === '' ? null : { text: part.text };
    case 'reasoning':
      return encodeReasoning(part, place);
    case 'image':
      return imageBlock(part, path);
    case 'video':
      return videoBlock(part, path);
    case 'file':
      return documentBlock(part, { path, names: place.names });
    case 'audio':
      return part.id === undefined ? audioBlock(part, path) : spoken(part.transcript, path, place);
    case 'tool_call':
      return encodeCall(part, path, place);
    case 'tool_result':
      return encodeResult(part, path, place);
    default:
      return encodeHosted(part, path, place);
  }
}

/** An earlier answer in sound goes back as its words. */
function spoken(transcript: string | undefined, path: string, place: Place): Block | null {
  const text = textOf(transcript);
  const sent = text === undefined ? 'was left out' : 'was sent as its transcript';
  warn(place, text === undefined ? 'dropped' : 'emulated', {
    param: path,
    message: `Audio of an earlier answer ${sent}.`,
  });
  return text === undefined ? null : { text };
}

/** Only what this dialect made and the maker signed; anything else is left out of the history. */
function encodeReasoning(part: ReasoningPart, place: Place): Block | null {
  if (!place.family.takesReasoning || part.native?.[BEDROCK] === undefined) return null;
  if (part.encrypted !== undefined) {
    return { reasoningContent: { redactedContent: part.encrypted } };
  }
  if (part.signature === undefined) return null;
  const { text, signature } = part;
  return { reasoningContent: { reasoningText: { text, signature } } };
}

function encodeCall(part: ToolCallPart, path: string, place: Place): Block {
  const toolUseId = place.ids.of(part.id);
  return { toolUse: { toolUseId, name: part.name, input: inputOf(part, path) } };
}

/** Converse wants an object; free text of a custom tool goes into one. */
function inputOf(part: ToolCallPart, path: string): unknown {
  if (part.format === 'text') return { input: part.arguments };
  if (part.arguments.trim() === '') return {};
  const input = parseJson(part.arguments);
  if (isRecord(input)) return input;
  throw new CannotSay(path, 'The arguments of this tool call are not a JSON object.');
}

function encodeResult(part: ToolResultPart, path: string, place: Place): Block {
  const content = part.content.flatMap((inner, index) => {
    const innerPath = inner.path ?? `${path}[${index}]`;
    if (inner.type === 'text') return inner.text.trim() === '' ? [] : [{ text: inner.text }];
    if (inner.type === 'image') return [imageBlock(inner, innerPath)];
    if (inner.type === 'file')
      return [documentBlock(inner, { path: innerPath, names: place.names })];
    throw new CannotSay(innerPath, 'A tool result cannot hold audio at this provider.');
  });
  const status = part.isError === undefined ? {} : { status: part.isError ? 'error' : 'success' };
  return { toolResult: { toolUseId: place.ids.of(part.callId), content, ...status } };
}

/** Calls of hosted tools and their results go back to the host that ran them. */
function encodeHosted(part: Part, path: string, place: Place): Block | null {
  const native = part.native?.[BEDROCK];
  if (native !== undefined && part.type === 'hosted_tool_call') {
    const { id, tool, input } = part;
    return { toolUse: { toolUseId: place.ids.of(id), name: tool, input, type: 'server_tool_use' } };
  }
  if (native !== undefined && part.type === 'hosted_tool_result') {
    const toolUseId = place.ids.of(part.callId);
    const status = part.isError === true ? 'error' : 'success';
    return { toolResult: { ...native, toolUseId, content: part.output, status } };
  }
  const message = 'The call of a hosted tool cannot be told to this provider.';
  warn(place, 'dropped', { param: path, message });
  return null;
}
