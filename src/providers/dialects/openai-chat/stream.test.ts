/**
 * The oddities of streams in this family: each was seen at a host, and none may lose or invent
 * anything.
 */
import { describe, expect, it } from 'vitest';
import type { ChatEvent } from '#providers/form.ts';
import { DEFAULT_HABITS } from './habits.ts';
import { streamDecoder } from './stream.ts';

function decode(chunks: readonly unknown[], ...last: readonly string[]): readonly ChatEvent[] {
  const decoder = streamDecoder(DEFAULT_HABITS);
  const data = [...chunks.map((chunk) => JSON.stringify(chunk)), ...last];
  return [...data.flatMap((text) => decoder.push({ event: null, data: text })), ...decoder.end()];
}

function chunk(delta: unknown, finish: string | null = null, more: object = {}): unknown {
  return {
    id: 'c1',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: finish }],
    ...more,
  };
}

function toolDelta(call: object): unknown {
  return chunk({ tool_calls: [call] });
}

/** Calls as they add up, in order of their parts. */
function callsOf(events: readonly ChatEvent[]): readonly (readonly [string, string, string])[] {
  const calls: [string, string, string][] = [];
  const parts = new Map<number, [string, string, string]>();
  for (const event of events) {
    if (event.type === 'part_start' && event.value.type === 'tool_call') {
      const call: [string, string, string] = [event.value.id, event.value.name, ''];
      calls.push(call);
      parts.set(event.part, call);
    }
    if (event.type !== 'arguments_delta') continue;
    const call = parts.get(event.part);
    if (call !== undefined) call[2] += event.text;
  }
  return calls;
}

describe('tool calls in a stream', () => {
  it('add up by index, side by side', () => {
    const events = decode([
      toolDelta({ index: 0, id: 'a', type: 'function', function: { name: 'one', arguments: '' } }),
      toolDelta({
        index: 1,
        id: 'b',
        type: 'function',
        function: { name: 'two', arguments: '{"x"' },
      }),
      toolDelta({ index: 0, function: { arguments: '{}' } }),
      toolDelta({ index: 1, function: { arguments: ':1}' } }),
      chunk({}, 'tool_calls'),
    ]);
    expect(callsOf(events)).toEqual([
      ['a', 'one', '{}'],
      ['b', 'two', '{"x":1}'],
    ]);
  });

  it('get an id of ours where the host sends none, a different one each', () => {
    const events = decode([
      toolDelta({ index: 0, function: { name: 'one', arguments: '{}' } }),
      toolDelta({ index: 1, id: '', function: { name: 'one', arguments: '{}' } }),
      chunk({}, 'tool_calls'),
    ]);
    expect(callsOf(events)).toEqual([
      ['call_c1_0_0', 'one', '{}'],
      ['call_c1_0_1', 'one', '{}'],
    ]);
    const started = events.filter((event) => event.type === 'part_start');
    expect(started.every(({ value }) => value.type === 'tool_call' && value.idIsOurs)).toBe(true);
  });

  it('may repeat id and name in every delta', () => {
    const delta = (text: string): unknown =>
      toolDelta({
        index: 0,
        id: 'a',
        type: 'function',
        function: { name: 'one', arguments: text },
      });
    expect(callsOf(decode([delta('{"x"'), delta(':1}'), chunk({}, 'tool_calls')]))).toEqual([
      ['a', 'one', '{"x":1}'],
    ]);
  });

  it('may all be numbered 0, told apart by their ids', () => {
    const events = decode([
      toolDelta({ index: 0, id: 'a', function: { name: 'one', arguments: '{}' } }),
      toolDelta({ index: 0, id: 'b', function: { name: 'two', arguments: '{"y"' } }),
      toolDelta({ index: 0, function: { arguments: ':2}' } }),
      chunk({}, 'tool_calls'),
    ]);
    expect(callsOf(events)).toEqual([
      ['a', 'one', '{}'],
      ['b', 'two', '{"y":2}'],
    ]);
  });

  it('may have no index at all', () => {
    const events = decode([
      toolDelta({ id: 'a', function: { name: 'one', arguments: '{"x"' } }),
      toolDelta({ function: { arguments: ':1}' } }),
      toolDelta({ id: 'b', function: { name: 'two', arguments: '{}' } }),
      chunk({}, 'tool_calls'),
    ]);
    expect(callsOf(events)).toEqual([
      ['a', 'one', '{"x":1}'],
      ['b', 'two', '{}'],
    ]);
  });

  it('hold arguments back until the name is known', () => {
    const events = decode([
      toolDelta({ index: 0, id: 'a', function: { arguments: '{"x"' } }),
      toolDelta({ index: 0, function: { name: 'one', arguments: ':1}' } }),
      chunk({}, 'tool_calls'),
    ]);
    expect(callsOf(events)).toEqual([['a', 'one', '{"x":1}']]);
  });

  it('may be custom calls with free text, or legacy function calls', () => {
    const custom = decode([
      toolDelta({ index: 0, id: 'a', type: 'custom', custom: { name: 'run', input: 'ls ' } }),
      toolDelta({ index: 0, custom: { input: '-l' } }),
      chunk({}, 'tool_calls'),
    ]);
    expect(callsOf(custom)).toEqual([['a', 'run', 'ls -l']]);
    const legacy = decode([
      chunk({ function_call: { name: 'one', arguments: '{' } }),
      chunk({ function_call: { arguments: '}' } }),
      chunk({}, 'function_call'),
    ]);
    expect(callsOf(legacy)).toEqual([['call_c1_0_0', 'one', '{}']]);
    expect(legacy.at(-1)).toMatchObject({
      finish: { reason: 'tool_calls', native: 'function_call' },
    });
  });
});

