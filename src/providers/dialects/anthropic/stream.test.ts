/**
 * Streams that do what they should not, and blocks of every kind: nothing may be lost, made up or
 * ended in silence.
 */
import { describe, expect, it } from 'vitest';
import type { ChatEvent } from '#providers/form.ts';
import { streamDecoder } from './stream.ts';

const usage = { input_tokens: 10, cache_creation_input_tokens: 0, output_tokens: 1 };
const begin = { type: 'message_start', message: { id: 'msg_1', model: 'm', content: [], usage } };
const end = [
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } },
  { type: 'message_stop' },
];

function start(index: number, block: object): object {
  return { type: 'content_block_start', index, content_block: block };
}

function delta(index: number, type: string, more: object): object {
  return { type: 'content_block_delta', index, delta: { type, ...more } };
}

function stop(index: number): object {
  return { type: 'content_block_stop', index };
}

const text = [start(0, { type: 'text', text: '' }), delta(0, 'text_delta', { text: 'Hi' })];

function decode(events: readonly unknown[]): readonly ChatEvent[] {
  const decoder = streamDecoder();
  const data = events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event)));
  return [...data.flatMap((one) => decoder.push({ event: null, data: one })), ...decoder.end()];
}

function typesOf(events: readonly ChatEvent[]): readonly string[] {
  return events.map(({ type }) => type);
}

/** The values of all parts as they were opened. */
function partsOf(events: readonly ChatEvent[]): readonly unknown[] {
  return events.flatMap((event) => (event.type === 'part_start' ? [event.value] : []));
}

describe('the end of a stream', () => {
  it('is told only by message_stop', () => {
    const cut = decode([begin, ...text, stop(0), end[0]]);
    expect(typesOf(cut)).not.toContain('finish');
    expect(typesOf(decode([begin, ...text, stop(0), ...end])).at(-1)).toBe('finish');
  });

  it('closes parts that the upstream left open', () => {
    expect(typesOf(decode([begin, ...text])).at(-1)).toBe('part_stop');
    expect(typesOf(decode([begin, ...text, ...end])).slice(-3)).toEqual([
      'usage',
      'part_stop',
      'finish',
    ]);
  });

  it('is a complaint where the upstream breaks off with an error', () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    const events = decode([begin, ...text, error, ...end]);
    expect(typesOf(events).slice(-2)).toEqual(['part_stop', 'complaint']);
    expect(events.at(-1)).toMatchObject({
      complaint: { code: 'overloaded_error', message: 'Overloaded', status: 529 },
    });
  });

  it.each<[string, readonly unknown[]]>([
    ['what is not JSON', [begin, ...text, '{"type":"content_bl']],
    ['a second answer in the first', [begin, ...text, { ...begin, message: { id: 'msg_2' } }]],
  ])('is a complaint after %s', (_case, events) => {
    expect(typesOf(decode([...events, ...end])).slice(-2)).toEqual(['part_stop', 'complaint']);
  });
});

describe('a stream', () => {
  it('takes no harm from pings, unknown events and a start that comes twice', () => {
    const noise = [{ type: 'ping' }, { type: 'weather_report', rain: true }, ''];
    const events = decode([begin, begin, ...noise, ...text, ...noise, stop(0), ...end]);
    expect(events).toEqual(decode([begin, ...text, stop(0), ...end]));
  });

  it('counts output only once it was told, and keeps what the start told of input', () => {
    const told = decode([begin, ...text, stop(0), ...end]).filter(({ type }) => type === 'usage');
    expect(told).toMatchObject([
      { usage: { source: 'none', buckets: { input: 10 } } },
      { usage: { source: 'upstream', buckets: { input: 10, output: 7 } } },
    ]);
  });

  it('gives a call without arguments an empty object, and one with early input that', () => {
    const call = { type: 'tool_use', id: 't', name: 'f', input: {} };
    const early = { ...call, input: { a: 1 } };
    const events = decode([begin, start(0, call), stop(0), start(1, early), stop(1), ...end]);
    const grown = events.flatMap((event) => (event.type === 'arguments_delta' ? [event.text] : []));
    expect(grown).toEqual(['{}', '{"a":1}']);
  });

  it('tells hosted tools, their results and unknown blocks whole', () => {
    const hosted = { type: 'server_tool_use', id: 's', name: 'web_search', input: {} };
    const found = { type: 'web_search_tool_result', tool_use_id: 's', content: [{ url: 'u' }] };
    const events = decode([
      begin,
      start(0, hosted),
      delta(0, 'input_json_delta', { partial_json: '{"query":' }),
      delta(0, 'input_json_delta', { partial_json: '"cats"}' }),
      stop(0),
      start(1, found),
      stop(1),
      start(2, { type: 'compaction', content: null }),
      delta(2, 'compaction_delta', { content: 'So ' }),
      delta(2, 'compaction_delta', { content: 'far.' }),
      stop(2),
      ...end,
    ]);
    const compaction = { type: 'compaction', content: 'So far.' };
    expect(partsOf(events)).toMatchObject([
      { type: 'hosted_tool_call', id: 's', tool: 'web_search', input: { query: 'cats' } },
      { type: 'hosted_tool_result', callId: 's', tool: 'web_search', output: [{ url: 'u' }] },
      { type: 'hosted_tool_result', native: { anthropic: { block: compaction } } },
    ]);
  });

  it('reads an answer that stands in its start already', () => {
    const content = [
      { type: 'text', text: 'So.' },
      { type: 'tool_use', id: 't', name: 'f', input: { a: 1 }, caller: { type: 'other' } },
    ];
    const message = { ...begin.message, content, stop_reason: 'tool_use' };
    const events = decode([{ ...begin, message }, { type: 'message_stop' }]);
    expect(partsOf(events)).toMatchObject([{ type: 'text' }, { type: 'tool_call', id: 't' }]);
    const told = events.flatMap((event) => ('text' in event ? [event.text] : []));
    expect(told).toEqual(['So.', '{"a":1}']);
    expect(events.at(-2)).toMatchObject({ type: 'usage', usage: { source: 'upstream' } });
    expect(events.at(-1)).toMatchObject({ finish: { reason: 'tool_calls', native: 'tool_use' } });
  });

  it('tells why it was refused', () => {
    const details = { type: 'refusal', category: 'bio', explanation: 'Not this.' };
    const refused = { stop_reason: 'refusal', stop_details: details };
    const last = [{ type: 'message_delta', delta: refused }, { type: 'message_stop' }];
    const events = decode([begin, ...text, stop(0), ...last]);
    expect(events.slice(-4)).toMatchObject([
      { type: 'part_start', part: 1, value: { type: 'refusal' } },
      { type: 'refusal_delta', part: 1, text: 'Not this.' },
      { type: 'part_stop', part: 1 },
      { type: 'finish', finish: { reason: 'refusal', native: 'refusal' } },
    ]);
  });
});
