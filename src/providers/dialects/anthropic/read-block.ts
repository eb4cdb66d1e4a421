/**
 * Reads one content block of the assistant into a part of the common form. Whole answers, starts of
 * streamed blocks and earlier turns of a request are all read here.
 */
import type { NativeFields, Part } from '#providers/form.ts';
import { isRecord, otherMembers, recordOf, textOf, type JsonRecord } from '#providers/json.ts';
import { readCitations } from './citations.ts';
import { DIALECT, nativeOf, OUTPUT_TOOL } from './native.ts';

const CALL_MEMBERS: ReadonlySet<string> = new Set([
  'type',
  'id',
  'name',
  'input',
  'caller',
  'cache_control',
]);

const HOSTED_CALL_MEMBERS: ReadonlySet<string> = new Set(['id', 'name', 'input', 'cache_control']);

const RESULT_MEMBERS: ReadonlySet<string> = new Set([
  'tool_use_id',
  'content',
  'is_error',
  'cache_control',
]);

const RESULT_SUFFIX = '_tool_result';

/** The part that a block of an assistant's turn is. Never loses one: what is unknown stays raw. */
export function readAssistantBlock(block: JsonRecord): Part {
  const type = textOf(block['type']) ?? '';
  switch (type) {
    case 'text':
      return readText(block);
    case 'thinking':
      return readThinking(block);
    case 'redacted_thinking':
      return {
        type: 'reasoning',
        text: '',
        summary: false,
        encrypted: textOf(block['data']) ?? '',
        native: { [DIALECT]: {} },
      };
    case 'tool_use':
      return readCall(block);
    case 'server_tool_use':
    case 'mcp_tool_use':
      return readHostedCall(block);
    default:
      return type.endsWith(RESULT_SUFFIX) ? readHostedResult(block, type) : rawPart(block, type);
  }
}

function readText(block: JsonRecord): Part {
  const citations = readCitations(block['citations']);
  const text = textOf(block['text']) ?? '';
  return { type: 'text', text, ...(citations.length === 0 ? {} : { citations }) };
}

function readThinking(block: JsonRecord): Part {
  const signature = textOf(block['signature']);
  return {
    type: 'reasoning',
    text: textOf(block['thinking']) ?? '',
    summary: false,
    ...(signature === undefined ? {} : { signature }),
    native: { [DIALECT]: {} },
  };
}

function readCall(block: JsonRecord): Part {
  const { input } = block;
  const name = textOf(block['name']) ?? '';
  const json = typeof input === 'string' ? input : JSON.stringify(input ?? {});
  if (name === OUTPUT_TOOL) return { type: 'text', text: json };
  const id = textOf(block['id']);
  const native = callNative(block);
  return {
    type: 'tool_call',
    id: id ?? 'toolu_omnix',
    ...(id === undefined ? { idIsOurs: true } : {}),
    name,
    arguments: json,
    format: 'json',
    ...(native === undefined ? {} : { native }),
  };
}

/** Who called, unless it was the model itself, and members that only some tools have. */
export function callNative(block: JsonRecord): NativeFields | undefined {
  const { caller } = block;
  const direct = !isRecord(caller) || caller['type'] === 'direct';
  return nativeOf({ ...otherMembers(block, CALL_MEMBERS), ...(direct ? {} : { caller }) });
}

function readHostedCall(block: JsonRecord): Part {
  return {
    type: 'hosted_tool_call',
    id: textOf(block['id']) ?? '',
    tool: textOf(block['name']) ?? '',
    input: block['input'] ?? {},
    native: { [DIALECT]: otherMembers(block, HOSTED_CALL_MEMBERS) },
  };
}

function readHostedResult(block: JsonRecord, type: string): Part {
  const content = block['content'];
  const failed =
    block['is_error'] === true || textOf(recordOf(content)['error_code']) !== undefined;
  return {
    type: 'hosted_tool_result',
    callId: textOf(block['tool_use_id']) ?? '',
    tool: type.slice(0, -RESULT_SUFFIX.length),
    output: content,
    ...(failed ? { isError: true } : {}),
    native: {
      [DIALECT]: {
        ...otherMembers(block, RESULT_MEMBERS),
        ...('is_error' in block ? { is_error: block['is_error'] } : {}),
      },
    },
  };
}

/** Compaction, fallback and whatever comes: the whole block, to go back as it came. */
function rawPart(block: JsonRecord, type: string): Part {
  return {
    type: 'hosted_tool_result',
    callId: textOf(block['tool_use_id']) ?? '',
    tool: type,
    output: block,
    native: { [DIALECT]: { block } },
  };
}
