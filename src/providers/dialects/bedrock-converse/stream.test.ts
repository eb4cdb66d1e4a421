/** Streams of Converse: blocks that open, grow and close in order, their end, their failures. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatEvent, Part } from '#providers/form.ts';
import { recordOf } from '#providers/json.ts';
import { decode } from './decode.ts';
import { OUTPUT_TOOL } from './native.ts';
import { streamDecoder } from './stream.ts';

type Frame = readonly [event: string, data: unknown];

function read(frames: readonly Frame[]): readonly ChatEvent[] {
  const decoder = streamDecoder();
  const events = frames.flatMap(([event, data]) => [
    ...decoder.push({ event, data: JSON.stringify(data) }),
  ]);
  return [...events, ...decoder.end()];
}

/** Puts the parts together again; throws where one grows that is not open. */
function assemble(events: readonly ChatEvent[]): readonly Part[] {
  const parts: { value: Part; open: boolean }[] = [];
  for (const event of events) {
    if (event.type === 'part_start') {
      if (event.part !== parts.length) throw new Error('parts are not numbered densely');
      parts.push({ value: event.value, open: true });
    } else if ('part' in event) {
      const part = parts[event.part];
      if (part?.open !== true) throw new Error(`${event.type} belongs to no open part`);
      part.value = grown(part.value, event);
      part.open = event.type !== 'part_stop';
    }
  }
  if (parts.some(({ open }) => open)) throw new Error('a part was never closed');
  return parts.map(({ value }) => value);
}

function grown(value: Part, event: ChatEvent): Part {
  if (event.type === 'text_delta' && value.type === 'text') {
    return { ...value, text: value.text + event.text };
  }
  if (event.type === 'reasoning_delta' && value.type === 'reasoning') {
    return { ...value, text: value.text + event.text };
  }
  if (event.type === 'signature' && value.type === 'reasoning') {
    return { ...value, signature: event.signature };
  }
  if (event.type === 'arguments_delta' && value.type === 'tool_call') {
    return { ...value, arguments: value.arguments + event.text };
  }
  if (event.type === 'citation' && value.type === 'text') {
    return { ...value, citations: [...(value.citations ?? []), event.citation] };
  }
  return value;
}

const delta = (contentBlockIndex: number, said: unknown): Frame => [
  'contentBlockDelta',
  { contentBlockIndex, delta: said, p: 'abc' },
];
const stop = (contentBlockIndex: number): Frame => ['contentBlockStop', { contentBlockIndex }];
const open = (contentBlockIndex: number, toolUse: unknown): Frame => [
  'contentBlockStart',
  { contentBlockIndex, start: { toolUse } },
];
const START: Frame = ['messageStart', { role: 'assistant' }];
const end = (stopReason: string): Frame => ['messageStop', { stopReason }];

