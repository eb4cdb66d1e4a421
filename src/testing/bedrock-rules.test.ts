/**
 * A loop of tools over three turns, from the chat door to a fake Converse and back, which refuses
 * what the real one refuses; and that it does refuse it.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bedrockConverse } from '#providers/dialects/bedrock-converse/codec.ts';
import { readForm } from '#providers/dialects/openai-chat/read-form.ts';
import { writeAnswer } from '#providers/dialects/openai-chat/write-answer.ts';
import { chunkWriter } from '#providers/dialects/openai-chat/write-stream.ts';
import type { ChatEvent } from '#providers/form.ts';
import { listOf, parseJson, recordOf, textOf, type JsonRecord } from '#providers/json.ts';
import { bedrockRefusal, signThought } from './bedrock-rules.ts';

const { codec } = bedrockConverse;
const MODEL = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
const TARGET = { baseUrl: '', model: MODEL, region: null, project: null, account: null };
const ID = { id: 'chatcmpl-1', created: 1, model: 'm' };

type Block = Readonly<Record<string, unknown>>;

/** What the model answers in each turn; the first two call tools, two at once and then one. */
const ANSWERS: readonly (readonly Block[])[] = [
  [
    thought('Two cities are asked for.'),
    { text: 'Let me look.' },
    call('tooluse_1', { city: 'Zürich' }),
    call('tooluse_2', { city: 'Oslo' }),
  ],
  [
    { reasoningContent: { redactedContent: 'b3BhcXVl' } },
    thought('One answer is missing.'),
    call('tooluse_3', {}),
  ],
  [thought('Now I know.'), { text: 'Warm and cold.' }],
];

function thought(text: string): Block {
  return { reasoningContent: { reasoningText: { text, signature: signThought(text) } } };
}

function call(toolUseId: string, input: Block): Block {
  return { toolUse: { toolUseId, name: 'weather', input } };
}

function answerOf(turn: number): JsonRecord {
  const content = ANSWERS[turn] ?? [];
  const stopReason = content.some((block) => 'toolUse' in block) ? 'tool_use' : 'end_turn';
  const usage = { inputTokens: 10, outputTokens: 5, totalTokens: 15 };
  return { output: { message: { role: 'assistant', content } }, stopReason, usage };
}

const REQUEST = {
  model: 'claude',
  reasoning_effort: 'low',
  tools: [
    {
      type: 'function',
      function: { name: 'weather', parameters: { type: 'object', properties: {} } },
    },
  ],
};

const ASKED = { role: 'user', content: 'How is the weather?' };

/** One turn of a client that sends back what it got; returns the assistant's message. */
type Speak = (body: unknown, turn: number) => JsonRecord;

const whole: Speak = (_body, turn) => {
  const written = writeAnswer(codec.decode(answerOf(turn)), ID);
  return recordOf(recordOf(listOf(written['choices'])[0])['message']);
};

/** A client that only collects deltas: texts joined, calls by index, details in one list. */
const streamed: Speak = (_body, turn) => {
  const sse = chunkWriter(ID).push(streamOf(turn));
  const message: Record<string, unknown> = { role: 'assistant', content: '' };
  const calls: Record<string, unknown>[] = [];
  const details: unknown[] = [];
  for (const line of sse.split('\n\n').filter((text) => text.startsWith('data: '))) {
    const chunk = recordOf(parseJson(line.slice('data: '.length)));
    const delta = recordOf(recordOf(listOf(chunk['choices'])[0])['delta']);
    if (typeof delta['content'] === 'string') {
      message['content'] = String(message['content']) + delta['content'];
    }
    details.push(...listOf(delta['reasoning_details']));
    for (const said of listOf(delta['tool_calls']).map(recordOf)) collect(calls, said);
  }
  if (details.length > 0) message['reasoning_details'] = details;
  if (calls.length > 0) message['tool_calls'] = calls;
  return message;
};

function collect(calls: Record<string, unknown>[], said: JsonRecord): void {
  const index = Number(said['index']);
  const { function: named, index: _index, ...rest } = said;
  const before = calls[index];
  if (before === undefined) {
    calls[index] = { ...rest, function: named };
    return;
  }
  const known = recordOf(before['function']);
  const joined = [known, recordOf(named)].map((piece) => textOf(piece['arguments']) ?? '').join('');
  before['function'] = { ...known, arguments: joined };
}

function streamOf(turn: number): readonly ChatEvent[] {
  const decoder = codec.stream();
  const push = (event: string, data: JsonRecord) =>
    decoder.push({ event, data: JSON.stringify(data) });
  const events = [...push('messageStart', { role: 'assistant' })];
  for (const [contentBlockIndex, block] of (ANSWERS[turn] ?? []).entries()) {
    for (const [event, said] of framesOf(block)) {
      events.push(...push(event, { contentBlockIndex, ...said }));
    }
    events.push(...push('contentBlockStop', { contentBlockIndex }));
  }
  const { stopReason, usage } = answerOf(turn);
  events.push(...push('messageStop', { stopReason }), ...push('metadata', { usage }));
  return [...events, ...decoder.end()];
}

