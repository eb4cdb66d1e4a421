/**
 * A response and its stream must say the same: the stream is made here from the answer, in the
 * order in which OpenAI sends events, so the two cannot drift apart.
 */
import { describe, expect, it } from 'vitest';
import type { ChatEvent, Part } from '#providers/form.ts';
import { isRecord, listOf, recordOf, type JsonRecord } from '#providers/json.ts';
import { openAiResponses } from './codec.ts';

const { codec } = openAiResponses;

const RESPONSE = {
  id: 'resp_1',
  object: 'response',
  created_at: 1_795_000_000,
  model: 'gpt-pro',
  status: 'completed',
  service_tier: 'default',
  error: null,
  incomplete_details: null,
  output: [
    {
      id: 'rs_1',
      type: 'reasoning',
      summary: [
        { type: 'summary_text', text: 'First look.' },
        { type: 'summary_text', text: 'Then tell.' },
      ],
      encrypted_content: 'blob',
    },
    { id: 'ws_1', type: 'web_search_call', status: 'completed', action: { query: 'geckos' } },
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      content: [
        {
          type: 'output_text',
          text: 'Größe zählt: 🦎.',
          annotations: [
            {
              type: 'url_citation',
              url: 'https://a.example',
              title: 'A',
              start_index: 0,
              end_index: 5,
            },
          ],
          logprobs: [{ token: 'G', logprob: -0.1, bytes: [71], top_logprobs: [] }],
        },
        { type: 'refusal', refusal: 'No more.' },
      ],
    },
    { id: 'fc_1', type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{"x":"é"}' },
    { id: 'fc_2', type: 'custom_tool_call', call_id: 'call_2', name: 'c', input: 'x + y' },
  ],
  usage: {
    input_tokens: 40,
    input_tokens_details: { cached_tokens: 30 },
    output_tokens: 20,
    output_tokens_details: { reasoning_tokens: 12 },
    total_tokens: 60,
  },
};

/** What OpenAI sends while an item grows. */
function grow(item: JsonRecord, at: number): readonly JsonRecord[] {
  const place = { output_index: at, item_id: item['id'] };
  const delta = (type: string, text: unknown, more: object = {}): readonly JsonRecord[] =>
    [...String(text).matchAll(/.{1,4}/gsu)].map(([piece]) => ({
      type: `response.${type}.delta`,
      ...place,
      ...more,
      delta: piece,
    }));
  const summaries = listOf(item['summary']).flatMap((said, summary_index) =>
    delta('reasoning_summary_text', recordOf(said)['text'], { summary_index }),
  );
  const contents = listOf(item['content'])
    .map(recordOf)
    .flatMap((said, content_index): readonly JsonRecord[] => {
      if (said['type'] === 'refusal') return delta('refusal', said['refusal'], { content_index });
      const [first = {}, ...rest] = delta('output_text', said['text'], { content_index });
      const annotations = listOf(said['annotations']).map((annotation) => ({
        type: 'response.output_text.annotation.added',
        ...place,
        content_index,
        annotation,
      }));
      return [{ ...first, logprobs: said['logprobs'] }, ...rest, ...annotations];
    });
  return [
    { type: 'response.output_item.added', ...place, item: { ...item, arguments: '', input: '' } },
    ...summaries,
    ...contents,
    ...delta('function_call_arguments', item['arguments'] ?? ''),
    ...delta('custom_tool_call_input', item['input'] ?? ''),
    { type: 'response.output_item.done', ...place, item },
  ];
}

function eventsOf(response: JsonRecord): readonly JsonRecord[] {
  const { output, usage: _usage, ...begun } = response;
  const created = { ...begun, status: 'in_progress', output: [] };
  return [
    { type: 'response.created', response: created },
    { type: 'response.in_progress', response: created },
    ...listOf(output).filter(isRecord).flatMap(grow),
    { type: 'response.completed', response },
  ];
}

function decode(events: readonly unknown[]): readonly ChatEvent[] {
  const decoder = codec.stream();
  const told = events.flatMap((event) =>
    decoder.push({ event: null, data: JSON.stringify(event) }),
  );
  return [...told, ...decoder.end()];
}

/** The parts that a stream adds up to. */
function partsOf(events: readonly ChatEvent[]): readonly Part[] {
  const parts: Part[] = [];
  for (const event of events) {
    if (event.type === 'part_start') parts[event.part] = event.value;
    if (!('part' in event)) continue;
    const part = parts[event.part];
    if (part === undefined) throw new Error('a part that never began');
    if (event.type === 'citation' && part.type === 'text') {
      parts[event.part] = { ...part, citations: [...(part.citations ?? []), event.citation] };
    }
    if (!('text' in event)) continue;
    if (part.type === 'tool_call') {
      parts[event.part] = { ...part, arguments: part.arguments + event.text };
    } else if ('text' in part) parts[event.part] = { ...part, text: part.text + event.text };
  }
  return parts;
}

