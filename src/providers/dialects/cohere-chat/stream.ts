/**
 * Reads a stream of Cohere's v2 chat into events of the common form. Cohere says where its blocks
 * begin and end; blocks of text are kept open until the end all the same, since their citations may
 * come after it.
 */
import type { Part } from '#providers/form.ts';
import { isRecord, numberOf, parseJson, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import type { ChatStreamDecoder } from '#providers/provider.ts';
import { partWriter } from '../openai-chat/part-writer.ts';
import { isOfText, toCitations, wideCharacters } from './citations.ts';
import type { WideCharacters } from './citations.ts';
import { readComplaint, toFinish } from './finish.ts';
import { OWN, PLAN_ID } from './native.ts';
import { callArguments, toLogprobs } from './pieces.ts';
import { readUsage } from './usage.ts';

const CHOICE = 0;

interface Block {
  readonly part: number;
  readonly wide: WideCharacters | null;
  open: boolean;
}

interface Call {
  readonly part: number;
  /** Arguments held back while they may still turn out to be `null`; what was told is gone. */
  waiting: string;
  told: boolean;
  open: boolean;
}

interface State {
  readonly writer: ReturnType<typeof partWriter>;
  readonly blocks: Map<number, Block>;
  readonly calls: Map<number, Call>;
  plan: number | null;
}

/** A decoder for one stream; `[DONE]` may come after the end or not at all. */
export function streamDecoder(): ChatStreamDecoder {
  const state: State = {
    writer: partWriter(CHOICE),
    blocks: new Map(),
    calls: new Map(),
    plan: null,
  };
  let started = false;
  let over = false;

  const complain = (code: string, message: string, status: number | null): void => {
    over = true;
    closeAll(state, false);
    state.writer.tell({ type: 'complaint', complaint: { code, message, status } });
  };
  const end = (event: JsonRecord): void => {
    const delta = recordOf(event['delta']);
    const usage = readUsage(delta['usage']);
    if (usage !== null) state.writer.tell({ type: 'usage', usage });
    const complaint = readComplaint(event);
    if (complaint !== null) return complain(complaint.code, complaint.message, complaint.status);
    closeAll(state, true);
    over = true;
    const finish = toFinish(delta['finish_reason']) ?? { reason: 'stop', native: '' };
    state.writer.tell({ type: 'finish', choice: CHOICE, finish });
  };
  const take = (event: JsonRecord, type: string | undefined): void => {
    if (!started) {
      started = true;
      const id = textOf(event['id']) ?? '';
      state.writer.tell({ type: 'start', id, createdAt: 0, model: '' });
    }
    if (type === 'message-end') return end(event);
    const handle = HANDLERS.get(type ?? '');
    if (handle !== undefined) return handle(event, state);
    const complaint = type === undefined || type === 'error' ? readComplaint(event) : null;
    if (complaint !== null) complain(complaint.code, complaint.message, complaint.status);
  };

  return {
    push({ event: name, data }) {
      if (over || data === '[DONE]') return [];
      const event = parseJson(data);
      if (isRecord(event)) take(event, textOf(event['type']) ?? name ?? undefined);
      else complain('malformed_event', 'The provider sent an event that is not JSON.', null);
      return state.writer.take();
    },
    end() {
      if (!over) closeAll(state, false);
      over = true;
      return state.writer.take();
    },
  };
}

type Handler = (event: JsonRecord, state: State) => void;

/** What each event type grows. Types that are not here say nothing that a client needs. */
const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['content-start', startContent],
  ['content-delta', growContent],
  ['content-end', endContent],
  ['tool-plan-delta', growPlan],
  ['tool-call-start', startCall],
  ['tool-call-delta', growCall],
  ['tool-call-end', endCall],
  ['citation-start', cite],
]);

function messageOf(event: JsonRecord): JsonRecord {
  return recordOf(recordOf(event['delta'])['message']);
}

function indexOf(event: JsonRecord): number {
  return numberOf(event['index']) ?? 0;
}

/** A block begins: one that was begun under the same number has ended, whatever its end said. */
function startContent(event: JsonRecord, state: State): void {
  const content = recordOf(messageOf(event)['content']);
  openBlock(indexOf(event), content['type'] === 'thinking', state);
  growContent(event, state);
}