describe('a stream', () => {
  it('tells a text as it comes, and its usage behind the end', () => {
    const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3 };
    const events = read([
      START,
      delta(0, { text: 'He' }),
      delta(0, { text: 'llo' }),
      stop(0),
      end('end_turn'),
      ['metadata', { usage, metrics: { latencyMs: 4 } }],
    ]);
    expect(events.map(({ type }) => type)).toEqual([
      'start',
      'part_start',
      'text_delta',
      'text_delta',
      'part_stop',
      'finish',
      'usage',
    ]);
    expect(assemble(events)).toEqual([{ type: 'text', text: 'Hello' }]);
  });

  it('holds no text back', () => {
    const decoder = streamDecoder();
    const push = ([event, data]: Frame) => decoder.push({ event, data: JSON.stringify(data) });
    push(START);
    expect(push(delta(0, { text: 'a' }))).toContainEqual({
      type: 'text_delta',
      choice: 0,
      part: 0,
      text: 'a',
    });
  });

  it('gives a call without input the object that clients expect', () => {
    const toolUse = { toolUseId: 't1', name: 'look' };
    const events = read([
      START,
      open(0, toolUse),
      delta(0, { toolUse: { input: '' } }),
      stop(0),
      open(1, { toolUseId: 't2', name: 'go' }),
      stop(1),
      end('tool_use'),
    ]);
    expect(assemble(events)).toMatchObject([
      { id: 't1', arguments: '{}' },
      { id: 't2', arguments: '{}' },
    ]);
    expect(events.at(-1)).toMatchObject({ type: 'finish', finish: { reason: 'tool_calls' } });
  });

  it('reads a structured answer out of the tool that carries it', () => {
    const events = read([
      open(0, { toolUseId: 't1', name: OUTPUT_TOOL }),
      delta(0, { toolUse: { input: '{"a"' } }),
      delta(0, { toolUse: { input: ':1}' } }),
      stop(0),
      end('tool_use'),
    ]);
    expect(assemble(events)).toEqual([{ type: 'text', text: '{"a":1}' }]);
    expect(events.at(-1)).toMatchObject({ finish: { reason: 'stop' } });
  });

  it('tells hosted tools whole, with what they were given and what they gave', () => {
    const events = read([
      START,
      open(0, { toolUseId: 't1', name: 'run', type: 'server_tool_use' }),
      delta(0, { toolUse: { input: '{"a":' } }),
      delta(0, { toolUse: { input: '1}' } }),
      stop(0),
      [
        'contentBlockStart',
        {
          contentBlockIndex: 1,
          start: { toolResult: { toolUseId: 't1', type: 'run_result', status: 'error' } },
        },
      ],
      delta(1, { toolResult: [{ json: { out: 2 } }] }),
      stop(1),
      end('end_turn'),
    ]);
    expect(assemble(events)).toMatchObject([
      { type: 'hosted_tool_call', tool: 'run', input: { a: 1 } },
      { type: 'hosted_tool_result', callId: 't1', output: [{ json: { out: 2 } }], isError: true },
    ]);
  });

  it('cites the text of its block', () => {
    const location = { web: { url: 'https://x.example/' } };
    const events = read([
      START,
      delta(0, { text: 'It is.' }),
      delta(0, { citation: { location } }),
      stop(0),
      end('end_turn'),
    ]);
    expect(assemble(events)).toMatchObject([
      { text: 'It is.', citations: [{ url: 'https://x.example/', start: 0, end: 6 }] },
    ]);
  });

  it('keeps redacted thoughts whole', () => {
    const events = read([
      START,
      delta(0, { reasoningContent: { redactedContent: 'ZQ==' } }),
      stop(0),
      end('end_turn'),
    ]);
    expect(assemble(events)).toMatchObject([{ type: 'reasoning', encrypted: 'ZQ==' }]);
  });

  it('ends by no finish where its end is missing', () => {
    const events = read([START, delta(0, { text: 'Half' })]);
    expect(events.map(({ type }) => type)).toEqual([
      'start',
      'part_start',
      'text_delta',
      'part_stop',
    ]);
  });

  it.each([
    ['throttlingException', 429],
    ['modelStreamErrorException', 424],
    ['internalServerException', 500],
    ['validationException', 400],
    ['serviceUnavailableException', 503],
    ['aNewException', null],
  ])('breaks off with %s, and nothing comes after', (name, status) => {
    const events = read([START, delta(0, { text: 'Half' }), [name, { message: 'why' }], end('x')]);
    expect(events.at(-1)).toEqual({
      type: 'complaint',
      complaint: { code: name, message: 'why', status },
    });
    expect(() => assemble(events)).not.toThrow();
  });

  it('takes the words of an error of the transport as they are', () => {
    const decoder = streamDecoder();
    expect(decoder.push({ event: 'InternalServerError', data: 'gone' })).toEqual([
      {
        type: 'complaint',
        complaint: { code: 'InternalServerError', message: 'gone', status: null },
      },
    ]);
  });

  it('complains of what is no JSON and passes over what it does not know', () => {
    const decoder = streamDecoder();
    expect(decoder.push({ event: 'aNewEvent', data: '{}' })).toMatchObject([{ type: 'start' }]);
    expect(decoder.push({ event: 'contentBlockDelta', data: '{"de' })).toMatchObject([
      { type: 'complaint', complaint: { code: 'malformed_event' } },
    ]);
  });
});

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });

const block = fc.oneof(
  words.map((text) => ({ text })),
  fc.record({ text: words, signature: words }).map((reasoningText) => ({
    reasoningContent: { reasoningText },
  })),
  fc
    .record({ toolUseId: words, name: words, input: fc.dictionary(words, fc.json()) })
    .map((toolUse) => ({ toolUse })),
  fc.base64String({ minLength: 4 }).map((redactedContent) => ({
    reasoningContent: { redactedContent },
  })),
);

/** The deltas of a block, its texts cut into pieces of this size. */
function framesOf(index: number, said: Readonly<Record<string, unknown>>, size: number): Frame[] {
  const pieces = (text: string): readonly string[] =>
    text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
  const { text, toolUse, reasoningContent } = said;
  if (typeof text === 'string') return pieces(text).map((piece) => delta(index, { text: piece }));
  if (toolUse !== undefined) {
    const { input, ...start } = recordOf(toolUse);
    const written = pieces(JSON.stringify(input));
    return [
      open(index, start),
      ...written.map((piece) => delta(index, { toolUse: { input: piece } })),
    ];
  }
  const reasoning = recordOf(recordOf(reasoningContent)['reasoningText']);
  if (typeof reasoning['text'] !== 'string') return [delta(index, { reasoningContent })];
  const { signature } = reasoning;
  return [
    ...pieces(reasoning['text']).map((piece) =>
      delta(index, { reasoningContent: { text: piece } }),
    ),
    delta(index, { reasoningContent: { signature } }),
  ];
}

describe('any answer', () => {
  it('reads the same whole and streamed, wherever its texts are cut and whatever stops', () => {
    fc.assert(
      fc.property(
        fc.array(block, { maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        (content, size, stops) => {
          const frames = content.flatMap((said, index) => [
            ...framesOf(index, said, size),
            ...(stops ? [stop(index)] : []),
          ]);
          const whole = decode({ output: { message: { content } }, stopReason: 'end_turn' });
          const streamed = assemble(read([START, ...frames, end('end_turn')]));
          expect(streamed).toEqual(whole.choices[0]?.parts);
        },
      ),
    );
  });
});
