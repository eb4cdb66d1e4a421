/**
 * What a Messages request says of a form: conversations brought into its order, settings brought
 * within what the model takes, and a word to the caller wherever something was lost.
 */
import { describe, expect, it } from 'vitest';
import { formOf } from '#testing/chat-forms.ts';
import type { ChatForm, Part, Turn } from '#providers/form.ts';
import { recordOf, listOf, type JsonRecord } from '#providers/json.ts';
import type { Target } from '#providers/provider.ts';
import { anthropicSupport } from './support.ts';
import type { MessagesHabits } from './habits.ts';
import { GO_ON, OUTPUT_TOOL } from './native.ts';

/** An id of a user that is just short enough. */
const LONGEST = 'u'.repeat(256);

const ask: Turn = { role: 'user', parts: [{ type: 'text', text: 'Why?' }], path: 'messages[0]' };

function formWith(more: Partial<ChatForm> = {}): ChatForm {
  return formOf([ask], more);
}

function targetOf(model: string): Target {
  return { baseUrl: 'https://x', model, region: null, project: null, account: null };
}

interface Sent {
  readonly body: JsonRecord;
  readonly told: readonly string[];
}

function send(
  more: Partial<ChatForm>,
  model = 'claude-sonnet-4-5',
  habits: Partial<MessagesHabits> = {},
): Sent {
  const { codec } = anthropicSupport(habits);
  const { body, warnings } = codec.encode(formWith(more), targetOf(model));
  return {
    body: recordOf(body),
    told: warnings.map(({ code, param }) => `${code} ${param}`),
  };
}

function assistant(...parts: readonly Part[]): Turn {
  return { role: 'assistant', parts };
}

function toolCall(id: string, args = '{}'): Part {
  return { type: 'tool_call', id, name: 'f', arguments: args, format: 'json', path: `call ${id}` };
}

function toolResult(callId: string): Turn {
  const part: Part = { type: 'tool_result', callId, content: [], path: `result ${callId}` };
  return { role: 'tool', parts: [part] };
}

