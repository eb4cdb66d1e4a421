/**
 * Reads a stream of Responses events into events of the common form. Most of the 58 event types
 * tell of hosted tools at work, which no chat client can show: an item counts once it is done.
 */
import type { ChatEvent, Part } from '#providers/form.ts';
import { isRecord, listOf, numberOf, parseJson, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import type { ChatStreamDecoder } from '#providers/provider.ts';
import { partWriter } from '../openai-chat/part-writer.ts';
import { readComplaint, toFinish } from './finish.ts';
import {
  argumentsOf,
  callOf,
  encryptedPart,
  hostedParts,
  toCitation,
  toLogprobs,
} from './items.ts';
import { OWN } from './native.ts';
import { readUsage } from './usage.ts';

const CHOICE = 0;

type DeltaType = 'text_delta' | 'reasoning_delta' | 'refusal_delta' | 'arguments_delta';

/** A part that grows, under the item and the place in it that its events name. */
interface Growing {
  readonly part: number;
  readonly delta: DeltaType;
  /** Whether anything was told of it: what is done without a delta is told whole. */
  told: boolean;
}

interface State {
  readonly writer: ReturnType<typeof partWriter>;
  readonly growing: Map<string, Growing>;
  calls: boolean;
}

/** A decoder for one stream. It ends with the response's own last event; there is no `[DONE]`. */
export function streamDecoder(): ChatStreamDecoder {
  const state: State = { writer: partWriter(CHOICE), growing: new Map(), calls: false };
  let started = false;
  let over = false;

  const close = (): void => {
    over = true;
    for (const { part } of state.growing.values()) state.writer.stop(part);
    state.growing.clear();
  };
  const complain = (complaint: Extract<ChatEvent, { type: 'complaint' }>['complaint']): void => {
    close();
    state.writer.tell({ type: 'complaint', complaint });
  };
  const finish = (response: JsonRecord): void => {
    close();
    const usage = readUsage(response['usage']);
    const serviceTier = textOf(response['service_tier']);
    const tier = serviceTier === undefined ? {} : { serviceTier };
    if (usage !== null) state.writer.tell({ type: 'usage', usage, ...tier });
    const complaint = readComplaint(response);
    if (complaint !== null) return complain(complaint);
    const ended = toFinish(response, state.calls);
    if (ended !== null) state.writer.tell({ type: 'finish', choice: CHOICE, finish: ended });
  };
  const take = (event: JsonRecord): void => {
    const type = textOf(event['type']) ?? '';
    const handle = HANDLERS.get(type);
    if (handle !== undefined) return handle(event, state);
    const response = recordOf(event['response']);
    if (!started && STARTS.has(type)) {
      started = true;
      state.writer.tell(startOf(response));
    }
    if (ENDS.has(type)) return finish(response);
    const complaint = type === 'error' || type === '' ? readComplaint(event) : null;
    if (complaint !== null) complain(complaint);
  };

  return {
    push({ data }) {
      if (over || data === '[DONE]') return [];
      const event = parseJson(data);
      const message = 'The provider sent an event that is not JSON.';
      if (isRecord(event)) take(event);
      else complain({ code: 'malformed_event', message, status: null });
      return state.writer.take();
    },
    end() {
      if (!over) close();
      return state.writer.take();
    },
  };
}

const ENDS: ReadonlySet<string> = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
]);

/** The first event names the response; the last ones do too, should it be lost. */
const STARTS: ReadonlySet<string> = new Set([
  'response.created',
  'response.queued',
  'response.in_progress',
  ...ENDS,
]);

function startOf(response: JsonRecord): ChatEvent {
  return {
    type: 'start',
    id: textOf(response['id']) ?? '',
    createdAt: Math.floor(numberOf(response['created_at']) ?? 0),
    model: textOf(response['model']) ?? '',
  };
}

type Handler = (event: JsonRecord, state: State) => void;

const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['response.output_text.delta', grow('text')],
  ['response.output_text.done', settle('text')],
  ['response.output_text.annotation.added', annotate],
  ['response.refusal.delta', grow('refusal')],
  ['response.refusal.done', settle('refusal')],
  ['response.reasoning_summary_text.delta', grow('summary')],
  ['response.reasoning_summary_text.done', settle('summary')],
  ['response.reasoning_text.delta', grow('thought')],
  ['response.reasoning_text.done', settle('thought')],
  ['response.output_item.added', startItem],
  ['response.function_call_arguments.delta', grow('call')],
  ['response.custom_tool_call_input.delta', grow('call')],
  ['response.output_item.done', endItem],
]);

type Kind = 'text' | 'refusal' | 'summary' | 'thought' | 'call';

interface Growth {
  readonly delta: DeltaType;
  /** What the part is when it begins; calls begin with their item. */
  readonly begin: (event: JsonRecord) => Part | null;
  /** The member of a `done` event that has the whole. */
  readonly whole: string;
}

