/** Reads a whole answer of Cohere's v2 chat into the common form. */
import type { ChatAnswer, Citation, Part } from '#providers/form.ts';
import { isRecord, listOf, numberOf, otherMembers, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { isOfText, toCitations, wideCharacters } from './citations.ts';
import { toFinish } from './finish.ts';
import { COHERE, OWN, PLAN_ID } from './native.ts';
import { callArguments, toLogprobs } from './pieces.ts';
import { readUsage } from './usage.ts';

const BODY_MEMBERS = new Set(['id', 'message', 'finish_reason', 'usage', 'logprobs']);
const MESSAGE_MEMBERS = new Set(['role', 'content', 'tool_plan', 'tool_calls', 'citations']);

/**
 * The answer in the common form. Cohere names neither the model nor a time. Throws where the body
 * has no message: then it is no answer.
 */
export function decode(body: unknown): ChatAnswer {
  const answer = recordOf(body);
  const message = answer['message'];
  if (!isRecord(message)) throw new TypeError('An answer of Cohere has a message.');
  const logprobs = toLogprobs(answer['logprobs']);
  const native = nativeOf(message);
  return {
    id: textOf(answer['id']) ?? '',
    createdAt: 0,
    model: '',
    choices: [
      {
        index: 0,
        parts: partsOf(message),
        finish: toFinish(answer['finish_reason']),
        ...(logprobs === undefined ? {} : { logprobs }),
        ...(Object.keys(native).length === 0 ? {} : { native: { [COHERE]: native } }),
      },
    ],
    usage: readUsage(answer['usage']) ?? {
      buckets: {},
      source: 'none',
      flags: ['missing'],
      native: null,
    },
    native: { [COHERE]: otherMembers(answer, BODY_MEMBERS) },
  };
}

/** Members without a word in the form; citations of anything but text have no place in it. */
function nativeOf(message: JsonRecord): JsonRecord {
  const citations = listOf(message['citations'])
    .filter(isRecord)
    .filter((said) => !isOfText(said));
  const others = otherMembers(message, MESSAGE_MEMBERS);
  return citations.length === 0 ? others : { ...others, citations };
}

function partsOf(message: JsonRecord): readonly Part[] {
  const parts: Part[] = [];
  const plan = textOf(message['tool_plan']);
  if (plan !== undefined) {
    parts.push({ type: 'reasoning', text: plan, summary: false, id: PLAN_ID, native: OWN });
  }
  parts.push(...contentParts(message));
  for (const [position, said] of listOf(message['tool_calls']).entries()) {
    parts.push(callPart(recordOf(said), position));
  }
  return parts;
}

function contentParts(message: JsonRecord): readonly Part[] {
  const plain = textOf(message['content']);
  const blocks = plain === undefined ? listOf(message['content']) : [{ text: plain }];
  const citations = listOf(message['citations']).filter(isRecord).filter(isOfText);
  const firstText = blocks.findIndex((block) => textOf(recordOf(block)['text']) !== undefined);
  return blocks.map(recordOf).flatMap((block, index): readonly Part[] => {
    const thinking = textOf(block['thinking']);
    if (thinking !== undefined) {
      return [{ type: 'reasoning', text: thinking, summary: false, native: OWN }];
    }
    const text = textOf(block['text']);
    if (text === undefined) return [];
    const own = citations.filter((said) => blockOf(said, blocks, firstText) === index);
    return [textPart(text, own)];
  });
}

/** The block that a citation stands on: the one that it names, if that is text, else the first. */
function blockOf(said: JsonRecord, blocks: readonly unknown[], firstText: number): number {
  const index = numberOf(said['content_index']);
  if (index === undefined) return firstText;
  return textOf(recordOf(blocks[index])['text']) === undefined ? firstText : index;
}

function textPart(text: string, said: readonly JsonRecord[]): Part {
  if (said.length === 0) return { type: 'text', text };
  const wide = wideCharacters();
  wide.push(text);
  const citations: readonly Citation[] = said.flatMap((each) => toCitations(each, wide));
  return { type: 'text', text, citations };
}

function callPart(call: JsonRecord, position: number): Part {
  const said = recordOf(call['function']);
  const id = textOf(call['id']);
  return {
    type: 'tool_call',
    id: id ?? `call_${position}`,
    ...(id === undefined ? { idIsOurs: true } : {}),
    name: textOf(said['name']) ?? '',
    arguments: callArguments(textOf(said['arguments']) ?? ''),
    format: 'json',
  };
}
