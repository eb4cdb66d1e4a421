/**
 * The content blocks of one stream. At most one grows at a time; when another begins, the one
 * before is closed, whether or not its stop came. Calls of hosted tools have no deltas in the
 * common form and are told whole.
 */
import type { ChatEvent, Part } from '#providers/form.ts';
import { isRecord, listOf, parseJson, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { hostedCall, hostedResult, isServerTool, toCitation } from './blocks.ts';
import { OUTPUT_TOOL, OWN } from './native.ts';

export interface BlockStream {
  start(index: number, said: JsonRecord): readonly ChatEvent[];
  delta(index: number, said: JsonRecord): readonly ChatEvent[];
  stop(index: number): readonly ChatEvent[];
  /** Closes what grows. */
  close(): readonly ChatEvent[];
  /** Whether a tool of the caller's was called. */
  hasCalls(): boolean;
}

type Kind = 'text' | 'reasoning' | 'call' | 'output' | 'image' | 'hosted_call' | 'hosted_result';

interface Block {
  readonly index: number;
  readonly kind: Kind;
  /** Its start, for what is told whole at the end. */
  readonly said: JsonRecord;
  /** The number of the part; -1 while it is not told. */
  readonly part: number;
  /** UTF-16 units of text that came. */
  length: number;
  /** Input or output of a hosted tool. */
  readonly held: unknown[];
  readonly citations: unknown[];
}

const NOTHING: readonly ChatEvent[] = [];

interface State {
  growing: Block | null;
  parts: number;
  calls: number;
}

export function blockStream(): BlockStream {
  const state: State = { growing: null, parts: 0, calls: 0 };
  return {
    start(index, said) {
      const events: ChatEvent[] = [];
      const { toolUse, toolResult, image } = said;
      if (isRecord(toolUse)) openCall(state, { index, said: toolUse }, events);
      else if (isRecord(toolResult)) {
        open(state, { index, kind: 'hosted_result', said: toolResult, events });
      } else if (isRecord(image)) {
        const mediaType = `image/${textOf(image['format']) ?? 'png'}`;
        const value: Part = { type: 'image', source: { kind: 'base64', mediaType, data: '' } };
        open(state, { index, kind: 'image', said: image, value, events });
      }
      return events;
    },
    delta(index, said) {
      const { text } = said;
      const { growing } = state;
      // The common case first: a text that goes on.
      if (typeof text === 'string' && growing?.kind === 'text' && growing.index === index) {
        return text === '' ? NOTHING : [grow(growing, text)];
      }
      const events: ChatEvent[] = [];
      pushDelta(state, { index, said, events });
      return events;
    },
    stop(index) {
      return state.growing?.index === index ? close(state) : NOTHING;
    },
    close: () => close(state),
    hasCalls: () => state.calls > 0,
  };
}

interface Opening {
  readonly index: number;
  readonly kind: Kind;
  readonly said: JsonRecord;
  /** Absent: told whole at the end. */
  readonly value?: Part;
  readonly events: ChatEvent[];
}

function open(state: State, { index, kind, said, value, events }: Opening): Block {
  events.push(...close(state));
  const part = value === undefined ? -1 : state.parts;
  if (value !== undefined) {
    state.parts += 1;
    events.push({ type: 'part_start', choice: 0, part, value });
  }
  const block: Block = { index, kind, said, part, length: 0, held: [], citations: [] };
  state.growing = block;
  return block;
}

function openCall(
  state: State,
  { index, said }: { readonly index: number; readonly said: JsonRecord },
  events: ChatEvent[],
): void {
  const name = textOf(said['name']) ?? '';
  if (isServerTool(said)) {
    open(state, { index, kind: 'hosted_call', said, events });
    return;
  }
  if (name === OUTPUT_TOOL) {
    open(state, { index, kind: 'output', said, value: { type: 'text', text: '' }, events });
    return;
  }
  state.calls += 1;
  const id = textOf(said['toolUseId']) ?? '';
  const value: Part = { type: 'tool_call', id, name, arguments: '', format: 'json' };
  open(state, { index, kind: 'call', said, value, events });
}

interface Delta {
  readonly index: number;
  readonly said: JsonRecord;
  readonly events: ChatEvent[];
}

function pushDelta(state: State, delta: Delta): void {
  const { text, toolUse, toolResult, reasoningContent, citation, image } = delta.said;
  if (typeof text === 'string') pushText(state, delta, text);
  else if (isRecord(toolUse)) pushInput(state, delta, textOf(toolUse['input']));
  else if (toolResult !== undefined) blockOf(state, delta, 'hosted_result').held.push(toolResult);
  else if (isRecord(reasoningContent)) pushReasoning(state, delta, reasoningContent);
  else if (isRecord(citation)) blockOf(state, delta, 'text').citations.push(citation);
  else if (isRecord(image)) pushImage(state, delta, image);
}

const OPENED: ReadonlyMap<Kind, Part> = new Map<Kind, Part>([
  ['text', { type: 'text', text: '' }],
  ['reasoning', { type: 'reasoning', text: '', summary: false, native: OWN }],
  ['call', { type: 'tool_call', id: '', name: '', arguments: '', format: 'json' }],
  ['image', { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: '' } }],
]);

