/**
 * Random conversations in the common form, as callers may hold them: turns in an order that every
 * upstream accepts, tool results after their calls, and every kind of part and setting that the
 * chat door can say.
 */
import fc from 'fast-check';
import type {
  CacheHint,
  ChatForm,
  FilePart,
  ImagePart,
  MediaSource,
  OutputFormat,
  Part,
  ReasoningPart,
  SamplingWish,
  TextPart,
  Tool,
  ToolCallPart,
  ToolChoice,
  ToolResultPart,
  Turn,
} from '#providers/form.ts';

/** First bytes that readers know, so that media are what they say. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const PDF = 'JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoK';
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';

const word = fc.stringMatching(/^[a-z]{1,8}$/);
const prose = fc.oneof(
  fc.stringMatching(/^[A-Za-z][A-Za-z ,.]{0,40}[a-z.]$/),
  fc.constantFrom('Grüße, 世界 👋', 'two\nlines', '{"looks":"like JSON"}', '<tag>&amp;'),
);
const cache = fc.option(fc.constantFrom<CacheHint>({ lifetime: '5m' }, { lifetime: '1h' }), {
  nil: undefined,
  freq: 8,
});

/** The makers of reasoning that the form knows, and the kinds that each of them makes. */
const REASONING = [
  ['anthropic', 'signed'],
  ['anthropic', 'encrypted'],
  ['anthropic', 'unsigned'],
  ['google', 'signed'],
  ['google', 'unsigned'],
  ['bedrock', 'signed'],
  ['bedrock', 'encrypted'],
  ['bedrock', 'unsigned'],
  ['cohere', 'unsigned'],
] as const;

const json = fc.dictionary(
  word,
  fc.oneof(
    fc.integer({ min: -999, max: 999 }),
    fc.boolean(),
    prose,
    fc.array(word, { maxLength: 2 }),
  ),
  { maxKeys: 3 },
);

/** Any of the members may be missing. */
const OPTIONAL = { requiredKeys: [] } satisfies { requiredKeys: [] };

const text: fc.Arbitrary<TextPart> = fc
  .record({ text: prose, cache })
  .map(({ text: said, cache: hint }) =>
    hint === undefined ? { type: 'text', text: said } : { type: 'text', text: said, cache: hint },
  );

const imageSource: fc.Arbitrary<MediaSource> = fc.constantFrom(
  { kind: 'base64', mediaType: 'image/png', data: PNG },
  { kind: 'url', url: 'https://example.com/cat.png' },
);

const image: fc.Arbitrary<ImagePart> = fc
  .record({
    source: imageSource,
    detail: fc.option(fc.constantFrom('low', 'high'), { nil: undefined, freq: 3 }),
  })
  .map(({ source, detail }) =>
    detail === undefined ? { type: 'image', source } : { type: 'image', source, detail },
  );

const file: fc.Arbitrary<FilePart> = fc.constantFrom(
  {
    type: 'file',
    source: { kind: 'base64', mediaType: 'application/pdf', data: PDF },
    filename: 'paper.pdf',
  },
  {
    type: 'file',
    source: { kind: 'url', url: 'https://example.com/paper.pdf', mediaType: 'application/pdf' },
    filename: 'paper.pdf',
  },
  { type: 'file', source: { kind: 'file_id', fileId: 'file-1' } },
);

const audio: fc.Arbitrary<Part> = fc.constant({
  type: 'audio',
  source: { kind: 'base64', mediaType: 'audio/wav', data: WAV },
});

const video: fc.Arbitrary<Part> = fc.constant({
  type: 'video',
  source: { kind: 'url', url: 'https://example.com/clip.mp4', mediaType: 'video/mp4' },
});

const said: fc.Arbitrary<Part> = fc.oneof(
  { weight: 6, arbitrary: text },
  { weight: 2, arbitrary: image },
  { weight: 1, arbitrary: file },
  { weight: 1, arbitrary: audio },
  { weight: 1, arbitrary: video },
);

