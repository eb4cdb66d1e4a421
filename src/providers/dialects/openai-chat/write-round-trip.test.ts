/**
 * Properties of the chat door: what chat can say survives it. A form that is written as a body is
 * read as the same form; an answer, whole or streamed in any pieces, comes back in the next turn as
 * it was.
 */
import fc from 'fast-check';
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream';
import { describe, expect, it } from 'vitest';
import { toBytes } from '#base/bytes.ts';
import type { ChatEvent, ChatForm, Part, Tool, ToolCallPart, Turn } from '#providers/form.ts';
import { isRecord, listOf, parseJson, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import type { Target } from '#providers/provider.ts';
import { encode } from './encode.ts';
import { DEFAULT_HABITS } from './habits.ts';
import { readForm } from './read-form.ts';
import { writeAnswer } from './write-answer.ts';
import { chunkWriter } from './write-stream.ts';

const TARGET: Target = {
  baseUrl: 'https://host.example',
  model: 'm',
  region: null,
  project: null,
  account: null,
};

/** A host that takes all that the dialect can say. */
const HABITS = {
  ...DEFAULT_HABITS,
  maxTokensKey: 'max_completion_tokens',
  reasoningField: 'reasoning_details',
  topK: true,
  cacheControl: true,
} as const;

const PNG = btoa('\x89PNG\r\n\x1a\n and so on..');
const ID = { id: 'gen_1', created: 1, model: 'm' };

/** A generator of records whose members may be missing. */
function maybe<Shape extends object>(shape: { [Key in keyof Shape]: fc.Arbitrary<Shape[Key]> }) {
  return fc.record<Shape, never>(shape, { requiredKeys: [] });
}

const words = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' });
const name = fc.constantFrom('look', 'find', 'do_it');
const lifetime = fc.constantFrom({ lifetime: '5m' } as const, { lifetime: '1h' } as const);
const cached = maybe({ cache: lifetime });
const inline = (mediaType: string) =>
  fc.constant({ kind: 'base64', mediaType, data: PNG } as const);
const url = words.map(
  (path) => ({ kind: 'url', url: `https://a.example/${encodeURIComponent(path)}` }) as const,
);

const textPart = fc
  .tuple(words, cached)
  .map(([text, more]): Part => ({ type: 'text', text, ...more }));
const userPart: fc.Arbitrary<Part> = fc.oneof(
  textPart,
  fc
    .tuple(
      fc.oneof(inline('image/png'), url),
      maybe({ detail: fc.constantFrom('low', 'high', 'auto', 'original') }),
      cached,
    )
    .map(([source, ...more]): Part => Object.assign({ type: 'image', source } as const, ...more)),
  fc
    .oneof(inline('audio/wav'), inline('audio/mpeg'))
    .map((source): Part => ({ type: 'audio', source })),
  fc.oneof(inline('video/mp4'), url).map((source): Part => ({ type: 'video', source })),
  fc
    .tuple(inline('application/pdf'), maybe({ filename: words }), cached)
    .map(([source, ...more]): Part => Object.assign({ type: 'file', source } as const, ...more)),
  words.map((fileId): Part => ({ type: 'file', source: { kind: 'file_id', fileId } })),
);

/** Reasoning of some upstream's, in each of its forms. */
const reasoningPart = fc
  .tuple(
    fc.constantFrom('anthropic', 'google', 'bedrock', 'cohere', 'openai-responses'),
    fc.oneof(
      maybe({ signature: words }).chain((more) =>
        words.map((text) => ({ text, summary: false, ...more })),
      ),
      words.map((text) => ({ text, summary: true })),
      words.map((encrypted) => ({ text: '', summary: false, encrypted })),
      words.map((signature) => ({ text: '', summary: false, signature })),
      fc
        .tuple(words, words, words)
        .map(([text, encrypted, id]) => ({ text, summary: true, encrypted, id })),
    ),
  )
  .map(([maker, said]): Part => ({ type: 'reasoning', ...said, native: { [maker]: {} } }));

const callPart = fc
  .tuple(name, words, fc.boolean())
  .map(([called, text, isJson]): Omit<ToolCallPart, 'id'> => ({
    type: 'tool_call',
    name: called,
    arguments: isJson ? JSON.stringify({ text }) : text,
    format: isJson ? 'json' : 'text',
  }));

const callsPart = fc
  .array(callPart, { maxLength: 3 })
  .map((calls) => calls.map((call, index) => ({ ...call, id: `call_${index}` })));

function resultsOf(calls: readonly ToolCallPart[]): fc.Arbitrary<readonly Turn[]> {
  return fc.tuple(
    ...calls.map(({ id, name: called }) =>
      fc.array(words, { maxLength: 2 }).map((texts): Turn => {
        const content = texts.map((text) => ({ type: 'text', text }) as const);
        const part = { type: 'tool_result', callId: id, name: called, content } as const;
        return { role: 'tool', parts: [part] };
      }),
    ),
  );
}

/** An assistant's turn that chat can say: reasoning, words, refusal, calls; then the results. */
const assistantTurns = fc
  .tuple(
    fc.array(textPart, { maxLength: 2 }),
    fc.option(words, { nil: null }),
    callsPart,
    fc.option(
      maybe({ signature: words }).chain((more) => words.map((text) => ({ text, ...more }))),
      { nil: null },
    ),
  )
  .filter(([texts, refusal, calls]) => texts.length + calls.length > 0 || refusal !== null)
  .chain(([texts, refusal, calls, thought]) => {
    const parts: readonly Part[] = [
      ...(thought === null ? [] : [{ type: 'reasoning' as const, summary: false, ...thought }]),
      ...texts,
      ...(refusal === null ? [] : [{ type: 'refusal' as const, text: refusal }]),
      ...calls,
    ];
    return resultsOf(calls).map((results): readonly Turn[] => [
      { role: 'assistant', parts },
      ...results,
    ]);
  });

const otherTurns = fc
  .tuple(
    fc.constantFrom('user', 'system', 'developer'),
    fc.array(textPart, { minLength: 1, maxLength: 2 }),
    fc.array(userPart, { minLength: 1, maxLength: 3 }),
    maybe({ name }),
  )
  .map(([role, texts, parts, more]): readonly Turn[] => [
    { role, parts: role === 'user' ? parts : texts, ...more },
  ]);

const grammar = fc.record({ syntax: fc.constantFrom('lark', 'regex'), definition: words });
const tool: fc.Arbitrary<Tool> = fc.oneof(
  fc
    .tuple(
      name,
      maybe({
        description: words,
        parameters: fc.constant({ type: 'object' }),
        strict: fc.boolean(),
      }),
    )
    .map(([called, more]): Tool => ({ kind: 'function', name: called, ...more })),
  fc
    .tuple(name, maybe({ description: words, grammar }))
    .map(([called, more]): Tool => ({ kind: 'custom', name: called, ...more })),
);

const output: fc.Arbitrary<ChatForm['output']> = fc.oneof(
  fc.constantFrom({ kind: 'text' } as const, { kind: 'json' } as const),
  maybe({ description: words, strict: fc.boolean() }).map((more) => {
    const schema = { type: 'object' };
    return { kind: 'json_schema' as const, name: 'n', schema, ...more };
  }),
);

const number = fc.double({ min: -2, max: 2, noNaN: true });
const fields = maybe({
  toolChoice: fc.oneof(
    fc.constantFrom('auto', 'none', 'required').map((mode) => ({ mode })),
    fc.record({
      mode: fc.constant('one' as const),
      name,
      kind: fc.constantFrom('function', 'custom'),
    }),
    fc.record({
      mode: fc.constant('among' as const),
      names: fc.array(name, { minLength: 1 }),
      required: fc.boolean(),
    }),
  ),
  parallelToolCalls: fc.boolean(),
  verbosity: fc.constantFrom('low', 'medium', 'high'),
  maxOutputTokens: fc.integer({ min: 1 }),
  serviceTier: fc.constantFrom('auto', 'flex'),
  store: fc.boolean(),
  promptCacheKey: words,
  endUser: words,
  metadata: maybe({ a: words, b: words }),
  audioOutput: fc.record({ voice: words, format: fc.constantFrom('wav', 'mp3') }),
});

const form: fc.Arbitrary<ChatForm> = fc
  .record({
    turns: fc
      .array(fc.oneof(assistantTurns, otherTurns), { minLength: 1, maxLength: 5 })
      .map((groups) => groups.flat()),
    tools: fc.array(tool, { maxLength: 2 }),
    output,
    modalities: fc.constantFrom<ChatForm['modalities']>(['text'], ['text', 'audio']),
    reasoning: maybe({ effort: fc.constantFrom('none', 'low', 'xhigh', 'max') }),
    sampling: maybe({
      temperature: number,
      topP: number,
      topK: fc.nat(),
      frequencyPenalty: number,
      presencePenalty: number,
      seed: fc.integer(),
      stop: fc.array(words, { minLength: 1, maxLength: 2 }),
      logitBias: fc.record({ '5': number }),
      logprobs: fc.boolean(),
      topLogprobs: fc.nat(20),
    }),
    choices: fc.integer({ min: 1, max: 4 }),
    stream: fc.boolean(),
    native: fc.constantFrom({}, { 'openai-chat': { prediction: { type: 'content' } } }),
    more: fields,
  })
  .map(({ more, ...rest }) => ({ ...rest, ...more }));

/** Without paths, and without the native fields of what stands in the conversation. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, member]) => key !== 'path' && key !== 'native' && member !== undefined)
      .map(([key, member]) => [key, bare(member)]),
  );
}

/** Through text, as on the wire: -0 becomes 0 there. */
function overTheWire(value: unknown): JsonRecord {
  return recordOf(parseJson(JSON.stringify(value)));
}

describe('a request of the common form', () => {
  it('written as a body and read again says the same', () => {
    fc.assert(
      fc.property(form, (said) => {
        const { body } = encode(said, TARGET, HABITS);
        const read = readForm(overTheWire(body));
        expect(bare(read)).toEqual(bare(overTheWire(said)));
        expect(read.native).toEqual(said.native);
      }),
      { numRuns: 400 },
    );
  });
});

/**
 * The parts of an answer in an order that upstreams use: reasoning anywhere, all words in one
 * place, calls after them.
 */
const answerParts = fc
  .tuple(
    fc.option(words, { nil: null }),
    fc.array(fc.tuple(reasoningPart, fc.nat(4)), { maxLength: 3 }),
    callsPart,
    fc.boolean(),
  )
  .map(([text, thoughts, calls, isSigned]): readonly Part[] => {
    const native = { native: { google: { thought_signature: 'sig' } } };
    const parts: Part[] = [
      ...(text === null ? [] : [{ type: 'text' as const, text, ...(isSigned ? native : {}) }]),
      ...calls.map((call) => (isSigned ? { ...call, ...native } : call)),
    ];
    for (const [thought, at] of thoughts) parts.splice(Math.min(at, parts.length), 0, thought);
    return parts;
  })
  .filter((parts) => parts.length > 0);

/** What the next turn must know: the parts, and the fields that their makers want back. */
function known(parts: readonly Part[]): unknown {
  return parts.map((part) => {
    const { 'openai-chat': _own, ...native } = part.native ?? {};
    return { said: bare(part), native };
  });
}

/** An assistant's message as the first turn of a conversation that goes on. */
function nextTurn(message: JsonRecord): readonly Part[] {
  const results = listOf(message['tool_calls']).map((call) => ({
    role: 'tool',
    tool_call_id: recordOf(call)['id'],
    content: 'ok',
  }));
  const messages = [message, ...results];
  return readForm(overTheWire({ messages })).turns[0]?.parts ?? [];
}

/** A stream of the parts, their texts cut into pieces of so many characters. */
function eventsOf(parts: readonly Part[], size: number): readonly ChatEvent[] {
  const inPieces = (text: string): readonly string[] =>
    Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
      text.slice(index * size, (index + 1) * size),
    );
  const events = parts.flatMap((value, part): ChatEvent[] => {
    const at = { choice: 0, part };
    const stop: ChatEvent = { type: 'part_stop', ...at };
    if (value.type === 'text') {
      const { native, ...rest } = value;
      return [
        { type: 'part_start', ...at, value: { ...rest, text: '' } },
        ...inPieces(value.text).map((text) => ({ type: 'text_delta' as const, ...at, text })),
        native === undefined ? stop : { ...stop, native },
      ];
    }
    if (value.type === 'reasoning') {
      const { signature, ...rest } = value;
      return [
        { type: 'part_start', ...at, value: { ...rest, text: '' } },
        ...inPieces(value.text).map((text) => ({ type: 'reasoning_delta' as const, ...at, text })),
        ...(signature === undefined ? [] : [{ type: 'signature' as const, ...at, signature }]),
        stop,
      ];
    }
    if (value.type !== 'tool_call') return [];
    return [
      { type: 'part_start', ...at, value: { ...value, arguments: '' } },
      ...inPieces(value.arguments).map((text) => ({
        type: 'arguments_delta' as const,
        ...at,
        text,
      })),
      stop,
    ];
  });
  const finish = { reason: 'stop', native: 'STOP' } as const;
  return [
    { type: 'start', id: 'up', createdAt: 0, model: 'up' },
    ...events,
    { type: 'finish', choice: 0, finish },
  ];
}