describe('the end of a stream', () => {
  it('keeps an unknown finish reason in its own words', () => {
    expect(decode([chunk({ content: 'x' }, 'tired')]).at(-1)).toEqual({
      type: 'finish',
      choice: 0,
      finish: { reason: 'stop', native: 'tired' },
    });
  });

  it('invents no finish for a stream that breaks off', () => {
    const events = decode([chunk({ content: 'x' })]);
    expect(events.map((event) => event.type)).toEqual([
      'start',
      'part_start',
      'text_delta',
      'part_stop',
    ]);
  });

  it('takes [DONE] for the finish where the host sends no other', () => {
    const events = decode([chunk({ content: 'x' }, '')], '[DONE]');
    expect(events.at(-1)).toMatchObject({ type: 'finish', finish: { reason: 'stop', native: '' } });
  });

  it('finishes each choice once, and says nothing after a complaint', () => {
    const twice = decode([chunk({ content: 'x' }, 'stop'), chunk({}, 'stop')], '[DONE]');
    expect(twice.filter((event) => event.type === 'finish').length).toBe(1);
    const broken = decode([
      chunk({ content: 'x' }),
      { error: { message: 'no' } },
      chunk({}, 'stop'),
    ]);
    expect(broken.at(-1)).toMatchObject({ type: 'complaint' });
  });

  it('complains of an event that is not JSON', () => {
    const events = decode([chunk({ content: 'x' })], '{"choices": [');
    expect(events.at(-1)).toMatchObject({
      type: 'complaint',
      complaint: { code: 'malformed_event' },
    });
  });

  it('survives events of any shape', () => {
    const shapes = [
      null,
      7,
      [],
      { choices: null },
      { choices: [null, 3] },
      { choices: [{ delta: 'x' }] },
    ];
    for (const shape of shapes) expect(() => decode([shape, chunk({}, 'stop')])).not.toThrow();
  });
});

describe('parts of a stream', () => {
  it('tell reasoning, text and refusal apart, each closed before the next', () => {
    const events = decode([
      chunk({ reasoning: 'hm' }),
      chunk({ content: 'Well' }),
      chunk({ refusal: 'No.' }),
      chunk({}, 'stop'),
    ]);
    expect(events.map((event) => event.type)).toEqual([
      'start',
      'part_start',
      'reasoning_delta',
      'part_stop',
      'part_start',
      'text_delta',
      'part_stop',
      'part_start',
      'refusal_delta',
      'part_stop',
      'finish',
    ]);
  });

  it('keep the blocks of OpenRouter apart, with signature and blob', () => {
    const events = decode([
      chunk({
        reasoning: 'a',
        reasoning_details: [{ type: 'reasoning.text', text: 'a', index: 0 }],
      }),
      chunk({
        reasoning_details: [{ type: 'reasoning.text', text: 'b', signature: 's', index: 0 }],
      }),
      chunk({ reasoning_details: [{ type: 'reasoning.encrypted', data: 'blob', index: 1 }] }),
      chunk({}, 'stop'),
    ]);
    const told = events.filter((event) => event.type === 'reasoning_delta').map(({ text }) => text);
    expect(told).toEqual(['a', 'b']);
    expect(events).toContainEqual({ type: 'signature', choice: 0, part: 0, signature: 's' });
    expect(events.findLast((event) => event.type === 'part_start')).toMatchObject({
      part: 1,
      value: { type: 'reasoning', encrypted: 'blob' },
    });
  });

  it('cite what the annotations and the sources of the answer say', () => {
    const annotation = {
      type: 'url_citation',
      url_citation: { url: 'https://example.org/a', title: 'A', start_index: 0, end_index: 4 },
    };
    const annotated = decode([
      chunk({ content: 'Well' }),
      chunk({ annotations: [annotation] }, 'stop'),
    ]);
    expect(annotated.find((event) => event.type === 'citation')).toMatchObject({
      citation: { kind: 'url', url: 'https://example.org/a', title: 'A', start: 0, end: 4 },
    });
    const sources = { citations: ['https://example.org/b'] };
    const sourced = decode([chunk({ content: 'x' }, null, sources), chunk({}, 'stop', sources)]);
    expect(sourced.filter((event) => event.type === 'citation')).toMatchObject([
      { citation: { url: 'https://example.org/b' } },
    ]);
  });

  it('speak: audio with its id and transcript', () => {
    const events = decode([
      chunk({ audio: { id: 'au1', transcript: 'Hel' } }),
      chunk({ audio: { data: 'QUJD' } }),
      chunk({ audio: { transcript: 'lo' } }),
      chunk({}, 'stop'),
    ]);
    expect(events.filter((event) => event.type === 'media_delta')).toMatchObject([
      { data: '', transcript: 'Hel' },
      { data: 'QUJD' },
      { data: '', transcript: 'lo' },
    ]);
  });

  it('belong to their own choice', () => {
    const two = {
      id: 'c1',
      choices: [
        { index: 0, delta: { content: 'a' } },
        { index: 1, delta: { content: 'b' } },
      ],
    };
    const texts = decode([two], '[DONE]').filter((event) => event.type === 'text_delta');
    expect(texts).toMatchObject([
      { choice: 0, part: 0, text: 'a' },
      { choice: 1, part: 0, text: 'b' },
    ]);
  });
});