function framesOf(block: Block): readonly (readonly [string, JsonRecord])[] {
  const { text, toolUse, reasoningContent } = block;
  if (typeof text === 'string') return [['contentBlockDelta', { delta: { text } }]];
  if (toolUse !== undefined) {
    const { input, ...start } = recordOf(toolUse);
    const written = JSON.stringify(input);
    return [
      ['contentBlockStart', { start: { toolUse: start } }],
      ['contentBlockDelta', { delta: { toolUse: { input: written } } }],
    ];
  }
  const said = recordOf(reasoningContent);
  if ('redactedContent' in said) return [['contentBlockDelta', { delta: { reasoningContent } }]];
  return Object.entries(recordOf(said['reasoningText'])).map(([key, value]) => [
    'contentBlockDelta',
    { delta: { reasoningContent: { [key]: value } } },
  ]);
}

/** Three turns; returns the bodies that Converse got. Throws where it would have refused one. */
function converse(speak: Speak, forget: (message: JsonRecord) => JsonRecord = (m) => m) {
  const messages: JsonRecord[] = [ASKED];
  const bodies: unknown[] = [];
  for (const turn of ANSWERS.keys()) {
    const { body } = codec.encode(readForm({ ...REQUEST, messages }), TARGET);
    const refusal = bedrockRefusal(body, MODEL);
    if (refusal !== null) throw new Error(refusal.message);
    bodies.push(body);
    const message = forget(speak(body, turn));
    messages.push(message);
    for (const said of listOf(message['tool_calls']).map(recordOf)) {
      messages.push({ role: 'tool', tool_call_id: said['id'], content: `result of ${turn}` });
    }
  }
  return bodies;
}

function messagesOf(body: unknown): readonly JsonRecord[] {
  return listOf(recordOf(body)['messages']).map(recordOf);
}

describe.each([
  ['whole answers', whole],
  ['streams', streamed],
])('a loop of three turns over %s', (_name, speak) => {
  it('gives the model its own turns back as it made them, thoughts signed (promise 11)', () => {
    const last = messagesOf(converse(speak)[2]);
    expect(last.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'user',
      'assistant',
      'user',
    ]);
    expect(last[1]?.['content']).toEqual(ANSWERS[0]);
    expect(last[3]?.['content']).toEqual(ANSWERS[1]);
    const answered = listOf(last[2]?.['content']).map((block) => recordOf(block)['toolResult']);
    expect(answered).toMatchObject([{ toolUseId: 'tooluse_1' }, { toolUseId: 'tooluse_2' }]);
  });

  it('thinks in every turn', () => {
    for (const body of converse(speak)) {
      expect(recordOf(body)['additionalModelRequestFields']).toEqual({
        thinking: { type: 'enabled', budget_tokens: 4_096 },
      });
    }
  });

  it('goes on without thinking where the client lost the thoughts', () => {
    const bodies = converse(speak, ({ reasoning_details: _lost, ...message }) => message);
    expect(recordOf(bodies[1])['additionalModelRequestFields']).toBeUndefined();
    expect(JSON.stringify(bodies[2])).not.toContain('reasoningContent');
  });
});

