/** The oddities of Cohere's answers: a stream must say what the whole answer says, and no more. */
import { describe, expect, it } from 'vitest';
import type { ChatEvent, Citation } from '#providers/form.ts';
import { cohereChat } from './codec.ts';
import { readUsage } from './usage.ts';

const { codec } = cohereChat;

function decode(events: readonly unknown[]): readonly ChatEvent[] {
  const decoder = codec.stream();
  const data = events.map((event) => JSON.stringify(event));
  return [...data.flatMap((text) => decoder.push({ event: null, data: text })), ...decoder.end()];
}

const START = { type: 'message-start', id: 'a', delta: { message: { role: 'assistant' } } };
const content = (index: number, said: object): unknown => ({
  type: 'content-delta',
  index,
  delta: { message: { content: said } },
});
const call = (type: string, said: object): unknown => ({
  type,
  index: 0,
  delta: { message: { tool_calls: said } },
});
const END = { type: 'message-end', delta: { finish_reason: 'COMPLETE' } };

describe('citations', () => {
  const citation = {
    start: 2,
    end: 5,
    text: 'cat',
    sources: [
      { type: 'document', id: 'doc:1', document: { title: 'T', url: 'https://a.example' } },
      { type: 'tool', id: 't:0', tool_output: { content: 'x' } },
    ],
    type: 'TEXT_CONTENT',
  };
  const expected: readonly Partial<Citation>[] = [
    // The lizard counts once for Cohere and twice in UTF-16.
    { kind: 'url', url: 'https://a.example', title: 'T', documentIndex: 1, start: 3, end: 6 },
    { kind: 'document', title: 't:0', citedText: 'x', start: 3, end: 6 },
  ];

  it('stand in UTF-16 units, one for each source, in answers and streams alike', () => {
    const answer = codec.decode({
      id: 'a',
      message: { content: [{ type: 'text', text: '🦎 cat' }], citations: [citation] },
      finish_reason: 'COMPLETE',
    });
    expect(answer.choices[0]?.parts).toMatchObject([{ type: 'text', citations: expected }]);
    const told = decode([
      START,
      content(0, { text: '🦎 ' }),
      content(0, { text: 'cat' }),
      { type: 'content-end', index: 0 },
      { type: 'citation-start', index: 0, delta: { message: { citations: citation } } },
      END,
    ]);
    const cited = told.flatMap((event) => (event.type === 'citation' ? [event.citation] : []));
    expect(cited).toMatchObject(expected);
  });

  it('of the plan are kept aside: they stand on no text', () => {
    const citations = [{ ...citation, type: 'PLAN' }];
    const answer = codec.decode({
      message: { content: 'cat', citations },
      finish_reason: 'COMPLETE',
    });
    expect(answer.choices[0]?.parts).toEqual([{ type: 'text', text: 'cat' }]);
    expect(answer.choices[0]?.native).toEqual({ cohere: { citations } });
  });
});

describe('calls', () => {
  const start = call('tool-call-start', { id: 'c', function: { name: 'now', arguments: '' } });
  const args = (events: readonly ChatEvent[]): string =>
    events.map((event) => (event.type === 'arguments_delta' ? event.text : '')).join('');

  it.each([[[]], [['null']], [['n', 'ull']]])('without arguments (%j) have an object', (deltas) => {
    const grown = deltas.map((text) => call('tool-call-delta', { function: { arguments: text } }));
    const events = decode([START, start, ...grown, { type: 'tool-call-end', index: 0 }, END]);
    expect(args(events)).toBe('{}');
  });

  it('may all be numbered 0 and never end', () => {
    const one = call('tool-call-start', { id: 'a', function: { name: 'f', arguments: '{}' } });
    const two = call('tool-call-start', { id: 'b', function: { name: 'g', arguments: '' } });
    const events = decode([START, one, two, END]);
    const ids = events.flatMap((event) =>
      event.type === 'part_start' && event.value.type === 'tool_call' ? [event.value.id] : [],
    );
    expect(ids).toEqual(['a', 'b']);
    expect(args(events)).toBe('{}{}');
    expect(events.filter(({ type }) => type === 'part_stop')).toHaveLength(2);
  });

  it('that were cut short get no arguments that nobody wrote', () => {
    const events = decode([START, start]);
    expect(args(events)).toBe('');
    expect(events.map(({ type }) => type)).toEqual(['start', 'part_start', 'part_stop']);
  });
});