describe('conversations', () => {
  it('put results first in the one message after their calls', () => {
    const turns = [ask, assistant(toolCall('a'), toolCall('b')), ask];
    const { body } = send({ turns: [...turns, toolResult('b'), toolResult('a')] });
    expect(listOf(body['messages']).at(-1)).toEqual({
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'b' },
        { type: 'tool_result', tool_use_id: 'a' },
        { type: 'text', text: 'Why?' },
      ],
    });
  });

  it('keep ids that come again, and make legal ones of others', () => {
    const round = [assistant(toolCall('f:0'), toolCall('f.0')), toolResult('f.0')];
    const { body } = send({ turns: [ask, ...round, toolResult('f:0')] });
    const [, calls, results] = listOf(body['messages']);
    expect(listOf(recordOf(calls)['content']).map((block) => recordOf(block)['id'])).toEqual([
      'f_0',
      'f_0_2',
    ]);
    const answered = listOf(recordOf(results)['content']);
    expect(answered.map((block) => recordOf(block)['tool_use_id'])).toEqual(['f_0_2', 'f_0']);
  });

  it.each<[string, readonly Turn[], string]>([
    ['a result without a call', [ask, toolResult('x')], 'result x'],
    ['a call without a result', [ask, assistant(toolCall('x')), ask], 'call x'],
    ['two calls of one id', [ask, assistant(toolCall('x'), toolCall('x'))], 'call x'],
    ['arguments that are no object', [ask, assistant(toolCall('x', '[1]'))], 'call x'],
    ['arguments cut short', [ask, assistant(toolCall('x', '{"a'))], 'call x'],
    ['an empty question', [{ ...ask, parts: [{ type: 'text', text: ' ' }] }], 'messages[0]'],
    ['no question at all', [{ ...ask, role: 'system' }], 'messages'],
  ])('refuse %s and say where', (_case, turns, param) => {
    expect(() => send({ turns })).toThrow(expect.objectContaining({ name: 'CannotSay', param }));
  });

  it('move instructions to the front, and say so where they stood in the middle', () => {
    const rule: Turn = { role: 'developer', parts: [{ type: 'text', text: 'Be brief.' }] };
    expect(send({ turns: [rule, ask] })).toMatchObject({ body: { system: 'Be brief.' }, told: [] });
    const late = send({ turns: [ask, { ...rule, path: 'messages[1]' }] });
    expect(late).toMatchObject({ body: { system: 'Be brief.' }, told: ['emulated messages[1]'] });
  });

  it('return only thoughts that this dialect made and signed', () => {
    const thought = { type: 'reasoning', text: 'Hm.', summary: false } as const;
    const own = { anthropic: {} };
    const turn = assistant(
      { ...thought, signature: 'sig', native: own },
      { ...thought, native: own },
      { ...thought, signature: 'sig', native: { google: {} } },
      { ...thought, signature: 'sig' },
      { ...thought, text: '', encrypted: 'blob', native: own },
      { type: 'text', text: 'So.' },
    );
    const { body, told } = send({ turns: [ask, turn, ask] });
    expect(recordOf(listOf(body['messages'])[1])['content']).toEqual([
      { type: 'thinking', thinking: 'Hm.', signature: 'sig' },
      { type: 'redacted_thinking', data: 'blob' },
      { type: 'text', text: 'So.' },
    ]);
    expect(told).toEqual([]);
  });

  it('keep at most four cache breakpoints, the long-lived first', () => {
    const text = (lifetime: '5m' | '1h'): Part => ({
      type: 'text',
      text: 'x',
      cache: { lifetime },
    });
    const parts = [text('1h'), text('1h'), text('5m'), text('1h'), text('5m'), text('5m')];
    const { body, told } = send({ turns: [{ ...ask, parts }] });
    const blocks = listOf(recordOf(listOf(body['messages'])[0])['content']).map(recordOf);
    expect(
      blocks.map((block) => recordOf(block['cache_control'])['ttl'] ?? block['cache_control']),
    ).toEqual(['1h', undefined, undefined, '1h', { type: 'ephemeral' }, { type: 'ephemeral' }]);
    expect(told).toEqual(['dropped messages[].content[].cache_control']);
  });
});

describe('answers that are begun', () => {
  const begin = (model: string, ...parts: readonly Part[]) => {
    const { body, told } = send({ turns: [ask, assistant(...parts)] }, model);
    return { end: listOf(body['messages']).slice(1), told };
  };
  const text = (said: string): Part => ({ type: 'text', text: said });
  const goOn = { role: 'user', content: [{ type: 'text', text: GO_ON }] };

  it.each(['claude-3-haiku', 'claude-opus-4-1', 'claude-haiku-4-5', 'my-deployment'])(
    'end without white space at %s',
    (model) => {
      const { end, told } = begin(model, text('One \n'), text('two: \n'));
      const content = ['One \n', 'two:'].map((said) => ({ type: 'text', text: said }));
      expect(end).toEqual([{ role: 'assistant', content }]);
      expect(told).toEqual([]);
    },
  );

  it.each([
    'claude-opus-4-6',
    'claude-sonnet-4-6',
    'claude-opus-4-7',
    'claude-sonnet-5',
    'claude-fable-5-1',
  ])('are gone on with by a question at %s', (model) => {
    const { end, told } = begin(model, text('So: '));
    const said = { role: 'assistant', content: [{ type: 'text', text: 'So: ' }] };
    expect(end).toEqual([said, goOn]);
    expect(told).toEqual(['emulated messages']);
  });

  it('stay the end where a hosted tool only paused', () => {
    const native = { anthropic: { type: 'server_tool_use' } };
    const search: Part = {
      type: 'hosted_tool_call',
      id: 's',
      tool: 'web_search',
      input: {},
      native,
    };
    for (const model of ['claude-sonnet-4-5', 'claude-opus-5']) {
      const { end, told } = begin(model, text('So: '), search);
      expect(end).toMatchObject([{ content: [{ text: 'So: ' }, { type: 'server_tool_use' }] }]);
      expect(told).toEqual([]);
    }
  });

  it('are gone on with without thinking, where they began without', () => {
    const turns = [ask, assistant(text('So:'))];
    const { body, told } = send({ turns, reasoning: { effort: 'low' } });
    expect(body['thinking']).toBeUndefined();
    expect(told).toEqual(['dropped reasoning']);
  });
});

