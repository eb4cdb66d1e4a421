/**
 * Reads a stream of the OpenAI chat family into events of the common form. The family tells only
 * deltas; where a part begins and ends has to be inferred, per choice, from what grows
 * (`choice-stream.ts`).
 */
import type { ChatEvent } from '#providers/form.ts';
import { isRecord, listOf, numberOf, otherMembers, parseJson, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import type { ChatStreamDecoder } from '#providers/provider.ts';
import { choiceStream } from './choice-stream.ts';
import type { ChoiceStream } from './choice-stream.ts';
import { nativeOf, readSources } from './content.ts';
import type { ChatHabits } from './habits.ts';
import { readComplaint } from './pass-through.ts';
import { readUsage } from './usage.ts';

const CHUNK_MEMBERS = new Set([
  'id',
  'object',
  'created',
  'model',
  'choices',
  'usage',
  'obfuscation',
]);

/**
 * A decoder for one stream. `push` takes events as they come, `[DONE]` too; `end` closes what is
 * still open, without making up a finish that the upstream did not send. Nothing comes after a
 * complaint.
 */
export function streamDecoder(habits: ChatHabits): ChatStreamDecoder {
  const choices = new Map<number, ChoiceStream>();
  let started = false;
  let answerId = '';
  let over = false;

  /**
   * The first chunk that names itself starts: Azure sends a nameless one with filter results
   * before.
   */
  const start = (chunk: JsonRecord): readonly ChatEvent[] => {
    if (started) return [];
    const id = textOf(chunk['id']);
    if (id === undefined && listOf(chunk['choices']).length === 0) return [];
    started = true;
    answerId = id ?? '';
    const native = nativeOf(otherMembers(chunk, CHUNK_MEMBERS));
    return [
      {
        type: 'start',
        id: answerId,
        createdAt: Math.floor(numberOf(chunk['created']) ?? 0),
        model: textOf(chunk['model']) ?? '',
        ...(native === undefined ? {} : { native }),
      },
    ];
  };

  const pushChunk = (chunk: JsonRecord): readonly ChatEvent[] => {
    const events: ChatEvent[] = [...start(chunk)];
    const sources = readSources(chunk);
    for (const [position, choice] of listOf(chunk['choices']).entries()) {
      if (!isRecord(choice)) continue;
      const index = numberOf(choice['index']) ?? position;
      const stream = choices.get(index) ?? choiceStream(index, answerId);
      choices.set(index, stream);
      events.push(...stream.push(choice, sources));
    }
    const usage = readUsage(chunk, habits.usage);
    if (usage !== null) events.push({ type: 'usage', usage });
    const complaint = readComplaint(chunk);
    if (complaint === null) return events;
    over = true;
    return [...events, ...closeAll(choices, false), { type: 'complaint', complaint }];
  };

  return {
    push(event) {
      if (over) return [];
      if (event.data === '[DONE]') {
        over = true;
        return closeAll(choices, true);
      }
      const chunk = parseJson(event.data);
      if (isRecord(chunk)) return pushChunk(chunk);
      over = true;
      const message = 'The provider sent an event that is not JSON.';
      return [
        ...closeAll(choices, false),
        { type: 'complaint', complaint: { code: 'malformed_event', message, status: null } },
      ];
    },
    end() {
      if (over) return [];
      over = true;
      return closeAll(choices, false);
    },
  };
}

function closeAll(choices: ReadonlyMap<number, ChoiceStream>, done: boolean): readonly ChatEvent[] {
  return [...choices.values()].flatMap((choice) => choice.close(done));
}