describe('failures', () => {
  it('end a stream with a complaint and no finish', () => {
    const end = { type: 'message-end', delta: { finish_reason: 'TIMEOUT' } };
    const events = decode([START, content(0, { text: 'Hal' }), end]);
    expect(events.map(({ type }) => type).slice(-2)).toEqual(['part_stop', 'complaint']);
    expect(events.at(-1)).toMatchObject({ complaint: { code: 'TIMEOUT', status: 504 } });
  });

  it('are seen in a whole answer and in a bare refusal under 200', () => {
    expect(codec.readComplaint?.({ message: {}, finish_reason: 'ERROR' })?.code).toBe('ERROR');
    expect(codec.readComplaint?.({ id: 'x', message: 'no' })).toMatchObject({ message: 'no' });
    expect(decode([{ id: 'x', message: 'no' }]).at(-1)).toMatchObject({ type: 'complaint' });
  });

  it('of the format itself are told', () => {
    const decoder = codec.stream();
    const [event] = decoder.push({ event: null, data: '{"type":"content-del' });
    expect(event).toMatchObject({ type: 'complaint', complaint: { code: 'malformed_event' } });
    expect(decoder.push({ event: null, data: JSON.stringify(END) })).toEqual([]);
    expect(() => codec.decode({ text: 'not an answer' })).toThrow(TypeError);
  });

  it('are not made of unknown events', () => {
    expect(decode([START, { type: 'debug', message: 'x' }, END]).map(({ type }) => type)).toEqual([
      'start',
      'finish',
    ]);
  });
});

describe('log probabilities', () => {
  it('are OpenAI’s, one for each piece of text', () => {
    const said = { token_ids: [1, 2], text: 'é!', logprobs: [-0.5, -0.25] };
    const value = {
      content: [{ token: 'é!', logprob: -0.75, bytes: [195, 169, 33], top_logprobs: [] }],
      refusal: null,
    };
    const answer = codec.decode({ message: { content: 'é!' }, logprobs: [said] });
    expect(answer.choices[0]?.logprobs).toEqual(value);
    const event = {
      type: 'content-delta',
      index: 0,
      logprobs: said,
      delta: { message: { content: { text: 'é!' } } },
    };
    expect(decode([START, event])).toContainEqual({ type: 'logprobs', choice: 0, value });
  });
});

describe('usage', () => {
  it('is what is billed, with what was counted kept beside it', () => {
    const native = {
      billed_units: { input_tokens: 7, output_tokens: 3 },
      tokens: { input_tokens: 69, output_tokens: 5 },
      cached_tokens: 64,
    };
    expect(readUsage(native)).toEqual({
      buckets: { input: 7, output: 3 },
      source: 'upstream',
      flags: [],
      native,
    });
  });

  it('of zero billed units is zero, and of none is what was counted', () => {
    const tokens = { input_tokens: 69, output_tokens: 5 };
    const zero = { billed_units: { input_tokens: 0, output_tokens: 0 }, tokens };
    expect(readUsage(zero)?.buckets).toEqual({ input: 0, output: 0 });
    expect(readUsage({ tokens })).toMatchObject({
      buckets: { input: 69, output: 5 },
      flags: ['missing'],
    });
    expect(readUsage({ billed_units: { output_tokens: 5 } })?.buckets).toEqual({
      input: 0,
      output: 5,
    });
    expect(readUsage({})).toMatchObject({ source: 'none', flags: ['missing'] });
    expect(readUsage('seven')).toMatchObject({ source: 'none', flags: ['malformed'] });
  });
});
