/** Reads a whole Messages answer into the common form. */
import type { ChatAnswer, Part } from '#providers/form.ts';
import { isRecord, otherMembers, recordOf, textOf, type JsonRecord } from '#providers/json.ts';
import { toFinish } from './finish.ts';
import { readAssistantBlock } from './read-block.ts';
import { NO_USAGE, readUsageObject } from './usage.ts';
import { nativeOf, OUTPUT_TOOL } from './native.ts';

/** Members that have a word in the common form, or say nothing. */
const ANSWER_MEMBERS: ReadonlySet<string> = new Set([
  'id',
  'type',
  'role',
  'model',
  'content',
  'usage',
  'stop_reason',
]);

/**
 * The answer in the common form. Throws where the body is no message at all; a message's own
 * oddities never throw.
 */
export function decode(body: unknown): ChatAnswer {
  const answer = recordOf(body);
  const { content } = answer;
  if (!Array.isArray(content)) throw new Error('The body has no list of content blocks.');
  const blocks = content.filter(isRecord);
  const parts = blocks.map(readAssistantBlock);
  const refusal = refusalPart(answer['stop_details']);
  if (refusal !== null) parts.push(refusal);
  const finish = toFinish(answer['stop_reason'], callsOnlyOutputTool(blocks));
  const usage = readUsageObject(answer['usage']) ?? NO_USAGE;
  const serviceTier = textOf(recordOf(answer['usage'])['service_tier']);
  return {
    id: textOf(answer['id']) ?? '',
    createdAt: 0,
    model: textOf(answer['model']) ?? '',
    choices: [{ index: 0, parts, finish }],
    usage,
    ...(serviceTier === undefined ? {} : { serviceTier }),
    native: nativeOf(otherMembers(answer, ANSWER_MEMBERS)) ?? {},
  };
}

/** What the upstream says of a refusal of its own accord; null where it says nothing. */
export function refusalPart(details: unknown): Part | null {
  const record = recordOf(details);
  const text = record['type'] === 'refusal' ? textOf(record['explanation']) : undefined;
  return text === undefined ? null : { type: 'refusal', text };
}

function callsOnlyOutputTool(blocks: readonly JsonRecord[]): boolean {
  const calls = blocks.filter((block) => block['type'] === 'tool_use');
  return calls.length > 0 && calls.every((call) => call['name'] === OUTPUT_TOOL);
}