/** The growing block of this number and kind, opened where it is not there. */
function blockOf(state: State, { index, said, events }: Delta, kind: Kind): Block {
  const { growing } = state;
  if (growing?.index === index && growing.kind === kind) return growing;
  const value = OPENED.get(kind);
  if (kind === 'call') state.calls += 1;
  return open(state, { index, kind, said, events, ...(value === undefined ? {} : { value }) });
}

/** Some models begin with a block of empty text (gpt-oss; recordings): it is no part. */
function pushText(state: State, delta: Delta, text: string): void {
  if (text !== '') delta.events.push(grow(blockOf(state, delta, 'text'), text));
}

function grow(block: Block, text: string): ChatEvent {
  block.length += text.length;
  return { type: 'text_delta', choice: 0, part: block.part, text };
}

function pushInput(state: State, delta: Delta, text: string | undefined): void {
  const { growing } = state;
  if (text === undefined) return;
  if (growing?.kind === 'hosted_call' && growing.index === delta.index) {
    growing.held.push(text);
    return;
  }
  const isOutput = growing?.kind === 'output' && growing.index === delta.index;
  if (isOutput) {
    delta.events.push(grow(growing, text));
    return;
  }
  const block = blockOf(state, delta, 'call');
  block.length += text.length;
  delta.events.push({ type: 'arguments_delta', choice: 0, part: block.part, text });
}

function pushReasoning(state: State, delta: Delta, said: JsonRecord): void {
  const { events, index } = delta;
  const redacted = textOf(said['redactedContent']);
  if (redacted !== undefined) {
    const base = { type: 'reasoning', text: '', summary: false, native: OWN } as const;
    const value: Part = { ...base, encrypted: redacted };
    open(state, { index, kind: 'reasoning', said, value, events });
    events.push(...close(state));
    return;
  }
  const text = textOf(said['text']);
  const signature = textOf(said['signature']);
  if (text === undefined && signature === undefined) return;
  const { part } = blockOf(state, delta, 'reasoning');
  if (text !== undefined) events.push({ type: 'reasoning_delta', choice: 0, part, text });
  if (signature !== undefined) events.push({ type: 'signature', choice: 0, part, signature });
}

function pushImage(state: State, delta: Delta, image: JsonRecord): void {
  const data = textOf(recordOf(image['source'])['bytes']);
  if (data === undefined) return;
  const { part } = blockOf(state, delta, 'image');
  delta.events.push({ type: 'media_delta', choice: 0, part, data });
}

function close(state: State): readonly ChatEvent[] {
  const block = state.growing;
  if (block === null) return NOTHING;
  state.growing = null;
  if (block.part < 0) return tellWhole(state, block);
  const { part } = block;
  const events: ChatEvent[] = [];
  // A call without parameters may come without input; clients of tools expect an object.
  if (block.length === 0 && block.kind === 'call') {
    events.push({ type: 'arguments_delta', choice: 0, part, text: '{}' });
  }
  for (const said of block.citations) {
    events.push({ type: 'citation', choice: 0, part, citation: toCitation(said, block.length) });
  }
  events.push({ type: 'part_stop', choice: 0, part });
  return events;
}

function tellWhole(state: State, block: Block): readonly ChatEvent[] {
  const part = state.parts;
  state.parts += 1;
  const value =
    block.kind === 'hosted_call'
      ? hostedCall(block.said, inputOf(block.held.join('')))
      : hostedResult(
          block.said,
          block.held.flatMap((piece) => (Array.isArray(piece) ? listOf(piece) : [piece])),
        );
  return [
    { type: 'part_start', choice: 0, part, value },
    { type: 'part_stop', choice: 0, part },
  ];
}

function inputOf(text: string): unknown {
  return text === '' ? {} : (parseJson(text) ?? text);
}
