/**
 * One content block of a stream. Text, thinking and calls are told as they grow; blocks that only
 * make sense whole (hosted tools, their results, redacted thinking, unknown ones) when they close.
 */
import type { ChatEvent, Part } from '#providers/form.ts';
import { isRecord, parseJson, textOf, type JsonRecord } from '#providers/json.ts';
import { readCitation, readCitations } from './citations.ts';
import { callNative, readAssistantBlock } from './read-block.ts';
import { DIALECT, OUTPUT_TOOL } from './native.ts';

/** Where events go, and how a part gets its number. */
export interface PartSink {
  tell(event: ChatEvent): void;
  /** Opens a part and returns its number. */
  open(value: Part): number;
}

export interface BlockStream {
  readonly type: string;
  push(delta: JsonRecord): void;
  close(): void;
}

export function blockStream(block: JsonRecord, sink: PartSink): BlockStream {
  const type = textOf(block['type']) ?? '';
  if (type === 'text') return textBlock(block, sink);
  if (type === 'thinking') return thinkingBlock(block, sink);
  if (type === 'tool_use') {
    return block['name'] === OUTPUT_TOOL ? outputBlock(block, sink) : callBlock(block, sink);
  }
  return wholeBlock(block, type, sink);
}

function textBlock(block: JsonRecord, sink: PartSink): BlockStream {
  const part = sink.open({ type: 'text', text: '' });
  const say = (text: string | undefined): void => {
    if (text !== undefined) sink.tell({ type: 'text_delta', choice: 0, part, text });
  };
  say(textOf(block['text']));
  for (const citation of readCitations(block['citations'])) {
    sink.tell({ type: 'citation', choice: 0, part, citation });
  }
  return {
    type: 'text',
    push(delta) {
      if (delta['type'] === 'citations_delta' && isRecord(delta['citation'])) {
        const citation = readCitation(delta['citation']);
        sink.tell({ type: 'citation', choice: 0, part, citation });
        return;
      }
      say(textOf(delta['text']));
    },
    close: () => sink.tell({ type: 'part_stop', choice: 0, part }),
  };
}

function thinkingBlock(block: JsonRecord, sink: PartSink): BlockStream {
  const native = { [DIALECT]: {} };
  const part = sink.open({ type: 'reasoning', text: '', summary: false, native });
  let signature = textOf(block['signature']);
  const think = (text: string | undefined): void => {
    if (text !== undefined) sink.tell({ type: 'reasoning_delta', choice: 0, part, text });
  };
  think(textOf(block['thinking']));
  return {
    type: 'thinking',
    push(delta) {
      if (delta['type'] === 'signature_delta') signature = textOf(delta['signature']) ?? signature;
      else think(textOf(delta['thinking']));
    },
    close() {
      if (signature !== undefined) sink.tell({ type: 'signature', choice: 0, part, signature });
      sink.tell({ type: 'part_stop', choice: 0, part });
    },
  };
}

/** The input that stands in the block's start already; programmatic calls have it there. */
function earlyInput(block: JsonRecord): string | undefined {
  const { input } = block;
  if (!isRecord(input) || Object.keys(input).length === 0) return undefined;
  return JSON.stringify(input);
}

function callBlock(block: JsonRecord, sink: PartSink): BlockStream {
  const id = textOf(block['id']);
  const native = callNative(block);
  const part = sink.open({
    type: 'tool_call',
    id: id ?? 'toolu_omnix',
    ...(id === undefined ? { idIsOurs: true } : {}),
    name: textOf(block['name']) ?? '',
    arguments: '',
    format: 'json',
    ...(native === undefined ? {} : { native }),
  });
  let grown = false;
  return {
    type: 'tool_use',
    push(delta) {
      const text = textOf(delta['partial_json']);
      if (text === undefined) return;
      grown = true;
      sink.tell({ type: 'arguments_delta', choice: 0, part, text });
    },
    close() {
      // A call without arguments grows by nothing, and means an empty object.
      const text = grown ? undefined : (earlyInput(block) ?? '{}');
      if (text !== undefined) sink.tell({ type: 'arguments_delta', choice: 0, part, text });
      sink.tell({ type: 'part_stop', choice: 0, part });
    },
  };
}

/** The stand-in for an output format: its arguments are the answer's text. */
function outputBlock(block: JsonRecord, sink: PartSink): BlockStream {
  const part = sink.open({ type: 'text', text: '' });
  let grown = false;
  return {
    type: 'output_tool',
    push(delta) {
      const text = textOf(delta['partial_json']);
      if (text === undefined) return;
      grown = true;
      sink.tell({ type: 'text_delta', choice: 0, part, text });
    },
    close() {
      const text = grown ? undefined : (earlyInput(block) ?? '{}');
      if (text !== undefined) sink.tell({ type: 'text_delta', choice: 0, part, text });
      sink.tell({ type: 'part_stop', choice: 0, part });
    },
  };
}

/** Collects what deltas add, by their own member names, and tells the block when it closes. */
function wholeBlock(block: JsonRecord, type: string, sink: PartSink): BlockStream {
  const grown: Record<string, unknown> = { ...block };
  let input = '';
  return {
    type,
    push(delta) {
      if (delta['type'] === 'input_json_delta') {
        input += textOf(delta['partial_json']) ?? '';
        return;
      }
      for (const [key, value] of Object.entries(delta)) {
        if (key === 'type' || key === '__proto__' || value === null) continue;
        const before = grown[key];
        grown[key] =
          typeof before === 'string' && typeof value === 'string' ? before + value : value;
      }
    },
    close() {
      const parsed = input === '' ? undefined : parseJson(input);
      if (input !== '') grown['input'] = parsed ?? input;
      const part = sink.open(readAssistantBlock(grown));
      sink.tell({ type: 'part_stop', choice: 0, part });
    },
  };
}