describe('the fake', () => {
  const user = { role: 'user', content: [{ text: 'x' }] };
  const assistant = { role: 'assistant', content: [call('tooluse_1', {})] };
  const toolConfig = {
    tools: [{ toolSpec: { name: 'weather', inputSchema: { json: { type: 'object' } } } }],
  };
  const result = (toolUseId: string) => ({ toolResult: { toolUseId, content: [{ text: 'y' }] } });
  const answered = { role: 'user', content: [result('tooluse_1')] };

  const thinking = { thinking: { type: 'enabled', budget_tokens: 2_000 } };
  const document = { document: { name: 'a', format: 'pdf', source: { bytes: 'JVBERi0=' } } };
  const begun = (text: string) => ({ role: 'assistant', content: [{ text }] });
  const deep = { type: 'object', properties: { again: { $ref: '#' } } };
  const answerIn = (schema: object) => {
    const jsonSchema = { name: 'a', schema: JSON.stringify(schema) };
    return { textFormat: { type: 'json_schema', structure: { jsonSchema } } };
  };
  const unsigned = { reasoningContent: { reasoningText: { text: 'hm' } } };
  const changed = { reasoningContent: { reasoningText: { text: 'hm!', signature: 'sig-2-7' } } };

  it.each<[string, JsonRecord, RegExp]>([
    ['two users', { messages: [user, user] }, /alternate/],
    ['no messages', { messages: [] }, /empty/],
    ['blank text', { messages: [{ role: 'user', content: [{ text: '' }] }] }, /blank/],
    ['an unknown member', { messages: [user], model: 'm' }, /extraneous/],
    ['a call without its result', { messages: [user, assistant, user], toolConfig }, /Expected/],
    [
      'one result too many',
      {
        messages: [
          user,
          assistant,
          { role: 'user', content: [result('tooluse_1'), result('tooluse_9')] },
        ],
        toolConfig,
      },
      /exceeds/,
    ],
    ['tools that are not declared', { messages: [user, assistant, answered] }, /toolConfig/],
    [
      'a call without an id',
      {
        messages: [user, { role: 'assistant', content: [call('', {})] }, answered],
        toolConfig,
      },
      /toolUseId/,
    ],
    [
      'an unsigned thought',
      { messages: [user, { role: 'assistant', content: [unsigned, { text: 'z' }] }, user] },
      /signature/,
    ],
    [
      'a changed thought',
      { messages: [user, { role: 'assistant', content: [changed, { text: 'z' }] }, user] },
      /signature/,
    ],
    [
      'thinking on a call that lost its thought',
      {
        messages: [user, assistant, answered],
        toolConfig,
        additionalModelRequestFields: thinking,
      },
      /thinking/,
    ],
    [
      'thinking beside a forced tool',
      {
        messages: [user],
        toolConfig: { ...toolConfig, toolChoice: { any: {} } },
        additionalModelRequestFields: thinking,
      },
      /tool_choice/,
    ],
    ['heat', { messages: [user], inferenceConfig: { temperature: 1.5 } }, /range/],
    ['a document without words', { messages: [{ role: 'user', content: [document] }] }, /text/],
    ['a begun answer that ends in a blank', { messages: [user, begun('z ')] }, /whitespace/],
    [
      'thinking on a begun answer',
      { messages: [user, begun('z')], additionalModelRequestFields: thinking },
      /thinking/,
    ],
    ['a schema that holds itself', { messages: [user], outputConfig: answerIn(deep) }, /Recursive/],
    [
      'a strict tool whose schema holds itself',
      {
        messages: [user],
        toolConfig: {
          tools: [{ toolSpec: { name: 'f', strict: true, inputSchema: { json: deep } } }],
        },
      },
      /Recursive/,
    ],
  ])('refuses %s', (_name, body, words) => {
    expect(bedrockRefusal(body, MODEL)?.message).toMatch(words);
  });

  it('takes the same conversation in order', () => {
    const body = { messages: [user, assistant, answered], toolConfig };
    expect(bedrockRefusal(body, MODEL)).toBeNull();
  });

  it.each(['us.anthropic.claude-opus-4-6-v1', 'us.meta.llama4-maverick-17b-instruct-v1:0'])(
    'lets the user have the last word at %s, and nobody else',
    (model) => {
      const messages = [user, begun('z')];
      expect(bedrockRefusal({ messages }, model)?.message).toMatch(/must end with a user/);
      expect(bedrockRefusal({ messages: [...messages, user] }, model)).toBeNull();
      expect(bedrockRefusal({ messages }, MODEL)).toBeNull();
    },
  );
});

/** Rounds of a conversation through chat: what a user says, and what calls it leads to. */
const said = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text.trim() !== '');
const file = { file_data: 'data:application/pdf;base64,JVBERi0=', filename: 'a.pdf' };
const asked = fc.oneof(said, fc.constant([{ type: 'file', file }]));
const round = fc.record({
  user: fc.array(asked, { minLength: 1, maxLength: 2 }),
  system: fc.boolean(),
  results: fc.array(fc.string({ maxLength: 10 }), { maxLength: 3 }),
  answer: fc.option(said, { nil: null }),
});

type Round = typeof round extends fc.Arbitrary<infer Value> ? Value : never;

function messagesFrom(rounds: readonly Round[]): readonly JsonRecord[] {
  return rounds.flatMap(({ user, system, results, answer }, at) => {
    const calls = results.map((_result, index) => ({
      id: `functions.weather:${at}.${index}`,
      type: 'function',
      function: { name: 'weather', arguments: index === 0 ? '' : '{"city":"Oslo"}' },
    }));
    const called = { role: 'assistant', content: null, tool_calls: calls };
    return [
      ...(system ? [{ role: 'system', content: 'Be brief.' }] : []),
      ...user.map((content) => ({ role: 'user', content })),
      ...(calls.length === 0 ? [] : [called]),
      ...results.map((content, index) => ({
        role: 'tool',
        tool_call_id: calls[index]?.id,
        content,
      })),
      ...(answer === null ? [] : [{ role: 'assistant', content: answer }]),
    ];
  });
}

describe('any conversation that the chat door takes', () => {
  it.each([
    MODEL,
    'global.anthropic.claude-sonnet-5',
    'us.amazon.nova-2-lite-v1:0',
    'us.meta.llama4-maverick-17b-instruct-v1:0',
    'mistral.pixtral-large-2502-v1:0',
    'openai.gpt-oss-120b-1:0',
  ])('is one that %s takes', (model) => {
    fc.assert(
      fc.property(
        fc.array(round, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(undefined, 'none', 'auto', 'required'),
        fc.constantFrom(undefined, 'low', 'high'),
        fc.constantFrom(undefined, 200, 5_000),
        (rounds, choice, effort, most) => {
          const request = {
            ...REQUEST,
            messages: messagesFrom(rounds),
            tool_choice: choice,
            reasoning_effort: effort,
            max_tokens: most,
            temperature: 1.7,
          };
          const { body } = codec.encode(readForm(request), { ...TARGET, model });
          expect(bedrockRefusal(body, model)).toBeNull();
        },
      ),
    );
  });
});
