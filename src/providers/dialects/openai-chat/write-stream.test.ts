/** Streams of the chat door, read by the official client and by clients that only collect. */
import { OpenAI } from 'openai';
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream';
import { describe, expect, it } from 'vitest';
import type { ChatEvent, Part } from '#providers/form.ts';
import { listOf, parseJson, recordOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { toBytes } from '#base/bytes.ts';
import type { AnswerId } from './write-answer.ts';
import { chunkWriter } from './write-stream.ts';

const ID: AnswerId = { id: 'gen_1', created: 1_795_000_000, model: 'm "x"' };
const START: ChatEvent = { type: 'start', id: 'up_1', createdAt: 5, model: 'up' };

function write(events: readonly ChatEvent[], id = ID): string {
  const writer = chunkWriter(id);
  return events.map((event) => writer.push([event])).join('');
}

function chunksOf(sse: string): readonly JsonRecord[] {
  const lines = sse.split('\n\n').slice(0, -1);
  return lines.map((line) => recordOf(parseJson(line.slice('data: '.length))));
}

function deltasOf(sse: string): readonly JsonRecord[] {
  return chunksOf(sse).map((chunk) => recordOf(recordOf(listOf(chunk['choices'])[0])['delta']));
}

function openPart(part: number, value: Part, choice = 0): ChatEvent {
  return { type: 'part_start', choice, part, value };
}

function text(part: number, said: string, choice = 0): ChatEvent {
  return { type: 'text_delta', choice, part, text: said };
}

function finish(native: string, choice = 0): ChatEvent {
  const reason = native === 'tool_use' ? 'tool_calls' : 'stop';
  return { type: 'finish', choice, finish: { reason, native } };
}

const TEXT: Part = { type: 'text', text: '' };
const THINKING: Part = { type: 'reasoning', text: '', summary: false, native: { anthropic: {} } };
const CALL = { type: 'tool_call', id: 'c1', name: 'f', arguments: '', format: 'json' } as const;

const LOOP: readonly ChatEvent[] = [
  START,
  openPart(0, THINKING),
  { type: 'reasoning_delta', choice: 0, part: 0, text: 'Hm' },
  { type: 'signature', choice: 0, part: 0, signature: 'sig' },
  { type: 'part_stop', choice: 0, part: 0 },
  openPart(1, TEXT),
  text(1, 'Say "é" \u{1f600}\n'),
  text(1, 'now'),
  { type: 'citation', choice: 0, part: 1, citation: { kind: 'url', url: 'https://a' } },
  { type: 'citation', choice: 0, part: 1, citation: { kind: 'url', url: 'https://b' } },
  { type: 'part_stop', choice: 0, part: 1 },
  openPart(2, CALL),
  openPart(3, { ...CALL, id: 'c2', native: { google: { thought_signature: 's' } } }),
  { type: 'arguments_delta', choice: 0, part: 3, text: '{"b"' },
  { type: 'arguments_delta', choice: 0, part: 2, text: '{}' },
  { type: 'arguments_delta', choice: 0, part: 3, text: ':1}' },
  openPart(4, { ...CALL, id: 'c3', name: 'c', format: 'text' }),
  { type: 'arguments_delta', choice: 0, part: 4, text: 'free' },
  finish('tool_use'),
];

function officialStream(sse: string): ChatCompletionStream {
  const lines = sse.replaceAll('data: ', '').replaceAll('\n\n', '\n');
  const bytes = toBytes(lines);
  return ChatCompletionStream.fromReadableStream(
    new ReadableStream({
      start(controller) {
        controller.enqueue(bytes);
        controller.close();
      },
    }),
  );
}

describe('the official client adds it up', () => {
  it('text, parallel calls, sources and the reason to stop', async () => {
    const completion = await officialStream(write(LOOP)).finalChatCompletion();
    expect(completion).toMatchObject({ id: 'gen_1', created: ID.created, model: 'm "x"' });
    const [choice] = completion.choices;
    expect(choice).toMatchObject({
      finish_reason: 'tool_calls',
      native_finish_reason: 'tool_use',
      message: {
        role: 'assistant',
        content: 'Say "é" \u{1f600}\nnow',
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } },
          {
            id: 'c2',
            type: 'function',
            function: { name: 'f', arguments: '{"b":1}' },
            extra_content: { google: { thought_signature: 's' } },
          },
          { id: 'c3', type: 'custom', custom: { name: 'c', input: 'free' } },
        ],
        annotations: [
          { type: 'url_citation', url_citation: { url: 'https://a', start_index: 0 } },
          { type: 'url_citation', url_citation: { url: 'https://b', end_index: 14 } },
        ],
      },
    });
  });

  it('over HTTP, chunk by chunk, with several choices', async () => {
    const events = [
      START,
      openPart(0, TEXT),
      openPart(0, TEXT, 1),
      text(0, 'one'),
      text(0, 'two', 1),
      finish('end_turn', 1),
      finish('end_turn'),
    ];
    const client = new OpenAI({
      apiKey: 'k',
      fetch: () =>
        Promise.resolve(
          new Response(`${write(events)}data: [DONE]\n\n`, {
            headers: { 'content-type': 'text/event-stream' },
          }),
        ),
    });
    const stream = client.chat.completions.stream({ model: 'm', messages: [], n: 2 });
    const { choices } = await stream.finalChatCompletion();
    expect(choices.map(({ message }) => `${message.role} ${message.content}`)).toEqual([
      'assistant one',
      'assistant two',
    ]);
  });

  it('audio and refusals', async () => {
    const source = { kind: 'base64', mediaType: 'audio/pcm', data: '' } as const;
    const events: readonly ChatEvent[] = [
      START,
      openPart(0, { type: 'audio', id: 'audio_1', source }),
      { type: 'media_delta', choice: 0, part: 0, data: 'AAAA', transcript: 'Hel' },
      { type: 'media_delta', choice: 0, part: 0, data: 'BBBB', transcript: 'lo' },
      { type: 'part_stop', choice: 0, part: 0 },
      openPart(1, { type: 'refusal', text: '' }),
      { type: 'refusal_delta', choice: 0, part: 1, text: 'No' },
      finish('stop'),
    ];
    const { choices } = await officialStream(write(events)).finalChatCompletion();
    expect(choices[0]?.message).toMatchObject({
      content: null,
      refusal: 'No',
      audio: { id: 'audio_1', data: 'AAAABBBB', transcript: 'Hello', expires_at: ID.created },
    });
  });

  it('a call of the legacy form', async () => {
    const events: readonly ChatEvent[] = [
      START,
      openPart(0, CALL),
      { type: 'arguments_delta', choice: 0, part: 0, text: '{}' },
      finish('tool_use'),
    ];
    const sse = write(events, { ...ID, functionCall: true });
    const { choices } = await officialStream(sse).finalChatCompletion();
    expect(choices[0]).toMatchObject({
      finish_reason: 'function_call',
      message: { function_call: { name: 'f', arguments: '{}' } },
    });
  });
});