describe('media', () => {
  const file = { type: 'file', path: 'p', filename: 'a', citable: true } as const;
  const inline = (mediaType: string, data: string) =>
    ({ kind: 'base64', mediaType, data }) as const;

  it.each<[string, Part, unknown]>([
    [
      'a PDF',
      { ...file, source: inline('application/octet-stream', 'JVBERi0x') },
      { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0x' },
    ],
    [
      'a text',
      { ...file, source: inline('text/csv', btoa('a,b')) },
      { type: 'text', media_type: 'text/plain', data: 'a,b' },
    ],
    ['an address', { ...file, source: { kind: 'url', url: 'https://x/y' } }, { type: 'url' }],
    ['an upload', { ...file, source: { kind: 'file_id', fileId: 'file_1' } }, { type: 'file' }],
  ])('send %s as a document with its title', (_case, part, source) => {
    const { body } = send({ turns: [{ ...ask, parts: [part] }] });
    expect(body['messages']).toMatchObject([
      { content: [{ type: 'document', source, title: 'a', citations: { enabled: true } }] },
    ]);
  });

  it.each<[string, Part]>([
    ['an image that is none', { type: 'image', path: 'p', source: inline('image/png', 'AAAA') }],
    ['a Word file', { ...file, source: inline('application/msword', 'AAAA') }],
    ['a text that is not UTF-8', { ...file, source: inline('text/plain', '/////w==') }],
    ["another provider's upload", { ...file, source: { kind: 'file_id', fileId: 'file-1' } }],
    ['sound', { type: 'audio', path: 'p', source: inline('audio/wav', 'AAAA') }],
  ])('refuse %s', (_case, part) => {
    const refusal = expect.objectContaining({ name: 'CannotSay', param: 'p' });
    expect(() => send({ turns: [{ ...ask, parts: [part] }] })).toThrow(refusal);
  });
});

describe('thinking', () => {
  const enabled = (tokens: number) => ({ type: 'enabled', budget_tokens: tokens });

  it.each<[string, string, Partial<ChatForm>, JsonRecord, readonly string[]]>([
    [
      'a level as a budget',
      'claude-sonnet-4-5',
      { reasoning: { effort: 'low' } },
      { thinking: enabled(4_096) },
      [],
    ],
    [
      'a level that leaves room to answer',
      'claude-opus-4-1',
      { reasoning: { effort: 'max' } },
      { thinking: enabled(25_600) },
      [],
    ],
    [
      'a budget not below what is taken',
      'claude-haiku-4-5',
      { reasoning: { budgetTokens: 5 } },
      { thinking: enabled(1_024) },
      ['clamped reasoning'],
    ],
    [
      'a budget below the bound',
      'claude-haiku-4-5',
      { reasoning: { budgetTokens: 9_000 }, maxOutputTokens: 2_000 },
      { thinking: enabled(1_999) },
      ['clamped reasoning'],
    ],
    [
      'nothing where the bound leaves no room',
      'claude-haiku-4-5',
      { reasoning: { effort: 'high' }, maxOutputTokens: 900 },
      {},
      ['dropped reasoning'],
    ],
    [
      'a level to models that judge themselves',
      'claude-opus-4-6',
      { reasoning: { effort: 'high' } },
      { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } },
      [],
    ],
    [
      'the nearest level',
      'claude-opus-4-6',
      { reasoning: { effort: 'minimal' } },
      { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
      ['clamped reasoning'],
    ],
    [
      'thoughts that would be hidden',
      'claude-opus-4-8',
      { reasoning: { effort: 'xhigh' } },
      { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'xhigh' } },
      [],
    ],
    [
      'a budget as a level where budgets are gone',
      'claude-sonnet-5',
      { reasoning: { budgetTokens: 9_000, show: 'none' } },
      { thinking: { type: 'adaptive', display: 'omitted' }, output_config: { effort: 'medium' } },
      ['emulated reasoning'],
    ],
    [
      'an end to it where it is on unasked',
      'claude-opus-5',
      { reasoning: { effort: 'none' } },
      { thinking: { type: 'disabled' } },
      [],
    ],
    [
      'the least there is where it cannot end',
      'claude-sonnet-5-5',
      { reasoning: { effort: 'none' } },
      { thinking: { type: 'between_tools' } },
      [],
    ],
    [
      'no end to it where there is none',
      'claude-fable-5',
      { reasoning: { effort: 'none' } },
      {},
      ['ignored reasoning'],
    ],
    [
      'nothing to models that do not think',
      'claude-3-haiku-20240307',
      { reasoning: { effort: 'high' } },
      {},
      ['dropped reasoning'],
    ],
  ])('gets %s', (_case, model, form, sent, warnings) => {
    const { body, told } = send(form, model);
    const { thinking, output_config: config } = body;
    expect({ thinking, output_config: config }).toEqual(sent);
    expect(told).toEqual(warnings);
  });

  it('gives way to a demanded call, and to a loop that began without it', () => {
    const reasoning = { effort: 'low' } as const;
    const tools: ChatForm['tools'] = [{ kind: 'function', name: 'f' }];
    const forced = send({ reasoning, tools, toolChoice: { mode: 'required' } });
    expect(forced.body['thinking']).toBeUndefined();
    expect(forced.body['tool_choice']).toEqual({ type: 'any' });
    const turns = [ask, assistant(toolCall('a')), toolResult('a')];
    const begun = send({ reasoning, tools, turns });
    expect(begun.body['thinking']).toBeUndefined();
    expect([...forced.told, ...begun.told]).toEqual(['dropped reasoning', 'dropped reasoning']);
  });

  it('forbids what sampling may else ask for', () => {
    const sampling = { temperature: 0.2, topP: 0.5, topK: 9 };
    const { body, told } = send({ reasoning: { effort: 'low' }, sampling });
    expect(body).not.toHaveProperty('temperature');
    expect(body).not.toHaveProperty('top_k');
    expect(body['top_p']).toBe(0.95);
    expect(told).toEqual(['dropped temperature', 'dropped top_k', 'clamped top_p']);
  });
});

