/**
 * Writes the turns of a conversation as input items. System and developer turns stay where they
 * stand, since `instructions` could only hold what comes first.
 */
import type { MediaSource, Part, ReasoningPart, ToolResultPart, Turn } from '#providers/form.ts';
import { CannotSay } from '#providers/provider.ts';
import type { Warning } from '#providers/provider.ts';
import { DIALECT as CHAT } from '../openai-chat/content.ts';
import { RESPONSES } from './native.ts';

type Item = Record<string, unknown>;

/** Throws CannotSay where a Responses model could not be told what the conversation says. */
export function encodeInput(turns: readonly Turn[], warnings: Warning[]): readonly Item[] {
  const texts = callsOfText(turns);
  return turns.flatMap((turn, index) => {
    const path = turn.path ?? `messages[${index}]`;
    if (turn.name !== undefined && turn.role !== 'tool') {
      const message = 'Responses take no names of speakers.';
      warnings.push({ code: 'dropped', param: `${path}.name`, message });
    }
    if (turn.role === 'assistant') return encodeAssistant(turn, { path, warnings });
    return encodeOther(turn, { path, texts });
  });
}

/** Ids of calls of custom tools: their results have a type of their own. */
function callsOfText(turns: readonly Turn[]): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const { parts } of turns) {
    for (const part of parts) {
      if (part.type === 'tool_call' && part.format === 'text') ids.add(part.id);
    }
  }
  return ids;
}

function encodeOther(
  turn: Turn,
  place: { readonly path: string; readonly texts: ReadonlySet<string> },
): readonly Item[] {
  const items: Item[] = [];
  const said: Part[] = [];
  for (const part of turn.parts) {
    if (part.type === 'tool_result') items.push(encodeResult(part, place));
    else said.push(part);
  }
  if (said.length === 0 && items.length > 0) return items;
  const role = turn.role === 'tool' ? 'user' : turn.role;
  return [...items, { role, content: encodeContent(said, place.path) }];
}

/** One text as a string; more as a list. */
function encodeContent(parts: readonly Part[], path: string): unknown {
  const [only] = parts;
  if (only === undefined) return '';
  if (parts.length === 1 && only.type === 'text' && !hasBreakpoint(only)) return only.text;
  return parts.map((part, index) => {
    const item = encodePart(part, part.path ?? `${path}.content[${index}]`);
    return hasBreakpoint(part)
      ? { ...item, [BREAKPOINT]: part.native?.[CHAT]?.[BREAKPOINT] }
      : item;
  });
}

/** OpenAI's own hint to its cache, which chat and Responses spell the same. */
const BREAKPOINT = 'prompt_cache_breakpoint';

function hasBreakpoint(part: Part): boolean {
  return part.native?.[CHAT]?.[BREAKPOINT] !== undefined;
}

function encodePart(part: Part, path: string): Item {
  if (part.type === 'text') return { type: 'input_text', text: part.text };
  if (part.type === 'image') {
    const detail = part.detail === undefined ? {} : { detail: part.detail };
    return { type: 'input_image', ...imageSource(part.source), ...detail };
  }
  if (part.type === 'file') {
    const filename = part.filename === undefined ? {} : { filename: part.filename };
    return { type: 'input_file', ...fileSource(part.source), ...filename };
  }
  const what = part.type.replaceAll('_', ' ');
  throw new CannotSay(path, `This model takes no ${what} in a message.`);
}

function imageSource(source: MediaSource): Item {
  if (source.kind === 'file_id') return { file_id: source.fileId };
  return { image_url: source.kind === 'url' ? source.url : dataUrl(source) };
}

function fileSource(source: MediaSource): Item {
  if (source.kind === 'file_id') return { file_id: source.fileId };
  return source.kind === 'url' ? { file_url: source.url } : { file_data: dataUrl(source) };
}

function dataUrl(source: Extract<MediaSource, { kind: 'base64' }>): string {
  return `data:${source.mediaType};base64,${source.data}`;
}

function encodeResult(
  result: ToolResultPart,
  place: { readonly path: string; readonly texts: ReadonlySet<string> },
): Item {
  const type = place.texts.has(result.callId) ? 'custom_tool_call_output' : 'function_call_output';
  return { type, call_id: result.callId, output: encodeContent(result.content, place.path) };
}

interface AssistantPlace {
  readonly path: string;
  readonly warnings: Warning[];
}

/**
 * Items in the order in which the answer had them: a reasoning item must stand before the item that
 * came of it, so one with nothing behind it is left out.
 */
function encodeAssistant(turn: Turn, place: AssistantPlace): readonly Item[] {
  const items: Item[] = [];
  let thoughts: ReasoningPart[] = [];
  for (const part of turn.parts) {
    if (part.type === 'reasoning') {
      if (part.native?.[RESPONSES] !== undefined) thoughts.push(part);
      continue;
    }
    const item = assistantItem(part, place);
    if (item === null) continue;
    items.push(...reasoningItems(thoughts), item);
    thoughts = [];
  }
  return items;
}

/** Parts of one item share its id. Without its encrypted state a thought says nothing to OpenAI. */
function reasoningItems(parts: readonly ReasoningPart[]): readonly Item[] {
  const items: Item[] = [];
  let summary: Item[] = [];
  let id: string | undefined;
  for (const part of parts) {
    if (part.id !== id) summary = [];
    id = part.id;
    if (part.summary && part.text !== '') summary.push({ type: 'summary_text', text: part.text });
    if (part.encrypted === undefined) continue;
    const named = id === undefined ? {} : { id };
    items.push({ type: 'reasoning', ...named, summary, encrypted_content: part.encrypted });
    summary = [];
  }
  return items;
}

function assistantItem(part: Part, place: AssistantPlace): Item | null {
  if (part.type === 'text') {
    return part.text === '' ? null : { role: 'assistant', content: part.text };
  }
  if (part.type === 'refusal') {
    return { role: 'assistant', content: [{ type: 'refusal', refusal: part.text }] };
  }
  if (part.type === 'tool_call') {
    const { id, name } = part;
    const own = part.native?.[RESPONSES] ?? {};
    if (part.format === 'text') {
      return { type: 'custom_tool_call', call_id: id, name, input: part.arguments, ...own };
    }
    return { type: 'function_call', call_id: id, name, arguments: part.arguments, ...own };
  }
  const message = `A part of type "${part.type}" cannot be sent as the assistant's.`;
  place.warnings.push({ code: 'dropped', param: part.path ?? place.path, message });
  return null;
}