function growContent(event: JsonRecord, state: State): void {
  const { writer } = state;
  const content = recordOf(messageOf(event)['content']);
  const thinking = textOf(content['thinking']);
  const text = thinking ?? textOf(content['text']);
  if (text !== undefined) {
    const block = blockFor(indexOf(event), thinking !== undefined, state);
    block.wide?.push(text);
    const type = block.wide === null ? 'reasoning_delta' : 'text_delta';
    writer.tell({ type, choice: CHOICE, part: block.part, text });
  }
  const logprobs = toLogprobs(recordOf(event['delta'])['logprobs'] ?? event['logprobs']);
  if (logprobs !== undefined) writer.tell({ type: 'logprobs', choice: CHOICE, value: logprobs });
}

/** The open block of this number and kind; a new one where there is none. */
function blockFor(index: number, thinks: boolean, state: State): Block {
  const block = state.blocks.get(index);
  const fits = block?.open === true && (block.wide === null) === thinks;
  return fits ? block : openBlock(index, thinks, state);
}

function openBlock(index: number, thinks: boolean, state: State): Block {
  closePlan(state);
  const before = state.blocks.get(index);
  if (before !== undefined) closeBlock(before, state);
  const value: Part = thinks
    ? { type: 'reasoning', text: '', summary: false, native: OWN }
    : { type: 'text', text: '' };
  const part = state.writer.open(value);
  const block: Block = { part, wide: thinks ? null : wideCharacters(), open: true };
  state.blocks.set(index, block);
  return block;
}

function endContent(event: JsonRecord, state: State): void {
  const block = state.blocks.get(indexOf(event));
  if (block?.wide === null) closeBlock(block, state);
}

function closeBlock(block: Block, state: State): void {
  if (block.open) state.writer.stop(block.part);
  block.open = false;
}

function growPlan(event: JsonRecord, state: State): void {
  const text = textOf(messageOf(event)['tool_plan']);
  if (text === undefined) return;
  const { writer } = state;
  state.plan ??= writer.open({
    type: 'reasoning',
    text: '',
    summary: false,
    id: PLAN_ID,
    native: OWN,
  });
  writer.tell({ type: 'reasoning_delta', choice: CHOICE, part: state.plan, text });
}

function closePlan(state: State): void {
  if (state.plan !== null) state.writer.stop(state.plan);
  state.plan = null;
}

function startCall(event: JsonRecord, state: State): void {
  closePlan(state);
  const index = indexOf(event);
  const before = state.calls.get(index);
  if (before !== undefined) closeCall(before, state, true);
  const said = recordOf(messageOf(event)['tool_calls']);
  const id = textOf(said['id']);
  const part = state.writer.open({
    type: 'tool_call',
    id: id ?? `call_${index}`,
    ...(id === undefined ? { idIsOurs: true } : {}),
    name: textOf(recordOf(said['function'])['name']) ?? '',
    arguments: '',
    format: 'json',
  });
  state.calls.set(index, { part, waiting: '', told: false, open: true });
  growCall(event, state);
}

function growCall(event: JsonRecord, state: State): void {
  const call = state.calls.get(indexOf(event));
  const said = recordOf(recordOf(messageOf(event)['tool_calls'])['function']);
  const text = textOf(said['arguments']);
  if (call?.open !== true || text === undefined) return;
  call.waiting += text;
  if (!call.told && 'null'.startsWith(call.waiting)) return;
  tellArguments(call, call.waiting, state);
}

function tellArguments(call: Call, text: string, state: State): void {
  call.told = true;
  call.waiting = '';
  state.writer.tell({ type: 'arguments_delta', choice: CHOICE, part: call.part, text });
}

function endCall(event: JsonRecord, state: State): void {
  const call = state.calls.get(indexOf(event));
  if (call !== undefined) closeCall(call, state, true);
}

/** Only a call that Cohere ended may get arguments that it did not write. */
function closeCall(call: Call, state: State, whole: boolean): void {
  if (!call.open) return;
  if (whole && !call.told) tellArguments(call, callArguments(call.waiting), state);
  state.writer.stop(call.part);
  call.open = false;
}

function cite(event: JsonRecord, state: State): void {
  const said = recordOf(messageOf(event)['citations']);
  if (!isOfText(said)) return;
  const texts = [...state.blocks.values()].filter((block) => block.wide !== null);
  const named = state.blocks.get(numberOf(said['content_index']) ?? -1);
  const block = named?.wide === null || named === undefined ? texts[0] : named;
  if (block?.wide === undefined || block.wide === null || !block.open) return;
  for (const citation of toCitations(said, block.wide)) {
    state.writer.tell({ type: 'citation', choice: CHOICE, part: block.part, citation });
  }
}

function closeAll(state: State, whole: boolean): void {
  closePlan(state);
  for (const block of state.blocks.values()) closeBlock(block, state);
  for (const call of state.calls.values()) closeCall(call, state, whole);
}