const reasoning: fc.Arbitrary<ReasoningPart> = fc
  .record({
    made: fc.constantFrom(...REASONING),
    text: prose,
  })
  .map(({ made: [maker, kind], text: thought }): ReasoningPart => {
    const native = { [maker]: {} };
    const base = { type: 'reasoning', summary: false, native } as const;
    if (kind === 'encrypted') return { ...base, text: '', encrypted: 'c2VhbGVk' };
    if (kind === 'unsigned') return { ...base, text: thought };
    return { ...base, text: thought, signature: 'c2lnbmVk' };
  });

interface CallPlan {
  readonly name: string;
  readonly input: object;
  readonly result: ToolResultPart['content'];
  readonly isError: boolean;
}

const call: fc.Arbitrary<CallPlan> = fc.record({
  name: fc.constantFrom('lookup', 'weather'),
  input: json,
  result: fc.oneof(
    { weight: 4, arbitrary: fc.array(text.map(plainText), { minLength: 1, maxLength: 2 }) },
    { weight: 1, arbitrary: fc.tuple(text.map(plainText), image) },
  ),
  isError: fc.boolean(),
});

function plainText({ text: words }: TextPart): TextPart {
  return { type: 'text', text: words };
}

/** A question and what came of it: an answer, after as many tool calls as it took. */
const exchange = fc.record({
  question: fc.array(said, { minLength: 1, maxLength: 3 }),
  name: fc.option(word, { nil: undefined, freq: 8 }),
  thought: fc.option(reasoning, { nil: undefined, freq: 2 }),
  rounds: fc.array(fc.array(call, { minLength: 1, maxLength: 3 }), { maxLength: 2 }),
  answer: text,
});

type Exchange = typeof exchange extends fc.Arbitrary<infer Value> ? Value : never;

function turnsOf({ question, name, thought, rounds, answer }: Exchange, at: number): Turn[] {
  const asked: Turn = { role: 'user', parts: question };
  const turns: Turn[] = [name === undefined ? asked : { ...asked, name }];
  for (const [round, calls] of rounds.entries()) {
    const ids = calls.map((_call, index) => `call_${at}_${round}_${index}`);
    const made = calls.map(({ name: tool, input }, index): ToolCallPart => ({
      type: 'tool_call',
      id: ids[index] ?? '',
      name: tool,
      arguments: JSON.stringify(input),
      format: 'json',
    }));
    const first = thought === undefined || round > 0 ? [] : [thought];
    turns.push({ role: 'assistant', parts: [...first, ...made] });
    for (const [index, { name: tool, result, isError }] of calls.entries()) {
      const part: ToolResultPart = {
        type: 'tool_result',
        callId: ids[index] ?? '',
        name: tool,
        content: result,
        ...(isError ? { isError } : {}),
      };
      turns.push({ role: 'tool', parts: [part] });
    }
  }
  const spoken = thought === undefined || rounds.length > 0 ? [answer] : [thought, answer];
  return [...turns, { role: 'assistant', parts: spoken }];
}

const schema = {
  type: 'object',
  properties: { city: { type: 'string', description: 'Where' } },
  required: ['city'],
  additionalProperties: false,
} as const;

const tools: fc.Arbitrary<readonly Tool[]> = fc
  .tuple(
    fc.record(
      {
        name: fc.constant('lookup'),
        kind: fc.constant('function'),
        description: prose,
        parameters: fc.constant(schema),
        strict: fc.boolean(),
      },
      { requiredKeys: ['name', 'kind', 'parameters'] },
    ),
    fc.option(fc.constantFrom<CacheHint>({ lifetime: '5m' }, { lifetime: '1h' }), {
      nil: undefined,
    }),
  )
  .map(([lookup, hint]): readonly Tool[] => {
    const weather: Tool = { kind: 'function', name: 'weather', parameters: schema };
    return [lookup, hint === undefined ? weather : { ...weather, cache: hint }];
  });

