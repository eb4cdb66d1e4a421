/** Whatever an upstream sends, reading it neither throws nor leaves a part open. */
import {
  anything,
  array,
  assert,
  constantFrom,
  dictionary,
  integer,
  oneof,
  property,
  record,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventsOf, partFaults } from '#testing/chat-forms.ts';
import { cohereChat } from './codec.ts';

const TYPES = [
  'message-start',
  'content-start',
  'content-delta',
  'content-end',
  'tool-plan-delta',
  'tool-call-start',
  'tool-call-delta',
  'tool-call-end',
  'citation-start',
  'message-end',
  'unheard-of',
] as const;

const piece = oneof(
  anything(),
  record(
    { text: constantFrom('a', '🦎', ''), thinking: constantFrom('b', null) },
    { requiredKeys: [] },
  ),
  record({
    id: constantFrom('c', 1),
    function: record({ name: constantFrom('f'), arguments: constantFrom('nul', '{}') }),
  }),
);
const message = dictionary(constantFrom('content', 'tool_plan', 'tool_calls', 'citations'), piece);
const event = record({
  type: constantFrom(...TYPES),
  index: oneof(integer({ min: 0, max: 2 }), anything()),
  delta: oneof(
    anything(),
    record({ message, finish_reason: constantFrom('COMPLETE', 'ERROR', 3) }),
  ),
});

describe('a hostile upstream', () => {
  it('breaks no stream: parts are dense, open once and close once', () => {
    assert(
      property(array(event, { maxLength: 12 }), (events) => {
        expect(partFaults(eventsOf(cohereChat.codec, events))).toEqual([]);
      }),
    );
  });

  it('breaks no answer', () => {
    const answer = record({
      message: dictionary(
        constantFrom('content', 'tool_plan', 'tool_calls', 'citations'),
        oneof(piece, array(piece)),
      ),
      finish_reason: anything(),
      usage: oneof(anything(), record({ billed_units: anything(), tokens: anything() })),
      logprobs: anything(),
    });
    assert(
      property(answer, (body) => {
        expect(cohereChat.codec.decode(body).choices).toHaveLength(1);
        cohereChat.codec.readComplaint?.(body);
      }),
    );
  });
});
