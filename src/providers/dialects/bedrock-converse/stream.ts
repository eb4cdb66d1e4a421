/**
 * Reads a stream of Converse into events of the common form. Blocks are numbered and come one after
 * another; only those of tools are announced by a start of their own, all others begin with their
 * first delta. `messageStop` ends the choice and `metadata` brings the usage behind it.
 */
import type { ChatEvent } from '#providers/form.ts';
import { isRecord, numberOf, parseJson, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import type { ChatStreamDecoder } from '#providers/provider.ts';
import { blockStream } from './block-stream.ts';
import type { BlockStream } from './block-stream.ts';
import { isException, payloadOf, toComplaint, toFinish } from './finish.ts';
import { readUsage } from './usage.ts';

const NOTHING: readonly ChatEvent[] = [];

interface StreamState {
  readonly blocks: BlockStream;
  started: boolean;
  finished: boolean;
  /** Nothing comes after a complaint. */
  over: boolean;
}

/**
 * A decoder for one stream. `end` closes what is still open, without making up a finish that did
 * not come.
 */
export function streamDecoder(): ChatStreamDecoder {
  const state: StreamState = {
    blocks: blockStream(),
    started: false,
    finished: false,
    over: false,
  };
  return {
    push(frame) {
      if (state.over) return NOTHING;
      const { event, data } = nameFrame(frame.event, frame.data);
      if (isException(event)) return complain(state, event, data);
      if (!isRecord(data)) {
        const message = 'The provider sent an event that is not JSON.';
        return complain(state, 'malformed_event', { message });
      }
      return pushEvent(state, event, data);
    },
    end() {
      if (state.over) return NOTHING;
      state.over = true;
      return state.blocks.close();
    },
  };
}

/** A frame without a name wraps its payload in the member of that name, as SDKs hand it on. */
function nameFrame(
  name: string | null,
  data: string,
): { readonly event: string; readonly data: unknown } {
  if (name !== null && name !== '') {
    return { event: name, data: isException(name) ? payloadOf(data) : parseJson(data) };
  }
  const said = parseJson(data);
  const [first] = Object.entries(recordOf(said));
  return first === undefined ? { event: '', data: said } : { event: first[0], data: first[1] };
}

function complain(state: StreamState, event: string, data: unknown): readonly ChatEvent[] {
  state.over = true;
  return [...state.blocks.close(), { type: 'complaint', complaint: toComplaint(event, data) }];
}

function pushEvent(state: StreamState, event: string, data: JsonRecord): readonly ChatEvent[] {
  const began = start(state);
  const events = readEvent(state, event, data);
  return began === null ? events : [began, ...events];
}

/** Whatever comes first starts: constructed streams leave `messageStart` out. */
function start(state: StreamState): ChatEvent | null {
  if (state.started) return null;
  state.started = true;
  return { type: 'start', id: '', createdAt: 0, model: '' };
}

function readEvent(state: StreamState, event: string, data: JsonRecord): readonly ChatEvent[] {
  const { blocks } = state;
  const index = numberOf(data['contentBlockIndex']) ?? 0;
  switch (event) {
    case 'contentBlockDelta':
      return blocks.delta(index, recordOf(data['delta']));
    case 'contentBlockStart':
      return blocks.start(index, recordOf(data['start']));
    case 'contentBlockStop':
      return blocks.stop(index);
    case 'messageStop':
      return finish(state, data);
    case 'metadata':
      return readMetadata(data);
    default:
      return NOTHING;
  }
}

function finish(state: StreamState, data: JsonRecord): readonly ChatEvent[] {
  if (state.finished) return NOTHING;
  state.finished = true;
  const closing = state.blocks.close();
  const said = toFinish(textOf(data['stopReason']), state.blocks.hasCalls());
  return [...closing, { type: 'finish', choice: 0, finish: said }];
}

function readMetadata(data: JsonRecord): readonly ChatEvent[] {
  const usage = readUsage(data['usage']);
  return usage === null ? NOTHING : [{ type: 'usage', usage }];
}
