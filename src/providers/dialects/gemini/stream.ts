/**
 * Reads a stream of streamGenerateContent (SSE) into events of the common form. There is no last
 * event by name: an answer is whole when its candidates have a finish reason, and a stream without
 * one was cut off.
 */
import type { Usage } from '#wire/usage.ts';
import type { ChatEvent } from '#providers/form.ts';
import { isRecord, listOf, numberOf, parseJson, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import type { ChatStreamDecoder } from '#providers/provider.ts';
import { candidateStream } from './candidate-stream.ts';
import type { CandidateStream } from './candidate-stream.ts';
import { readComplaint } from './complaint.ts';
import { blockReasonOf, createdAtOf } from './decode.ts';
import { blockedFinish } from './finish.ts';
import { readUsage, serviceTierOf } from './usage.ts';

/** A decoder for one stream. Nothing comes after a complaint. */
export function streamDecoder(): ChatStreamDecoder {
  const candidates = new Map<number, CandidateStream>();
  let answerId: string | null = null;
  const usage = usageStream();
  let over = false;

  const closeAll = (): readonly ChatEvent[] =>
    [...candidates.values()].flatMap((candidate) => candidate.close());

  const start = (answer: JsonRecord, events: ChatEvent[]): string => {
    if (answerId !== null) return answerId;
    answerId = textOf(answer['responseId']) ?? '';
    const model = textOf(answer['modelVersion']) ?? '';
    events.push({ type: 'start', id: answerId, createdAt: createdAtOf(answer), model });
    return answerId;
  };

  const pushAnswer = (answer: JsonRecord): readonly ChatEvent[] => {
    const events: ChatEvent[] = [];
    const id = start(answer, events);
    for (const [position, candidate] of listOf(answer['candidates']).entries()) {
      if (!isRecord(candidate)) continue;
      const index = numberOf(candidate['index']) ?? position;
      const stream = candidates.get(index) ?? candidateStream(index, id);
      candidates.set(index, stream);
      for (const event of stream.push(candidate)) events.push(event);
    }
    const blocked = blockReasonOf(answer);
    if (blocked !== undefined && candidates.size === 0) {
      candidates.set(0, candidateStream(0, id));
      events.push({ type: 'finish', choice: 0, finish: blockedFinish(blocked) });
    }
    const stated = usage.push(answer);
    const serviceTier = serviceTierOf(answer['usageMetadata']);
    const tier = serviceTier === undefined ? {} : { serviceTier };
    if (stated !== null) events.push({ type: 'usage', usage: stated, ...tier });
    return events;
  };

  const complain = (body: unknown): readonly ChatEvent[] => {
    over = true;
    const complaint = readComplaint(body) ?? {
      code: 'malformed_event',
      message: 'The provider sent an event that is not JSON.',
      status: null,
    };
    return [...closeAll(), { type: 'complaint', complaint }];
  };

  return {
    push(event) {
      if (over || event.data === '[DONE]') return [];
      const answer = parseJson(event.data);
      if (!isRecord(answer) || isRecord(answer['error'])) return complain(answer);
      return pushAnswer(answer);
    },
    end() {
      if (over) return [];
      over = true;
      return closeAll();
    },
  };
}

/** Reading every event's numbers would cost more than all the rest of it. */
const EVENTS_PER_READING = 8;

interface UsageStream {
  /** The usage so far; null where there is none or it need not be told yet. */
  push(answer: JsonRecord): Usage | null;
}

/**
 * Every event states the usage so far, and a later one may leave out what an earlier one said. It
 * is told with the first event, with the last, and now and then between, for whoever breaks off.
 */
function usageStream(): UsageStream {
  let native: JsonRecord = {};
  let unread = EVENTS_PER_READING;
  return {
    push(answer) {
      const said = answer['usageMetadata'];
      if (!isRecord(said)) return null;
      native = { ...native, ...said };
      unread += 1;
      if (unread < EVENTS_PER_READING && !isLast(answer)) return null;
      unread = 0;
      return readUsage(native);
    },
  };
}

/** Whether a candidate ends, or none speaks: then these numbers may be the last. */
function isLast(answer: JsonRecord): boolean {
  const candidates = listOf(answer['candidates']);
  return candidates.length === 0 || candidates.some((one) => 'finishReason' in recordOf(one));
}