describe('settings', () => {
  it.each<[string, ChatForm['sampling'], JsonRecord, readonly string[]]>([
    [
      'claude-3-haiku',
      { temperature: 2, topP: 0.5 },
      { temperature: 1, top_p: 0.5 },
      ['clamped temperature'],
    ],
    ['claude-sonnet-4-5', { temperature: 0.5, topP: 0.5 }, { temperature: 0.5 }, ['dropped top_p']],
    ['claude-opus-5', { temperature: 1, topP: 1 }, {}, []],
    ['claude-opus-5', { temperature: 0 }, {}, ['dropped temperature']],
  ])('of %s keep within what it takes: %o', (model, sampling, sent, warnings) => {
    const { body, told } = send({ sampling }, model);
    const { temperature, top_p: topP } = body;
    expect({ temperature, top_p: topP }).toEqual({
      temperature: undefined,
      top_p: undefined,
      ...sent,
    });
    expect(told).toEqual(warnings);
  });

  it.each<[string, number | undefined, number, readonly string[]]>([
    ['claude-opus-4-1-20250805', undefined, 32_000, []],
    ['claude-3-opus-20240229', 9_000, 4_096, ['clamped max_completion_tokens']],
    ['claude-haiku-4-5@20251001', 7, 7, []],
    ['some-model', undefined, 4_096, []],
    ['some-model', 900_000, 900_000, []],
  ])('bound %s with %s asked for at %i', (model, asked, sent, warnings) => {
    const { body, told } = send(asked === undefined ? {} : { maxOutputTokens: asked }, model);
    expect(body['max_tokens']).toBe(sent);
    expect(told).toEqual(warnings);
  });

  it.each(['user-7', '10023456789', '0b6f7e4a-8f0e-4a39-9a3f-2b6c1d7e5f90', 'a@b', LONGEST])(
    'name the user by an opaque id (%#)',
    (endUser) => {
      const { body, told } = send({ endUser });
      expect(body['metadata']).toEqual({ user_id: endUser });
      expect(told).toEqual([]);
    },
  );

  it.each([
    'alice@example.com',
    'user: alice@example.com',
    '+41791234567',
    '079-123 45 67',
    '(415) 555.0100',
    `${LONGEST}u`,
  ])('leave the user unnamed rather than be refused (%#)', (endUser) => {
    const { body, told } = send({ endUser });
    expect(body).not.toHaveProperty('metadata');
    expect(told).toEqual(['dropped user']);
  });

  it('say what the dialect has no words for', () => {
    const sampling = { seed: 1, frequencyPenalty: 1, presencePenalty: 0, logitBias: {} };
    const { told } = send({ sampling, choices: 2, serviceTier: 'flex', metadata: { a: 'b' } });
    expect(told).toEqual([
      'dropped frequency_penalty',
      'dropped seed',
      'dropped n',
      'dropped metadata',
      'dropped service_tier',
    ]);
  });
});

