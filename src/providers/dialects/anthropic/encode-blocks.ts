/** Writes parts as content blocks: what the user says, tool results, what the assistant said. */
import type { Part, ReasoningPart, ToolCallPart, ToolResultPart } from '#providers/form.ts';
import { isRecord, parseJson, textOf } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import { writeCitations } from './citations.ts';
import { encodeFile, encodeImage } from './encode-media.ts';
import type { Block, EncodePlace } from './encode-place.ts';
import { DIALECT, nativeIn, rawBlockIn } from './native.ts';

/** The block with the part's cache breakpoint. */
function withCache(block: Block, part: Pick<Part, 'cache'>): Block {
  if (part.cache !== undefined) block['cache_control'] = cacheControl(part.cache.lifetime);
  return block;
}

export function cacheControl(lifetime: '5m' | '1h'): Block {
  return lifetime === '1h' ? { type: 'ephemeral', ttl: '1h' } : { type: 'ephemeral' };
}

/**
 * A part of a user's or system's message; null where it says nothing, since empty text blocks are
 * refused.
 */
export function encodeSaid(part: Part, place: EncodePlace): Block | null {
  const raw = rawBlockIn(part);
  if (raw !== null) return withCache({ ...raw }, part);
  switch (part.type) {
    case 'text':
    case 'refusal':
      return /\S/.test(part.text) ? withCache({ type: 'text', text: part.text }, part) : null;
    case 'image':
      return withCache(encodeImage(part, place), part);
    case 'file':
      return withCache(encodeFile(part, place), part);
    default:
      throw new CannotSay(part.path ?? 'messages', `This provider takes no ${part.type} here.`);
  }
}

/** The parts that say something. */
export function encodeAllSaid(parts: readonly Part[], place: EncodePlace): readonly Block[] {
  return parts.map((part) => encodeSaid(part, place)).filter((block) => block !== null);
}

/** `toId` gives the id under which the call went. */
export function encodeResult(
  part: ToolResultPart,
  toId: (result: ToolResultPart) => string,
  place: EncodePlace,
): Block {
  const native = nativeIn(part);
  const block: Block = { type: 'tool_result', tool_use_id: toId(part) };
  const content = 'content' in native ? native['content'] : encodeResultContent(part, place);
  if (content !== undefined) block['content'] = content;
  if (part.isError === true) block['is_error'] = true;
  return withCache(block, part);
}

/** One plain text as a string, more as a list, nothing as nothing. */
function encodeResultContent(part: ToolResultPart, place: EncodePlace): unknown {
  const blocks = encodeAllSaid(part.content, place);
  const [only] = blocks;
  if (only === undefined) return undefined;
  const plain = blocks.length === 1 && only['type'] === 'text' && !('cache_control' in only);
  return plain ? only['text'] : blocks;
}

/** `toId` gives the id under which a call goes. */
export function encodeAnswered(
  part: Part,
  toId: (call: ToolCallPart) => string,
  place: EncodePlace,
): Block | null {
  const raw = rawBlockIn(part);
  if (raw !== null) return withCache({ ...raw }, part);
  switch (part.type) {
    case 'reasoning':
      return encodeReasoning(part);
    case 'text': {
      const block = encodeSaid(part, place);
      const citations = writeCitations(part.citations ?? []);
      return block === null || citations.length === 0 ? block : { ...block, citations };
    }
    case 'tool_call':
      return withCache({ ...encodeCall(part), id: toId(part) }, part);
    case 'hosted_tool_call':
    case 'hosted_tool_result':
      return encodeHosted(part, place);
    case 'audio':
      return encodeTranscript(part.transcript, place);
    case 'refusal':
      return encodeSaid(part, place);
    default:
      place.warn(
        'dropped',
        part.path ?? 'messages',
        `An answer cannot hold a part "${part.type}".`,
      );
      return null;
  }
}

/** Only what this dialect made and signed goes back; anything else would be refused. */
function encodeReasoning(part: ReasoningPart): Block | null {
  if (part.native?.[DIALECT] === undefined) return null;
  if (part.encrypted !== undefined) return { type: 'redacted_thinking', data: part.encrypted };
  if (part.signature === undefined) return null;
  return { type: 'thinking', thinking: part.text, signature: part.signature };
}

function encodeCall(part: ToolCallPart): Block {
  const native = nativeIn(part);
  return { type: 'tool_use', ...native, name: part.name, input: inputOf(part) };
}

/** Input is an object on this wire. */
function inputOf(part: ToolCallPart): unknown {
  if (part.format === 'text') return { input: part.arguments };
  if (part.arguments.trim() === '') return {};
  const input = parseJson(part.arguments);
  if (isRecord(input)) return input;
  throw new CannotSay(
    part.path ?? 'messages',
    'The arguments of a tool call must be a JSON object.',
  );
}

type HostedPart = Extract<Part, { readonly type: 'hosted_tool_call' | 'hosted_tool_result' }>;

/** Calls of hosted tools go back to the dialect whose host ran them, and to nobody else. */
function encodeHosted(part: HostedPart, place: EncodePlace): Block | null {
  const native = nativeIn(part);
  if (textOf(native['type']) === undefined) {
    const message = 'Calls of hosted tools of another provider were left out.';
    place.warn('dropped', 'messages', message);
    return null;
  }
  if (part.type === 'hosted_tool_call') {
    return withCache({ ...native, id: part.id, name: part.tool, input: part.input }, part);
  }
  return withCache({ ...native, tool_use_id: part.callId, content: part.output }, part);
}

function encodeTranscript(transcript: string | undefined, place: EncodePlace): Block | null {
  const message = 'An answer that was spoken was sent as its transcript.';
  place.warn('emulated', 'messages[].audio', message);
  return transcript === undefined ? null : { type: 'text', text: transcript };
}
