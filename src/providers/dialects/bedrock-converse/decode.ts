/** Reads a whole answer of Converse into the common form. */
import type { ChatAnswer, Part } from '#providers/form.ts';
import { isRecord, listOf, otherMembers, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { hostedCall, hostedResult, isServerTool, mediaSource, toCitation } from './blocks.ts';
import { toFinish } from './finish.ts';
import { nativeOf, OUTPUT_TOOL, OWN } from './native.ts';
import { readUsage } from './usage.ts';

/** Members of the body that have a word in the common form. */
const BODY_MEMBERS = new Set(['output', 'stopReason', 'usage', 'serviceTier']);

/**
 * The answer in the common form. Converse gives neither an id nor a time nor the model's name.
 * Throws where no message stands.
 */
export function decode(body: unknown): ChatAnswer {
  const answer = recordOf(body);
  const message = recordOf(answer['output'])['message'];
  if (!isRecord(message)) throw new Error('the answer has no message');
  const others: unknown[] = [];
  const parts = listOf(message['content']).flatMap((block) => readBlock(recordOf(block), others));
  const said = textOf(answer['stopReason']);
  const calls = parts.some((part) => part.type === 'tool_call');
  const native = others.length === 0 ? undefined : nativeOf({ content: others });
  const serviceTier = textOf(recordOf(answer['serviceTier'])['type']);
  return {
    id: '',
    createdAt: 0,
    model: '',
    choices: [
      {
        index: 0,
        parts,
        finish: said === undefined ? null : toFinish(said, calls),
        ...(native === undefined ? {} : { native }),
      },
    ],
    usage: readUsage(answer['usage']) ?? {
      buckets: {},
      source: 'none',
      flags: ['missing'],
      native: null,
    },
    ...(serviceTier === undefined ? {} : { serviceTier }),
    native: nativeOf(otherMembers(answer, BODY_MEMBERS)) ?? {},
  };
}

/** The parts of one block. What has no word in the common form is kept in `others`. */
function readBlock(block: JsonRecord, others: unknown[]): readonly Part[] {
  const { text, toolUse, toolResult, reasoningContent, citationsContent } = block;
  if (typeof text === 'string') return text === '' ? [] : [{ type: 'text', text }];
  if (isRecord(toolUse)) return [readCall(toolUse)];
  if (isRecord(toolResult)) return [hostedResult(toolResult, toolResult['content'])];
  if (isRecord(reasoningContent)) return readReasoning(reasoningContent);
  if (isRecord(citationsContent)) return readCited(citationsContent);
  const media = readMedia(block);
  if (media === null) others.push(block);
  return media === null ? [] : [media];
}

function readCall(block: JsonRecord): Part {
  if (isServerTool(block)) return hostedCall(block, block['input']);
  const written = JSON.stringify(block['input'] ?? {});
  // A model that breaks its own form gives the arguments as text.
  const input = typeof block['input'] === 'string' ? block['input'] : written;
  const name = textOf(block['name']) ?? '';
  if (name === OUTPUT_TOOL) return { type: 'text', text: input };
  const id = textOf(block['toolUseId']) ?? '';
  return { type: 'tool_call', id, name, arguments: input, format: 'json' };
}

function readReasoning(block: JsonRecord): readonly Part[] {
  const redacted = textOf(block['redactedContent']);
  if (redacted !== undefined) {
    return [{ type: 'reasoning', text: '', summary: false, encrypted: redacted, native: OWN }];
  }
  const said = recordOf(block['reasoningText']);
  const text = textOf(said['text']) ?? '';
  const signature = textOf(said['signature']);
  if (text === '' && signature === undefined) return [];
  const signed = signature === undefined ? {} : { signature };
  return [{ type: 'reasoning', text, summary: false, ...signed, native: OWN }];
}

function readCited(block: JsonRecord): readonly Part[] {
  const text = listOf(block['content'])
    .map((piece) => textOf(recordOf(piece)['text']) ?? '')
    .join('');
  const citations = listOf(block['citations']).map((said) => toCitation(said, text.length));
  return [{ type: 'text', text, ...(citations.length === 0 ? {} : { citations }) }];
}

function readMedia(block: JsonRecord): Part | null {
  for (const type of ['image', 'audio', 'video'] as const) {
    const said = block[type];
    const source = isRecord(said) ? mediaSource(said, type) : null;
    if (source !== null) return { type, source };
  }
  return null;
}