describe('tools', () => {
  const tool = { kind: 'function', name: 'f', parameters: { type: 'object' } } as const;
  const other = { kind: 'function', name: 'g' } as const;

  it.each<[string, Partial<ChatForm>, unknown]>([
    ['no word', {}, undefined],
    ['auto', { toolChoice: { mode: 'auto' } }, { type: 'auto' }],
    ['none', { toolChoice: { mode: 'none' }, parallelToolCalls: false }, { type: 'none' }],
    ['required', { toolChoice: { mode: 'required' } }, { type: 'any' }],
    [
      'one by name',
      { toolChoice: { mode: 'one', name: 'f', kind: 'function' } },
      { type: 'tool', name: 'f' },
    ],
    [
      'one at a time',
      { parallelToolCalls: false },
      { type: 'auto', disable_parallel_tool_use: true },
    ],
    ['many at a time', { parallelToolCalls: true }, undefined],
  ])('are chosen by %s', (_case, form, choice) => {
    expect(send({ tools: [tool], ...form }).body['tool_choice']).toEqual(choice);
  });

  it('are only the allowed ones where the choice is among some', () => {
    const toolChoice = { mode: 'among', names: ['g'], required: true } as const;
    const { body, told } = send({ tools: [tool, other], toolChoice });
    expect(body['tools']).toMatchObject([{ name: 'g', input_schema: { type: 'object' } }]);
    expect(body['tool_choice']).toEqual({ type: 'any' });
    expect(told).toEqual(['emulated tool_choice']);
  });

  it('are held strictly to their schema, but not to one that holds itself', () => {
    const strict = (properties: JsonRecord): ChatForm['tools'] => {
      const parameters = { type: 'object', properties, additionalProperties: false };
      return [{ ...tool, parameters, strict: true }];
    };
    const flat = send({ tools: strict({ n: { type: 'integer' } }) });
    expect(flat.body['tools']).toMatchObject([{ strict: true }]);
    const deep = send({ tools: strict({ n: { $ref: '#' } }) });
    expect(deep.body['tools']).toEqual([
      {
        name: 'f',
        input_schema: {
          type: 'object',
          properties: { n: { $ref: '#' } },
          additionalProperties: false,
        },
      },
    ]);
    expect([flat.told, deep.told]).toEqual([[], ['dropped tools[].function.strict']]);
  });

  it('cannot be demanded of the newest models', () => {
    const { body, told } = send(
      { tools: [tool], toolChoice: { mode: 'required' } },
      'claude-opus-5-5',
    );
    expect(body['tool_choice']).toEqual({ type: 'auto' });
    expect(told).toEqual(['dropped tool_choice']);
  });

  it('of the host are searched for on the web, and versioned ones go as they are', () => {
    const near = { user_location: { type: 'approximate', approximate: { country: 'CH' } } };
    const tools: ChatForm['tools'] = [
      { kind: 'hosted', tool: 'web_search', config: near },
      { kind: 'hosted', tool: 'web_fetch_20250910', config: { max_uses: 2 } },
      { kind: 'hosted', tool: 'image_generation', config: {} },
    ];
    const { body, told } = send({ tools });
    expect(body['tools']).toEqual([
      {
        type: 'web_search_20250305',
        name: 'web_search',
        user_location: { type: 'approximate', country: 'CH' },
      },
      { type: 'web_fetch_20250910', name: 'web_fetch', max_uses: 2 },
    ]);
    expect(told).toEqual(['dropped tools']);
  });
});

