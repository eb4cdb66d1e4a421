/** Whatever an upstream sends, reading it neither throws nor leaves a part open. */
import {
  anything,
  array,
  assert,
  constantFrom,
  integer,
  oneof,
  property,
  record,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventsOf, partFaults } from '#testing/chat-forms.ts';
import { openAiResponses } from './codec.ts';

const { codec } = openAiResponses;

const item = oneof(
  anything(),
  record(
    {
      type: constantFrom('message', 'reasoning', 'function_call', 'mcp_call', 'unheard_of'),
      id: constantFrom('i', 7),
      call_id: constantFrom('c', null),
      arguments: constantFrom('{}', {}, null),
      content: oneof(anything(), array(oneof(anything(), record({ text: constantFrom('t', 1) })))),
      summary: oneof(anything(), array(oneof(anything(), record({ text: constantFrom('s', 1) })))),
      encrypted_content: constantFrom('blob', 1),
    },
    { requiredKeys: [] },
  ),
);

const response = record({
  id: constantFrom('r', 1),
  status: constantFrom('completed', 'incomplete', 'failed', 'queued', 9),
  output: array(item),
  usage: oneof(anything(), record({ input_tokens: anything(), output_tokens: anything() })),
  error: anything(),
});

const TYPES = [
  'response.created',
  'response.output_item.added',
  'response.output_text.delta',
  'response.output_text.done',
  'response.output_text.annotation.added',
  'response.refusal.delta',
  'response.refusal.done',
  'response.reasoning_summary_text.delta',
  'response.reasoning_summary_text.done',
  'response.reasoning_text.delta',
  'response.function_call_arguments.delta',
  'response.custom_tool_call_input.delta',
  'response.output_item.done',
  'response.completed',
  'response.failed',
  'error',
  'unheard_of',
] as const;

const event = record(
  {
    type: constantFrom(...TYPES),
    output_index: oneof(integer({ min: 0, max: 2 }), anything()),
    content_index: integer({ min: 0, max: 1 }),
    delta: oneof(constantFrom('x', ''), anything()),
    text: oneof(constantFrom('whole'), anything()),
    annotation: oneof(anything(), record({ url: constantFrom('https://a.example') })),
    item,
    response: oneof(response, anything()),
  },
  { requiredKeys: ['type'] },
);

describe('a hostile upstream', () => {
  it('breaks no stream: parts are dense, open once and close once', () => {
    assert(
      property(array(event, { maxLength: 12 }), (events) => {
        expect(partFaults(eventsOf(codec, events))).toEqual([]);
      }),
    );
  });

  it('breaks no answer', () => {
    assert(
      property(response, (body) => {
        expect(codec.decode(body).choices).toHaveLength(1);
        codec.readComplaint?.(body);
      }),
    );
  });
});