describe('a response', () => {
  const answer = codec.decode(RESPONSE);

  it('is read with everything that it says', () => {
    expect(answer).toMatchObject({
      id: 'resp_1',
      createdAt: 1_795_000_000,
      model: 'gpt-pro',
      serviceTier: 'default',
      usage: { buckets: { input: 10, cache_read: 30, output: 8, reasoning: 12 }, flags: [] },
    });
    expect(answer.usage.native).toBe(RESPONSE.usage);
    expect(answer.choices[0]?.finish).toEqual({ reason: 'tool_calls', native: 'completed' });
    expect(answer.choices[0]?.logprobs).toMatchObject({ content: [{ token: 'G' }] });
    expect(answer.choices[0]?.parts).toMatchObject([
      { type: 'reasoning', text: 'First look.', summary: true, id: 'rs_1' },
      { type: 'reasoning', text: 'Then tell.', summary: true, id: 'rs_1' },
      { type: 'reasoning', text: '', encrypted: 'blob', id: 'rs_1' },
      { type: 'hosted_tool_call', id: 'ws_1', tool: 'web_search', input: { query: 'geckos' } },
      { type: 'text', citations: [{ kind: 'url', title: 'A', start: 0, end: 5 }] },
      { type: 'refusal', text: 'No more.' },
      { type: 'tool_call', id: 'call_1', name: 'f', arguments: '{"x":"é"}', format: 'json' },
      { type: 'tool_call', id: 'call_2', name: 'c', arguments: 'x + y', format: 'text' },
    ]);
  });

  it('says the same in a stream', () => {
    const events = decode(eventsOf(RESPONSE));
    expect(partsOf(events)).toEqual(answer.choices[0]?.parts);
    const stopped = events.filter(({ type }) => type === 'part_stop').length;
    expect(stopped).toBe(events.filter(({ type }) => type === 'part_start').length);
    expect(events.slice(-2)).toEqual([
      { type: 'usage', usage: answer.usage, serviceTier: 'default' },
      { type: 'finish', choice: 0, finish: answer.choices[0]?.finish },
    ]);
  });

  it('says the same in a stream whose deltas were lost', () => {
    const events = eventsOf(RESPONSE).filter(
      ({ type }) => !String(type).endsWith('call_arguments.delta'),
    );
    expect(partsOf(decode(events))).toEqual(answer.choices[0]?.parts);
  });

  it('that was cut short anywhere never finishes', () => {
    const events = eventsOf(RESPONSE);
    for (let count = 0; count < events.length; count += 1) {
      const told = decode(events.slice(0, count));
      expect(told.filter(({ type }) => type === 'finish')).toEqual([]);
      const open = told.filter(({ type }) => type === 'part_start').length;
      expect(told.filter(({ type }) => type === 'part_stop').length).toBe(open);
    }
  });
});

describe('the end of a response', () => {
  const ended = (more: object): unknown =>
    codec.decode({ ...RESPONSE, output: [], ...more }).choices[0]?.finish;

  it('is its status, and the reason for an incomplete one', () => {
    const incomplete = (reason: string): object => ({
      status: 'incomplete',
      incomplete_details: { reason },
    });
    expect(ended({})).toEqual({ reason: 'stop', native: 'completed' });
    expect(ended(incomplete('max_output_tokens'))).toMatchObject({ reason: 'length' });
    expect(ended(incomplete('content_filter'))).toMatchObject({ reason: 'content_filter' });
    expect(ended({ status: 'in_progress' })).toBeNull();
  });

  it('may be a failure, in each of the forms that OpenAI has for it', () => {
    const error = { code: 'rate_limit_exceeded', message: 'Slow down.' };
    const complaint = { ...error, status: 429 };
    const failed = { ...RESPONSE, status: 'failed', error, usage: null };
    expect(codec.readComplaint?.(failed)).toEqual(complaint);
    expect(codec.readComplaint?.(RESPONSE)).toBeNull();
    const last = { type: 'complaint', complaint };
    expect(decode([{ type: 'response.failed', response: failed }]).at(-1)).toEqual(last);
    expect(decode([{ type: 'error', ...error, param: null }]).at(-1)).toEqual(last);
    expect(decode([{ type: 'error', error }]).at(-1)).toEqual(last);
    const decoder = codec.stream();
    expect(decoder.push({ event: null, data: '{' })).toMatchObject([{ type: 'complaint' }]);
  });
});
