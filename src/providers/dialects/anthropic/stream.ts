/**
 * Reads a Messages stream into events of the common form: message_start, blocks that open, grow and
 * close, message_delta with the stop reason, message_stop. The finish is told at message_stop, so a
 * stream that is cut before has none.
 */
import type { ChatEvent, Part } from '#providers/form.ts';
import {
  isRecord,
  listOf,
  numberOf,
  otherMembers,
  parseJson,
  recordOf,
  textOf,
} from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import type { ChatStreamDecoder } from '#providers/provider.ts';
import { blockStream, type BlockStream } from './block-stream.ts';
import { readComplaint } from './complaint.ts';
import { refusalPart } from './decode.ts';
import { toFinish } from './finish.ts';
import { mergeUsage, readUsageObject } from './usage.ts';
import { nativeOf } from './native.ts';

/** Members of the first message that have a word in the common form, or say nothing yet. */
const START_MEMBERS: ReadonlySet<string> = new Set([
  'id',
  'type',
  'role',
  'model',
  'content',
  'usage',
  'stop_reason',
  'stop_sequence',
  'stop_details',
]);

/** The index of blocks that come whole, beside all that are counted. */
const WHOLE = -1;

/**
 * A decoder for one stream. Nothing comes after a complaint; `end` closes what is open and makes up
 * no finish.
 */
export function streamDecoder(): ChatStreamDecoder {
  return new MessagesStream();
}

class MessagesStream implements ChatStreamDecoder {
  #events: ChatEvent[] = [];
  readonly #blocks = new Map<number, BlockStream>();
  #parts = 0;
  #id: string | null = null;
  /** What was said about usage until now. */
  #usage: unknown = null;
  #stopReason: unknown = null;
  #calls = 0;
  #outputCalls = 0;
  #over = false;

  push(event: { readonly event: string | null; readonly data: string }): readonly ChatEvent[] {
    if (this.#over || event.event === 'ping' || event.data.trim() === '') return [];
    const json = parseJson(event.data);
    if (isRecord(json)) this.#read(json);
    else this.#complain('malformed_event', 'The provider sent an event that is not JSON.');
    return this.#take();
  }

  end(): readonly ChatEvent[] {
    if (this.#over) return [];
    this.#over = true;
    this.#closeAll();
    return this.#take();
  }

  #take(): readonly ChatEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #read(event: JsonRecord): void {
    switch (event['type']) {
      case 'content_block_delta':
        this.#blocks.get(numberOf(event['index']) ?? 0)?.push(recordOf(event['delta']));
        return;
      case 'content_block_start':
        this.#open(event);
        return;
      case 'content_block_stop':
        this.#close(numberOf(event['index']) ?? 0);
        return;
      case 'message_start':
        this.#start(recordOf(event['message']));
        return;
      case 'message_delta':
        this.#change(event);
        return;
      case 'message_stop':
        this.#stop();
        return;
      default:
        this.#readOther(event);
    }
  }

  /** Pings and events that are not known say nothing; an error may come under any name. */
  #readOther(event: JsonRecord): void {
    const complaint = readComplaint(event);
    if (complaint === null) return;
    this.#over = true;
    this.#closeAll();
    this.#events.push({ type: 'complaint', complaint });
  }

  #start(message: JsonRecord): void {
    const id = textOf(message['id']) ?? '';
    if (this.#id !== null) {
      // The same start twice is harmless; another answer in the middle of this one is not.
      if (this.#id === id && this.#parts === 0 && this.#blocks.size === 0) return;
      this.#complain('malformed_stream', 'The provider began a second answer inside the first.');
      return;
    }
    this.#id = id;
    const native = nativeOf(otherMembers(message, START_MEMBERS));
    const model = textOf(message['model']) ?? '';
    this.#events.push({
      type: 'start',
      id,
      createdAt: 0,
      model,
      ...(native === undefined ? {} : { native }),
    });
    this.#usage = message['usage'] ?? null;
    const usage = readUsageObject(this.#usage);
    // The output is not counted yet: if the stream ends here, it has to be counted by ourselves.
    if (usage !== null) this.#events.push({ type: 'usage', usage: { ...usage, source: 'none' } });
    this.#readWhole(message);
  }

  /**
   * A start that holds the whole answer, with its stop reason: so it is told where a hosted tool
   * calls the caller's tools, and nothing but message_stop follows.
   */
  #readWhole(message: JsonRecord): void {
    const { stop_reason: stopReason, usage } = message;
    if (textOf(stopReason) === undefined) return;
    for (const block of listOf(message['content'])) {
      this.#open({ index: WHOLE, content_block: block });
      this.#close(WHOLE);
    }
    this.#change({ delta: message, usage });
  }

  #open(event: JsonRecord): void {
    const index = numberOf(event['index']) ?? 0;
    this.#close(index);
    const block = blockStream(recordOf(event['content_block']), {
      tell: (told) => this.#events.push(told),
      open: (value) => this.#openPart(value),
    });
    this.#blocks.set(index, block);
    if (block.type === 'tool_use') this.#calls += 1;
    if (block.type === 'output_tool') this.#outputCalls += 1;
  }

  #openPart(value: Part): number {
    const part = this.#parts;
    this.#parts += 1;
    this.#events.push({ type: 'part_start', choice: 0, part, value });
    return part;
  }

  #close(index: number): void {
    const block = this.#blocks.get(index);
    if (block === undefined) return;
    this.#blocks.delete(index);
    block.close();
  }

  #closeAll(): void {
    for (const index of this.#blocks.keys()) this.#close(index);
  }

  #change(event: JsonRecord): void {
    const delta = recordOf(event['delta']);
    this.#stopReason = delta['stop_reason'] ?? this.#stopReason;
    const refusal = refusalPart(delta['stop_details']);
    if (refusal?.type === 'refusal') {
      const part = this.#openPart({ ...refusal, text: '' });
      this.#events.push({ type: 'refusal_delta', choice: 0, part, text: refusal.text });
      this.#events.push({ type: 'part_stop', choice: 0, part });
    }
    if (!isRecord(event['usage'])) return;
    this.#usage = mergeUsage(this.#usage, event['usage']);
    const usage = readUsageObject(this.#usage);
    if (usage !== null) this.#events.push({ type: 'usage', usage });
  }

  #stop(): void {
    this.#over = true;
    this.#closeAll();
    const onlyOutputTool = this.#outputCalls > 0 && this.#calls === 0;
    const implied = { reason: this.#calls > 0 ? 'tool_calls' : 'stop', native: '' } as const;
    const finish = toFinish(this.#stopReason, onlyOutputTool) ?? implied;
    this.#events.push({ type: 'finish', choice: 0, finish });
  }

  #complain(code: string, message: string): void {
    this.#over = true;
    this.#closeAll();
    this.#events.push({ type: 'complaint', complaint: { code, message, status: null } });
  }
}