describe('every event is told at once', () => {
  it('the first with the role, before there is any text', () => {
    const writer = chunkWriter(ID);
    const first = writer.push([START]);
    expect(deltasOf(first)).toEqual([{ role: 'assistant', content: null }]);
    expect(writer.push([START])).toBe('');
    expect(deltasOf(writer.push([openPart(0, TEXT), text(0, 'a')]))).toEqual([{ content: 'a' }]);
  });

  it('a choice that was not announced says its role with its first words', () => {
    expect(deltasOf(write([text(0, 'a', 1), text(0, 'b', 1)]))).toEqual([
      { role: 'assistant', content: 'a' },
      { content: 'b' },
    ]);
    expect(deltasOf(write([finish('stop')]))).toEqual([{ role: 'assistant' }]);
  });

  it('each piece of text, thought and arguments in one chunk of its own', () => {
    const writer = chunkWriter(ID);
    const counts = LOOP.map(
      (event) => [event.type, chunksOf(writer.push([event])).length] as const,
    );
    const grows = new Set(['text_delta', 'reasoning_delta', 'arguments_delta', 'signature']);
    const grown = counts.filter(([type]) => grows.has(type));
    expect(grown.length).toBeGreaterThan(6);
    expect(grown.filter(([, count]) => count !== 1)).toEqual([]);
  });

  it('sources before the finish, their places counted over all texts', () => {
    const citation = { kind: 'url', url: 'https://a', title: 'A' } as const;
    const events: readonly ChatEvent[] = [
      openPart(0, TEXT),
      text(0, 'Plain. '),
      openPart(1, TEXT),
      { type: 'citation', choice: 0, part: 1, citation },
      { type: 'citation', choice: 0, part: 1, citation: { ...citation, start: 1, end: 2 } },
      text(1, 'Ci'),
      text(1, 'ted'),
      finish('stop'),
    ];
    const source = { url: 'https://a', title: 'A' };
    expect(deltasOf(write(events)).slice(-2)).toEqual([
      {
        annotations: [
          { type: 'url_citation', url_citation: { start_index: 7, end_index: 12, ...source } },
          { type: 'url_citation', url_citation: { start_index: 8, end_index: 9, ...source } },
        ],
      },
      {},
    ]);
  });

  it('thoughts in both fields, the signature as soon as it is there', () => {
    const frame = { format: 'anthropic-claude-v1', index: 0 };
    const thoughts = deltasOf(write(LOOP)).slice(1, 3);
    expect(thoughts).toEqual([
      {
        reasoning_content: 'Hm',
        reasoning_details: [{ type: 'reasoning.text', text: 'Hm', ...frame }],
      },
      { reasoning_details: [{ type: 'reasoning.text', signature: 'sig', ...frame }] },
    ]);
  });

  it('id, type and name of a call once, then arguments under its index', () => {
    const calls = deltasOf(write(LOOP)).flatMap((delta) => listOf(delta['tool_calls']));
    expect(calls.slice(0, 3)).toEqual([
      { index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '' } },
      {
        index: 1,
        id: 'c2',
        type: 'function',
        function: { name: 'f', arguments: '' },
        extra_content: { google: { thought_signature: 's' } },
      },
      { index: 1, function: { arguments: '{"b"' } },
    ]);
  });

  it('a signature that comes when its part stops, on calls and texts', () => {
    const native = { google: { thought_signature: 'late' } };
    const events: readonly ChatEvent[] = [
      openPart(0, TEXT),
      text(0, 'a'),
      { type: 'part_stop', choice: 0, part: 0, native },
      openPart(1, CALL),
      { type: 'part_stop', choice: 0, part: 1, native },
    ];
    const deltas = deltasOf(write(events));
    expect(deltas[1]).toEqual({ extra_content: native });
    expect(deltas[3]).toEqual({ tool_calls: [{ index: 0, extra_content: native }] });
  });

  it('images when they are whole, log probabilities as they come', () => {
    const source = { kind: 'base64', mediaType: 'image/png', data: '' } as const;
    const events: readonly ChatEvent[] = [
      openPart(0, { type: 'image', source }),
      { type: 'media_delta', choice: 0, part: 0, data: 'AAAA' },
      { type: 'part_stop', choice: 0, part: 0 },
      openPart(1, { type: 'image', source: { kind: 'url', url: 'https://a' } }),
      { type: 'logprobs', choice: 0, value: { content: [{ token: 'a', logprob: -1 }] } },
    ];
    const sse = write(events);
    const images = deltasOf(sse).flatMap((delta) => listOf(delta['images']));
    expect(images).toEqual([
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' }, index: 0 },
      { type: 'image_url', image_url: { url: 'https://a' }, index: 1 },
    ]);
    expect(recordOf(chunksOf(sse).at(-1))['choices']).toMatchObject([
      {
        delta: {},
        finish_reason: null,
        logprobs: {
          content: [{ token: 'a', logprob: -1, bytes: null, top_logprobs: [] }],
          refusal: null,
        },
      },
    ]);
  });

  it('but nothing of what is the gateway’s or has no place in a chat', () => {
    const usage = { buckets: {}, source: 'none', flags: [], native: null } as const;
    const complaint = { code: 'c', message: 'm', status: null };
    const search = { type: 'hosted_tool_call', id: 'h', tool: 'web_search', input: {} } as const;
    const events: readonly ChatEvent[] = [
      { type: 'usage', usage },
      { type: 'complaint', complaint },
      openPart(0, search),
      { type: 'arguments_delta', choice: 0, part: 0, text: '{}' },
      { type: 'part_stop', choice: 0, part: 0 },
      text(1, ''),
    ];
    expect(write(events)).toBe('');
  });
});