describe('a format of the answer', () => {
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer', minimum: 1 } },
    required: ['n'],
    additionalProperties: false,
  };
  const output = { kind: 'json_schema', name: 'count', schema } as const;

  it('is kept natively, with what cannot be enforced in the description', () => {
    const { body, told } = send({ output });
    const n = { type: 'integer', description: '{minimum: 1}' };
    const closed = { ...schema, properties: { n } };
    expect(body['output_config']).toEqual({ format: { type: 'json_schema', schema: closed } });
    expect(told).toEqual([]);
  });

  it.each<[string, ChatForm['output'], string, Partial<MessagesHabits>]>([
    ['the model', output, 'claude-opus-4-1', {}],
    ['the host', output, 'claude-sonnet-4-5', { nativeOutput: false }],
    ['its open schema', { ...output, schema: { type: 'object' } }, 'claude-sonnet-4-5', {}],
    [
      'a schema that holds itself',
      { ...output, schema: { ...schema, properties: { n: { $ref: '#' } } } },
      'claude-sonnet-4-5',
      {},
    ],
  ])('is a forced tool where %s allows no other, and reads back as text', (...row) => {
    const [, wanted, model, habits] = row;
    const { body, told } = send({ output: wanted }, model, habits);
    expect(body['tools']).toMatchObject([{ name: OUTPUT_TOOL, input_schema: { type: 'object' } }]);
    expect(body['tool_choice']).toEqual({ type: 'any' });
    expect(told).toEqual(['emulated response_format']);
    const call = { type: 'tool_use', id: 't', name: OUTPUT_TOOL, input: { n: 1 } };
    const answer = { content: [call], stop_reason: 'tool_use' };
    expect(anthropicSupport().codec.decode(answer).choices[0]).toMatchObject({
      parts: [{ type: 'text', text: '{"n":1}' }],
      finish: { reason: 'stop', native: 'tool_use' },
    });
  });
});

describe('hosts', () => {
  it('get a body without the model, with the version in it, as data', () => {
    const habits = { modelInBody: false, bodyVersion: 'vertex-2023-10-16', mediaUrls: false };
    const { body } = send({ stream: true }, 'claude-sonnet-4-5', habits);
    expect(body).not.toHaveProperty('model');
    expect(body).toMatchObject({ anthropic_version: 'vertex-2023-10-16', stream: true });
  });

  it('get names of betas where they want them', () => {
    const native = { anthropic: { mcp_servers: [{ type: 'url', name: 'a', url: 'https://a' }] } };
    const { codec } = anthropicSupport();
    const encoded = codec.encode(formWith({ native }), targetOf('claude-sonnet-4-5'));
    expect(encoded.headers).toEqual([['anthropic-beta', 'mcp-client-2025-04-04']]);
    const { body } = send({ native }, 'claude-sonnet-4-5', { betas: 'body' });
    expect(body['anthropic_beta']).toEqual(['mcp-client-2025-04-04']);
  });
});
