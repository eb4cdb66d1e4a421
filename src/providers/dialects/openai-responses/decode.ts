/** Reads a whole response into the common form: one choice, its items as parts in their order. */
import type { ChatAnswer, Part } from '#providers/form.ts';
import { isRecord, listOf, numberOf, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { toFinish } from './finish.ts';
import {
  argumentsOf,
  callOf,
  encryptedPart,
  hostedParts,
  idOf,
  toCitations,
  toLogprobs,
} from './items.ts';
import { OWN } from './native.ts';
import { readUsage } from './usage.ts';

/** Throws where the body has no output: then it is no response. */
export function decode(body: unknown): ChatAnswer {
  const response = recordOf(body);
  if (!Array.isArray(response['output'])) throw new TypeError('A response has an output.');
  const items = listOf(response['output']).filter(isRecord);
  const parts = items.flatMap(partsOf);
  const logprobs = toLogprobs(items.flatMap(logprobsOf));
  const calls = parts.some((part) => part.type === 'tool_call');
  const serviceTier = textOf(response['service_tier']);
  return {
    id: textOf(response['id']) ?? '',
    createdAt: Math.floor(numberOf(response['created_at']) ?? 0),
    model: textOf(response['model']) ?? '',
    choices: [
      {
        index: 0,
        parts,
        finish: toFinish(response, calls),
        ...(logprobs === undefined ? {} : { logprobs }),
      },
    ],
    usage: readUsage(response['usage']) ?? {
      buckets: {},
      source: 'none',
      flags: ['missing'],
      native: null,
    },
    ...(serviceTier === undefined ? {} : { serviceTier }),
    native: {},
  };
}

function partsOf(item: JsonRecord): readonly Part[] {
  if (item['type'] === 'message') return listOf(item['content']).map(recordOf).flatMap(saidPart);
  if (item['type'] === 'reasoning') return reasoningParts(item);
  const call = callOf(item);
  return call === null ? hostedParts(item) : [{ ...call, arguments: argumentsOf(item) }];
}

function saidPart(content: JsonRecord): readonly Part[] {
  const refusal = textOf(content['refusal']);
  if (refusal !== undefined) return [{ type: 'refusal', text: refusal }];
  const text = textOf(content['text']);
  if (text === undefined) return [];
  const citations = toCitations(content['annotations']);
  return [{ type: 'text', text, ...(citations.length === 0 ? {} : { citations }) }];
}

function reasoningParts(item: JsonRecord): readonly Part[] {
  const told = (texts: unknown, summary: boolean): readonly Part[] =>
    listOf(texts).flatMap((said) => {
      const text = textOf(recordOf(said)['text']);
      if (text === undefined) return [];
      return [{ type: 'reasoning', text, summary, ...idOf(item), native: OWN }];
    });
  const encrypted = encryptedPart(item);
  return [
    ...told(item['summary'], true),
    ...told(item['content'], false),
    ...(encrypted === null ? [] : [encrypted]),
  ];
}

function logprobsOf(item: JsonRecord): readonly unknown[] {
  if (item['type'] !== 'message') return [];
  return listOf(item['content']).flatMap((content) => listOf(recordOf(content)['logprobs']));
}