function deltasOf(sse: string): readonly JsonRecord[] {
  return sse
    .split('\n\n')
    .filter((line) => line !== '')
    .map((line) => {
      const chunk = recordOf(parseJson(line.slice('data: '.length)));
      return recordOf(recordOf(listOf(chunk['choices'])[0])['delta']);
    });
}

/** A client that joins texts, collects details as they come and puts calls together by index. */
function collect(deltas: readonly JsonRecord[]): JsonRecord {
  const calls: Record<string, unknown>[] = [];
  for (const delta of deltas) {
    for (const raw of listOf(delta['tool_calls'])) {
      const { index, ...call } = recordOf(raw);
      const place = Number(index);
      const member = 'custom' in call ? 'custom' : 'function';
      const said = recordOf(call[member]);
      const before = recordOf(calls[place]?.[member]);
      const text = member === 'custom' ? 'input' : 'arguments';
      const grown = `${textOf(before[text]) ?? ''}${textOf(said[text]) ?? ''}`;
      calls[place] = { ...calls[place], ...call, [member]: { ...before, ...said, [text]: grown } };
    }
  }
  const content = deltas.map((delta) => textOf(delta['content']) ?? '').join('');
  return {
    role: 'assistant',
    content: content === '' ? null : content,
    reasoning_details: deltas.flatMap((delta) => listOf(delta['reasoning_details'])),
    ...deltas.findLast((delta) => 'extra_content' in delta),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

describe('an answer comes back in the next turn as it was', () => {
  it('from a whole answer', () => {
    fc.assert(
      fc.property(answerParts, (parts) => {
        const finish = { reason: 'stop', native: 'STOP' } as const;
        const usage = { buckets: {}, source: 'none', flags: [], native: null } as const;
        const choices = [{ index: 0, parts, finish }];
        const answer = { id: 'up', createdAt: 0, model: 'up', choices, usage, native: {} };
        const [choice] = listOf(writeAnswer(answer, ID)['choices']);
        const message = recordOf(recordOf(choice)['message']);
        expect(known(nextTurn(message))).toEqual(known(parts));
      }),
      { numRuns: 400 },
    );
  });

  it('from a stream in any pieces, which the official client reads too', async () => {
    await fc.assert(
      fc.asyncProperty(answerParts, fc.integer({ min: 1, max: 9 }), async (parts, size) => {
        const writer = chunkWriter(ID);
        const sse = eventsOf(parts, size)
          .map((event) => writer.push([event]))
          .join('');
        const message = collect(deltasOf(sse));
        expect(known(nextTurn(message))).toEqual(known(parts));
        const official = await readOfficially(sse);
        expect(official.content).toEqual(message['content']);
        const calls = official.tool_calls ?? [];
        expect(overTheWire({ calls })).toMatchObject({ calls: message['tool_calls'] ?? [] });
      }),
      { numRuns: 300 },
    );
  });
});

async function readOfficially(sse: string) {
  const bytes = toBytes(sse.replaceAll('data: ', '').replaceAll('\n\n', '\n'));
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  const { choices } = await ChatCompletionStream.fromReadableStream(stream).finalChatCompletion();
  const [choice] = choices;
  if (choice === undefined) throw new Error('no choice');
  return choice.message;
}
