/**
 * An answer that lacks anything is a failure, and a right one is not, however it was cut into
 * reads.
 */
import { describe, expect, it } from 'vitest';

import { createAnswerCheck } from './answer-check.ts';
import { WORKLOADS } from './workloads.ts';

const STREAM = { ...WORKLOADS.stream_100, eventsMin: 3 };
const EVENTS = 'data: {"a":1}\n\ndata: {"b":2}\n\ndata: [DONE]\n\n';

function check(workload: typeof STREAM, status: number, pieces: readonly string[]) {
  const answer = createAnswerCheck(workload);
  answer.onHead(status);
  for (const piece of pieces) answer.onBody(Buffer.from(piece));
  return { verdict: answer.verdict(), events: answer.events() };
}

describe('a stream', () => {
  it('is right with every event and the end mark, cut anywhere', () => {
    for (let cut = 0; cut <= EVENTS.length; cut += 1) {
      const pieces = [EVENTS.slice(0, cut), EVENTS.slice(cut)].filter((piece) => piece !== '');
      expect(check(STREAM, 200, pieces)).toEqual({ verdict: null, events: 3 });
    }
  });

  it('is wrong without its end mark, with an event too few, or with another status', () => {
    expect(check(STREAM, 200, [EVENTS.replace('[DONE]', '{}')]).verdict).toBe('no [DONE]');
    expect(check(STREAM, 200, [EVENTS.slice(15)]).verdict).toBe('events are missing');
    expect(check(STREAM, 502, [EVENTS]).verdict).toBe('status 502');
  });
});

describe('a JSON answer', () => {
  it('must be a completion with usage', () => {
    const right = '{"object":"chat.completion","usage":{"completion_tokens":1}}';
    expect(check(WORKLOADS.small, 200, [right.slice(0, 9), right.slice(9)]).verdict).toBe(null);
    expect(check(WORKLOADS.small, 200, ['{"error":{}}']).verdict).toBe('not a completion');
    expect(check(WORKLOADS.small, 200, ['{"object":"chat.completion"}']).verdict).toBe('no usage');
    expect(check(WORKLOADS.small, 500, [right]).verdict).toBe('status 500');
  });
});
