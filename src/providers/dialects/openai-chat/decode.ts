/** Reads a whole answer of the OpenAI chat family into the common form. */
import type { ChatAnswer, ChatChoice, Citation, Part } from '#providers/form.ts';
import { isRecord, listOf, numberOf, otherMembers, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import {
  imageSource,
  nativeOf,
  ourCallId,
  plainReasoning,
  readAnnotations,
  readCall,
  readContent,
  readReasoningDetails,
  readSources,
} from './content.ts';
import { toFinish } from './finish.ts';
import type { ChatHabits } from './habits.ts';
import { readUsage } from './usage.ts';

/** Members of the body that have a word in the common form, or say nothing. */
const BODY_MEMBERS = new Set([
  'id',
  'object',
  'created',
  'model',
  'choices',
  'usage',
  'service_tier',
]);

const CHOICE_MEMBERS = new Set(['index', 'message', 'finish_reason', 'logprobs']);

const MESSAGE_MEMBERS = new Set([
  'role',
  'content',
  'refusal',
  'tool_calls',
  'function_call',
  'annotations',
  'audio',
  'images',
  'reasoning',
  'reasoning_content',
  'reasoning_details',
]);

/**
 * The answer in the common form. Never throws: what is not there is empty, what is not known is
 * kept under `native`. Whether a body is an answer at all, `readComplaint` has said before.
 */
export function decode(body: unknown, habits: ChatHabits): ChatAnswer {
  const answer = recordOf(body);
  const id = textOf(answer['id']) ?? '';
  const sources = readSources(answer);
  const serviceTier = textOf(answer['service_tier']);
  return {
    id,
    createdAt: Math.floor(numberOf(answer['created']) ?? 0),
    model: textOf(answer['model']) ?? '',
    choices: listOf(answer['choices']).map((choice, position) =>
      decodeChoice(recordOf(choice), { id, position, sources }),
    ),
    usage: readUsage(answer, habits.usage) ?? {
      buckets: {},
      source: 'none',
      flags: ['missing'],
      native: null,
    },
    ...(serviceTier === undefined ? {} : { serviceTier }),
    native: nativeOf(otherMembers(answer, BODY_MEMBERS)) ?? {},
  };
}

interface Place {
  readonly id: string;
  readonly position: number;
  readonly sources: readonly Citation[];
}

function decodeChoice(choice: JsonRecord, place: Place): ChatChoice {
  const message = recordOf(choice['message'] ?? choice['delta']);
  const index = numberOf(choice['index']) ?? place.position;
  const content = readContent(message['content']);
  const native = nativeOf({
    ...otherMembers(choice, CHOICE_MEMBERS),
    ...otherMembers(message, MESSAGE_MEMBERS),
    ...(content.others.length === 0 ? {} : { content_parts: content.others }),
  });
  const logprobs = choice['logprobs'];
  return {
    index,
    parts: [
      ...reasoningParts(message),
      ...contentParts(message, content.runs, place.sources),
      ...mediaParts(message),
      ...callParts(message, { ...place, position: index }),
    ],
    finish: toFinish(choice['finish_reason']),
    ...(logprobs === null || logprobs === undefined ? {} : { logprobs }),
    ...(native === undefined ? {} : { native }),
  };
}

function reasoningParts(message: JsonRecord): readonly Part[] {
  const details = readReasoningDetails(message);
  if (details.length > 0) {
    return details.map(({ key: _key, native, ...detail }) => ({
      type: 'reasoning',
      ...detail,
      native: { 'openai-chat': native },
    }));
  }
  const text = plainReasoning(message);
  return text === undefined ? [] : [{ type: 'reasoning', text, summary: false }];
}

function contentParts(
  message: JsonRecord,
  runs: ReturnType<typeof readContent>['runs'],
  sources: readonly Citation[],
): readonly Part[] {
  const citations = [...readAnnotations(message['annotations']), ...sources];
  const parts: Part[] = [];
  let lastText = -1;
  for (const run of runs) {
    if (run.kind === 'text') lastText = parts.length;
    parts.push(
      run.kind === 'text'
        ? { type: 'text', text: run.text }
        : { type: 'reasoning', text: run.text, summary: false },
    );
  }
  const cited = parts[lastText];
  if (cited?.type === 'text' && citations.length > 0) parts[lastText] = { ...cited, citations };
  const refusal = textOf(message['refusal']);
  if (refusal !== undefined) parts.push({ type: 'refusal', text: refusal });
  return parts;
}

function mediaParts(message: JsonRecord): readonly Part[] {
  const parts: Part[] = [];
  for (const image of listOf(message['images'])) {
    const source = imageSource(image);
    if (source !== null) parts.push({ type: 'image', source });
  }
  const audio = recordOf(message['audio']);
  const data = textOf(audio['data']);
  const id = textOf(audio['id']);
  // Snowflake sends an audio object with nothing in it (recordings of 2026-07).
  if (data === undefined && id === undefined) return parts;
  const transcript = textOf(audio['transcript']);
  const expiresAt = numberOf(audio['expires_at']);
  parts.push({
    type: 'audio',
    // The format is what the request asked for; the answer does not repeat it.
    source: { kind: 'base64', mediaType: 'application/octet-stream', data: data ?? '' },
    ...(id === undefined ? {} : { id }),
    ...(transcript === undefined ? {} : { transcript }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  });
  return parts;
}

function callParts(message: JsonRecord, place: Place): readonly Part[] {
  const legacy = message['function_call'];
  const named = isRecord(legacy) && textOf(legacy['name']) !== undefined;
  const calls = [
    ...listOf(message['tool_calls']),
    ...(named ? [{ function: legacy, function_call: true }] : []),
  ];
  return calls.map((call, position) => {
    const reading = readCall(call);
    const native = nativeOf(reading.native);
    return {
      type: 'tool_call',
      id: reading.id ?? ourCallId(place.id, place.position, position),
      ...(reading.id === undefined ? { idIsOurs: true } : {}),
      name: reading.name ?? '',
      arguments: reading.arguments,
      format: reading.format,
      ...(native === undefined ? {} : { native }),
    };
  });
}