const output: fc.Arbitrary<OutputFormat> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<OutputFormat>({ kind: 'text' }) },
  { weight: 1, arbitrary: fc.constant<OutputFormat>({ kind: 'json' }) },
  {
    weight: 2,
    arbitrary: fc.constant<OutputFormat>({
      kind: 'json_schema',
      name: 'city',
      schema,
      strict: true,
    }),
  },
);

const sampling: fc.Arbitrary<SamplingWish> = fc.record(
  {
    temperature: fc.constantFrom(0, 0.5, 1),
    topP: fc.constantFrom(0.25, 0.5),
    topK: fc.integer({ min: 1, max: 40 }),
    frequencyPenalty: fc.constantFrom(0.25, 0.5),
    presencePenalty: fc.constantFrom(0.25, 0.5),
    seed: fc.integer({ min: 1, max: 1_000 }),
    stop: fc.array(word, { minLength: 1, maxLength: 2 }),
    logitBias: fc.constant({ '50256': -100 }),
    logprobs: fc.constant(true),
  },
  OPTIONAL,
);

const settings = fc.record(
  {
    toolChoice: fc.constantFrom<ToolChoice>(
      { mode: 'auto' },
      { mode: 'none' },
      { mode: 'required' },
      { mode: 'one', name: 'lookup', kind: 'function' },
      { mode: 'among', names: ['lookup'], required: true },
    ),
    parallelToolCalls: fc.boolean(),
    verbosity: fc.constantFrom('low', 'high'),
    maxOutputTokens: fc.integer({ min: 2_000, max: 8_000 }),
    serviceTier: fc.constantFrom('auto', 'flex'),
    store: fc.boolean(),
    promptCacheKey: word,
    endUser: word,
    metadata: fc.constant({ team: 'a' }),
  },
  OPTIONAL,
);

const effort = fc.constantFrom('none', 'low', 'medium', 'high');
const wish = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: effort.map((level) => ({ effort: level })) },
  { weight: 1, arbitrary: fc.constant({ budgetTokens: 1_536 }) },
);

/** A whole request. Paths stand as the chat door would write them. */
export const formArbitrary: fc.Arbitrary<ChatForm> = fc
  .record({
    instruction: fc.option(
      fc.record({ role: fc.constantFrom('system', 'developer'), part: text }),
      {
        nil: undefined,
      },
    ),
    exchanges: fc.array(exchange, { maxLength: 2 }),
    last: fc.array(said, { minLength: 1, maxLength: 2 }),
    tools: fc.oneof({ weight: 3, arbitrary: tools }, { weight: 1, arbitrary: fc.constant([]) }),
    output,
    sampling,
    settings,
    wish,
    choices: fc.constantFrom(1, 1, 1, 2),
    stream: fc.boolean(),
  })
  .map((drawn): ChatForm => {
    const { instruction, exchanges, last, wish: reasoningWish } = drawn;
    const { toolChoice: _choice, parallelToolCalls: _parallel, ...others } = drawn.settings;
    // A choice among no tools is one that every upstream refuses.
    const set = drawn.tools.length === 0 ? others : drawn.settings;
    const turns: readonly Turn[] = [
      ...(instruction === undefined ? [] : [{ role: instruction.role, parts: [instruction.part] }]),
      ...exchanges.flatMap(turnsOf),
      { role: 'user', parts: last },
    ];
    return {
      turns: turns.map(withPaths),
      tools: drawn.tools,
      output: drawn.output,
      modalities: ['text'],
      reasoning: reasoningWish,
      sampling: drawn.sampling,
      choices: drawn.choices,
      stream: drawn.stream,
      native: {},
      ...set,
    };
  });

function withPaths(turn: Turn, index: number): Turn {
  const path = `messages[${index}]`;
  const parts = turn.parts.map((part, position): Part => {
    const member = part.type === 'tool_call' ? 'tool_calls' : 'content';
    if (part.type !== 'tool_result') return { ...part, path: `${path}.${member}[${position}]` };
    const content = part.content.map((piece, at) => ({ ...piece, path: `${path}.content[${at}]` }));
    return { ...part, content, path };
  });
  return { ...turn, parts, path };
}