function reasoning(event: JsonRecord, summary: boolean): Part {
  const id = textOf(event['item_id']);
  const named = id === undefined ? {} : { id };
  return { type: 'reasoning', text: '', summary, ...named, native: OWN };
}

const GROWTHS: Readonly<Record<Kind, Growth>> = {
  text: { delta: 'text_delta', begin: () => ({ type: 'text', text: '' }), whole: 'text' },
  refusal: {
    delta: 'refusal_delta',
    begin: () => ({ type: 'refusal', text: '' }),
    whole: 'refusal',
  },
  summary: { delta: 'reasoning_delta', begin: (event) => reasoning(event, true), whole: 'text' },
  thought: { delta: 'reasoning_delta', begin: (event) => reasoning(event, false), whole: 'text' },
  call: { delta: 'arguments_delta', begin: () => null, whole: 'arguments' },
};

function keyOf(event: JsonRecord, kind: Kind): string {
  const item = String(numberOf(event['output_index']) ?? 0);
  if (kind === 'call') return item;
  const index = event[kind === 'summary' ? 'summary_index' : 'content_index'];
  return `${item}:${kind}:${String(numberOf(index) ?? 0)}`;
}

function grow(kind: Kind): Handler {
  return (event, state) => {
    const { delta } = event;
    if (typeof delta !== 'string' || delta === '') return;
    const growing = find(event, kind, state);
    if (growing === null) return;
    tell(growing, delta, state);
    const logprobs = kind === 'text' ? toLogprobs(listOf(event['logprobs'])) : undefined;
    if (logprobs === undefined) return;
    state.writer.tell({ type: 'logprobs', choice: CHOICE, value: logprobs });
  };
}

function find(event: JsonRecord, kind: Kind, state: State): Growing | null {
  const key = keyOf(event, kind);
  const found = state.growing.get(key);
  if (found !== undefined) return found;
  const { begin, delta } = GROWTHS[kind];
  const value = begin(event);
  return value === null ? null : open(key, { value, delta }, state);
}

function open(
  key: string,
  { value, delta }: { readonly value: Part; readonly delta: DeltaType },
  state: State,
): Growing {
  stop(key, state);
  const growing = { part: state.writer.open(value), delta, told: false };
  state.growing.set(key, growing);
  return growing;
}

function tell(growing: Growing, text: string, state: State): void {
  growing.told = true;
  state.writer.tell({ type: growing.delta, choice: CHOICE, part: growing.part, text });
}

/** The text is whole. It stays open for annotations until its item ends; reasoning closes. */
function settle(kind: Kind): Handler {
  return (event, state) => {
    const text = textOf(event[GROWTHS[kind].whole]);
    const growing = text === undefined ? null : find(event, kind, state);
    if (growing === null || text === undefined) return;
    if (!growing.told) tell(growing, text, state);
    if (kind !== 'text') stop(keyOf(event, kind), state);
  };
}

function stop(key: string, state: State): void {
  const growing = state.growing.get(key);
  if (growing === undefined) return;
  state.writer.stop(growing.part);
  state.growing.delete(key);
}

function annotate(event: JsonRecord, state: State): void {
  const { annotation } = event;
  const growing = isRecord(annotation) ? find(event, 'text', state) : null;
  if (growing === null || !isRecord(annotation)) return;
  const citation = toCitation(annotation);
  state.writer.tell({ type: 'citation', choice: CHOICE, part: growing.part, citation });
}

function startItem(event: JsonRecord, state: State): void {
  const value = callOf(recordOf(event['item']));
  if (value === null) return;
  state.calls = true;
  open(keyOf(event, 'call'), { value, delta: 'arguments_delta' }, state);
}

/** The item as it is at last: what was not told in deltas is told now, then its parts close. */
function endItem(event: JsonRecord, state: State): void {
  const item = recordOf(event['item']);
  if (item['type'] === 'message') return closeItem(event, state);
  if (item['type'] === 'reasoning') {
    closeItem(event, state);
    const part = encryptedPart(item);
    if (part !== null) state.writer.stop(state.writer.open(part));
    return;
  }
  if (callOf(item) === null) {
    for (const part of hostedParts(item)) state.writer.stop(state.writer.open(part));
    return;
  }
  const key = keyOf(event, 'call');
  if (!state.growing.has(key)) startItem(event, state);
  const growing = state.growing.get(key);
  const said = argumentsOf(item);
  if (growing?.told === false && said !== '') tell(growing, said, state);
  stop(key, state);
}

function closeItem(event: JsonRecord, state: State): void {
  const prefix = `${String(numberOf(event['output_index']) ?? 0)}:`;
  for (const key of state.growing.keys()) if (key.startsWith(prefix)) stop(key, state);
}
