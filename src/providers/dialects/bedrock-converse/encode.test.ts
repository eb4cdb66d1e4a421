/** Requests as Converse wants them: turns, tools, thinking, media, caches; and what it cannot. */
import { describe, expect, it } from 'vitest';
import { formOf } from '#testing/chat-forms.ts';
import type { ChatForm, Part, Turn } from '#providers/form.ts';
import { listOf, recordOf } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import { GO_ON } from '../anthropic/native.ts';
import { encode } from './encode.ts';
import { OUTPUT_TOOL } from './native.ts';

const SONNET_45 = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
const SONNET_46 = 'global.anthropic.claude-sonnet-4-6';
const OPUS_48 = 'us.anthropic.claude-opus-4-8';
const SONNET_5 = 'global.anthropic.claude-sonnet-5';
const CLAUDE_3 = 'anthropic.claude-3-haiku-20240307-v1:0';
const NOVA = 'eu.amazon.nova-lite-v1:0';
const NOVA_2 = 'us.amazon.nova-2-lite-v1:0';
const LLAMA = 'us.meta.llama4-maverick-17b-instruct-v1:0';
const GPT_OSS = 'openai.gpt-oss-120b-1:0';
const PROFILE = 'arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc';

const PNG = 'iVBORw0KGgoAAAANSUhEUg==';

const user = (...parts: readonly Part[]): Turn => ({ role: 'user', parts });
const assistant = (...parts: readonly Part[]): Turn => ({ role: 'assistant', parts });
const text = (said: string): Part => ({ type: 'text', text: said });
const call = (id: string, said = '{}'): Part => ({
  type: 'tool_call',
  id,
  name: 'look',
  arguments: said,
  format: 'json',
});
const result = (callId: string): Turn => ({
  role: 'tool',
  parts: [{ type: 'tool_result', callId, content: [{ type: 'text', text: 'seen' }] }],
});
const LOOK = { kind: 'function', name: 'look', parameters: { type: 'object' } } as const;

function formWith(more: Partial<ChatForm>): ChatForm {
  return formOf([user(text('hi'))], more);
}

function encoded(form: Partial<ChatForm>, model = SONNET_45) {
  const target = { baseUrl: '', model, region: null, project: null, account: null };
  const { body, warnings } = encode(formWith(form), target);
  return {
    body: recordOf(body),
    warnings: warnings.map(({ code, param }) => `${code} ${param}`),
  };
}

function refusal(form: Partial<ChatForm>, model = SONNET_45): string {
  try {
    encoded(form, model);
  } catch (error) {
    if (error instanceof CannotSay) return error.param;
    throw error;
  }
  throw new Error('it was taken');
}

describe('turns', () => {
  it('join where one speaks twice, and results of one round of calls stand together', () => {
    const turns = [
      user(text('a')),
      user(text('b')),
      assistant(call('1'), call('2')),
      result('1'),
      result('2'),
      user(text('c')),
    ];
    const { body } = encoded({ turns, tools: [LOOK] });
    const answer = (toolUseId: string) => ({
      toolResult: { toolUseId, content: [{ text: 'seen' }] },
    });
    expect(body['messages']).toEqual([
      { role: 'user', content: [{ text: 'a' }, { text: 'b' }] },
      {
        role: 'assistant',
        content: [
          { toolUse: { toolUseId: '1', name: 'look', input: {} } },
          { toolUse: { toolUseId: '2', name: 'look', input: {} } },
        ],
      },
      { role: 'user', content: [answer('1'), answer('2'), { text: 'c' }] },
    ]);
  });

  it('keep words apart from tool results where the model takes no mixture', () => {
    const turns = [user(text('a')), assistant(call('1')), result('1'), user(text('b'))];
    const { body, warnings } = encoded({ turns, tools: [LOOK] }, LLAMA);
    expect(body['messages']).toMatchObject([
      { role: 'user' },
      { role: 'assistant' },
      { role: 'user' },
      { role: 'assistant', content: [{ text: '.' }] },
      { role: 'user', content: [{ text: 'b' }] },
    ]);
    expect(warnings).toEqual(['emulated messages[3]']);
  });

  it('of the assistant may begin a conversation with Claude and with nobody else', () => {
    const turns = [assistant(text('Hello.')), user(text('Hi.'))];
    expect(encoded({ turns }).body['messages']).toMatchObject([{ role: 'assistant' }, {}]);
    expect(refusal({ turns }, NOVA)).toBe('messages');
  });

  it('that say nothing vanish from the assistant and are refused from the user', () => {
    const turns = [user(text('a')), assistant(text(' ')), user(text('b'))];
    expect(encoded({ turns }).body['messages']).toEqual([
      { role: 'user', content: [{ text: 'a' }, { text: 'b' }] },
    ]);
    expect(refusal({ turns: [user(text('a')), user(text(''))] })).toBe('messages[1]');
  });

  it('that the model goes on with end without white space', () => {
    const turns = [user(text('a')), assistant(text('So \n'))];
    for (const model of [SONNET_45, NOVA, PROFILE]) {
      const { body, warnings } = encoded({ turns }, model);
      expect(body['messages']).toMatchObject([{}, { content: [{ text: 'So' }] }]);
      expect(warnings).toEqual([]);
    }
    const thinking = encoded({ turns, reasoning: { effort: 'low' } });
    expect(thinking.body['additionalModelRequestFields']).toBeUndefined();
    expect(thinking.warnings).toEqual(['dropped reasoning_effort']);
  });

  it.each([SONNET_46, OPUS_48, SONNET_5, LLAMA])('end with the user at %s', (model) => {
    const { body, warnings } = encoded({ turns: [user(text('a')), assistant(text('So '))] }, model);
    expect(body['messages']).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: [{ text: 'So ' }] },
      { role: 'user', content: [{ text: GO_ON }] },
    ]);
    expect(warnings).toEqual(['emulated messages']);
  });

  it.each<[string, readonly Turn[], string]>([
    ['a result without its call', [user(text('a')), result('1')], 'messages[1]'],
    [
      'a call without its result',
      [user(text('a')), assistant(call('1')), user(text('b'))],
      'messages[1].tool_calls[0]',
    ],
    [
      'arguments that are no object',
      [user(text('a')), assistant(call('1', '[1')), result('1')],
      'messages[1].content[0]',
    ],
    [
      'an image of the web',
      [user({ type: 'image', source: { kind: 'url', url: 'https://x.example/a.png' } })],
      'messages[0].content[0]',
    ],
    [
      'an image that is none',
      [
        user(text('a'), {
          type: 'image',
          source: { kind: 'base64', mediaType: 'image/png', data: 'aGVsbG8=' },
        }),
      ],
      'messages[0].content[1]',
    ],
  ])('with %s are refused by their path', (_name, turns, path) => {
    expect(refusal({ turns, tools: [LOOK] })).toBe(path);
  });

  it('keep foreign call ids apart and Kimi its own', () => {
    const turns = [user(text('a')), assistant(call('f.x:0'), call('f_x_0'))];
    const all = [...turns, result('f.x:0'), result('f_x_0')];
    const { body } = encoded({ turns: all, tools: [LOOK] });
    expect(JSON.stringify(body).match(/"toolUseId":"[^"]+"/g)).toEqual([
      '"toolUseId":"f_x_0"',
      '"toolUseId":"f_x_0_2"',
      '"toolUseId":"f_x_0"',
      '"toolUseId":"f_x_0_2"',
    ]);
    const kimi = encoded({ turns: all, tools: [LOOK] }, 'moonshot.kimi-k2-thinking');
    expect(JSON.stringify(kimi.body)).toContain('"toolUseId":"f.x:0"');
  });
});

describe('thoughts of earlier turns', () => {
  const thoughts: readonly Part[] = [
    { type: 'reasoning', text: 'mine', summary: false, signature: 's', native: { bedrock: {} } },
    { type: 'reasoning', text: '', summary: false, encrypted: 'ZQ==', native: { bedrock: {} } },
    { type: 'reasoning', text: 'unsigned', summary: false, native: { bedrock: {} } },
    { type: 'reasoning', text: 'theirs', summary: false, signature: 't', native: { google: {} } },
  ];
  const turns = [user(text('a')), assistant(...thoughts, text('b')), user(text('c'))];

  it('go back to Claude if they are its own and signed, and nowhere else', () => {
    expect(encoded({ turns }).body['messages']).toMatchObject([
      {},
      {
        content: [
          { reasoningContent: { reasoningText: { text: 'mine', signature: 's' } } },
          { reasoningContent: { redactedContent: 'ZQ==' } },
          { text: 'b' },
        ],
      },
      {},
    ]);
    expect(JSON.stringify(encoded({ turns }, GPT_OSS).body)).not.toContain('reasoningContent');
    expect(encoded({ turns }).warnings).toEqual([]);
  });
});

describe('tools', () => {
  it('are chosen in every form that Converse has', () => {
    const choose = (toolChoice: NonNullable<ChatForm['toolChoice']>, model = SONNET_45) => {
      const { body, warnings } = encoded({ tools: [LOOK], toolChoice }, model);
      return [recordOf(body['toolConfig'])['toolChoice'], ...warnings];
    };
    expect(choose({ mode: 'auto' })).toEqual([{ auto: {} }]);
    expect(choose({ mode: 'required' })).toEqual([{ any: {} }]);
    const one = { mode: 'one', name: 'look', kind: 'function' } as const;
    expect(choose(one)).toEqual([{ tool: { name: 'look' } }]);
    expect(choose({ mode: 'required' }, LLAMA)).toEqual([undefined, 'dropped tool_choice']);
    const among = { mode: 'among', names: ['look'], required: true } as const;
    expect(choose(among)).toEqual([{ tool: { name: 'look' } }, 'emulated tool_choice']);
  });

  it('are not sent where none may be called', () => {
    const { body, warnings } = encoded({ tools: [LOOK], toolChoice: { mode: 'none' } });
    expect(body['toolConfig']).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it('stay declared where the conversation called them, and are forbidden in words', () => {
    const turns = [user(text('a')), assistant(call('1')), result('1')];
    const { body, warnings } = encoded({ turns });
    expect(body['toolConfig']).toMatchObject({ tools: [{ toolSpec: { name: 'look' } }] });
    expect(body['system']).toEqual([{ text: expect.stringContaining('Do not call') }]);
    expect(warnings).toEqual(['emulated tools']);
  });

  it('take one call at a time where Claude is asked to', () => {
    const { body } = encoded({ tools: [LOOK], parallelToolCalls: false });
    expect(body['additionalModelRequestFields']).toEqual({
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    });
    expect(recordOf(body['toolConfig'])['toolChoice']).toBeUndefined();
  });

  it('of the host are those that the model has', () => {
    const tools = [{ kind: 'hosted', tool: 'web_search', config: {} }] as const;
    const nova = encoded({ tools }, NOVA_2);
    expect(nova.body['toolConfig']).toEqual({
      tools: [{ systemTool: { name: 'nova_grounding' } }],
    });
    expect(encoded({ tools }).warnings).toEqual(['dropped web_search_options']);
  });

  it('are held to a schema where the model is, and the schema does not hold itself', () => {
    const strict = (properties: object, model?: string) => {
      const parameters = { type: 'object', properties, additionalProperties: false };
      const { body, warnings } = encoded({ tools: [{ ...LOOK, parameters, strict: true }] }, model);
      expect(body['toolConfig']).toMatchObject({
        tools: [{ toolSpec: { inputSchema: { json: parameters } } }],
      });
      return [JSON.stringify(body).includes('"strict":true'), ...warnings];
    };
    const unheld = [false, 'dropped tools[0].function.strict'];
    expect(strict({ a: { type: 'string' } })).toEqual([true]);
    expect(strict({ a: { $ref: '#' } })).toEqual(unheld);
    expect(strict({ a: { type: 'object' } })).toEqual(unheld);
    expect(strict({ a: { type: 'string' } }, LLAMA)).toEqual(unheld);
  });

  it('with a schema that is no object are refused by its path', () => {
    const tools = [{ ...LOOK, parameters: { type: 'string' } }];
    expect(refusal({ tools })).toBe('tools[0].function.parameters');
    expect(encoded({ tools: [{ ...LOOK, parameters: {} }] }).body['toolConfig']).toMatchObject({
      tools: [{ toolSpec: { inputSchema: { json: { type: 'object' } } } }],
    });
  });
});

describe('thinking', () => {
  const fieldsOf = (form: Partial<ChatForm>, model?: string) => {
    const { body, warnings } = encoded(form, model);
    return { fields: body['additionalModelRequestFields'], warnings, body };
  };

  it.each<[string, string, ChatForm['reasoning'], unknown]>([
    [
      'a budget',
      SONNET_45,
      { effort: 'low' },
      { thinking: { type: 'enabled', budget_tokens: 4096 } },
    ],
    [
      'the exact budget',
      SONNET_45,
      { budgetTokens: 2000 },
      { thinking: { type: 'enabled', budget_tokens: 2000 } },
    ],
    [
      'an effort',
      SONNET_46,
      { effort: 'high' },
      { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } },
    ],
    ['the own judgement', SONNET_46, { adaptive: true }, { thinking: { type: 'adaptive' } }],
    ['off', SONNET_5, { effort: 'none' }, { thinking: { type: 'disabled' } }],
    [
      'an effort, thoughts shown',
      OPUS_48,
      { effort: 'xhigh' },
      {
        thinking: { type: 'adaptive', display: 'summarized' },
        output_config: { effort: 'xhigh' },
      },
    ],
    ['a level', GPT_OSS, { effort: 'minimal' }, { reasoning_effort: 'low' }],
    [
      "Nova's level",
      NOVA_2,
      { effort: 'medium' },
      { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'medium' } },
    ],
    ['nothing', SONNET_45, { effort: 'none' }, undefined],
  ])('is said as %s', (_name, model, reasoning, fields) => {
    const said = fieldsOf({ reasoning }, model);
    expect(said.fields).toEqual(fields);
    expect(said.warnings).toEqual([]);
  });

  it('stays below the limit of the answer, and off where that leaves too little', () => {
    const clamped = fieldsOf({ reasoning: { budgetTokens: 9000 }, maxOutputTokens: 3000 });
    expect(clamped.fields).toEqual({ thinking: { type: 'enabled', budget_tokens: 2999 } });
    expect(clamped.warnings).toEqual(['clamped reasoning']);
    const off = fieldsOf({ reasoning: { effort: 'high' }, maxOutputTokens: 500 });
    expect(off.fields).toBeUndefined();
    expect(off.warnings).toEqual(['dropped reasoning_effort']);
  });

  it('takes no sampling beside it, and no forced tool', () => {
    const sampling = { temperature: 0.5, topP: 0.9, topK: 5 };
    const warm = fieldsOf({ reasoning: { effort: 'low' }, sampling });
    expect(warm.body['inferenceConfig']).toBeUndefined();
    expect(warm.warnings).toEqual(['dropped temperature', 'dropped top_p', 'dropped top_k']);
    const toolChoice = { mode: 'required' } as const;
    const forced = fieldsOf({ reasoning: { effort: 'low' }, tools: [LOOK], toolChoice });
    expect(forced.fields).toBeUndefined();
    expect(forced.warnings).toEqual(['dropped reasoning_effort']);
  });

  it('keeps the limit where Nova would want none', () => {
    const { fields, warnings, body } = fieldsOf(
      { reasoning: { effort: 'high' }, maxOutputTokens: 100 },
      NOVA_2,
    );
    expect(fields).toEqual({ reasoningConfig: { type: 'enabled', maxReasoningEffort: 'medium' } });
    expect(body['inferenceConfig']).toEqual({ maxTokens: 100 });
    expect(warnings).toEqual(['clamped reasoning_effort']);
  });

  it('is told where the model has no such setting', () => {
    expect(fieldsOf({ reasoning: { effort: 'low' } }, LLAMA).warnings).toEqual([
      'dropped reasoning_effort',
    ]);
  });
});

describe('the form of the answer', () => {
  const closed = { type: 'object', properties: {}, additionalProperties: false };
  const output = (schema: unknown): ChatForm['output'] => ({
    kind: 'json_schema',
    name: 'city',
    schema,
  });

  it('is native where the model knows schemas and this one is closed', () => {
    const { body, warnings } = encoded({ output: output(closed) });
    const jsonSchema = { name: 'city', schema: JSON.stringify(closed) };
    expect(body['outputConfig']).toEqual({
      textFormat: { type: 'json_schema', structure: { jsonSchema } },
    });
    expect(warnings).toEqual([]);
  });

  it('is a forced tool elsewhere, and said so', () => {
    for (const [schema, model] of [
      [{ type: 'object' }, SONNET_45],
      [{ ...closed, properties: { again: { $ref: '#' } } }, SONNET_45],
      [{ ...closed, properties: { a: { allOf: [{ $ref: '#/$defs/a' }] } } }, SONNET_45],
      [{ ...closed, properties: { again: { $ref: '#' } } }, GPT_OSS],
      [closed, NOVA],
      [closed, CLAUDE_3],
    ] as const) {
      const { body, warnings } = encoded({ output: output(schema) }, model);
      expect(body['toolConfig']).toMatchObject({
        tools: [{ toolSpec: { name: OUTPUT_TOOL, inputSchema: { json: schema } } }],
        toolChoice: { tool: { name: OUTPUT_TOOL } },
      });
      expect(warnings).toEqual(['emulated response_format']);
    }
  });

  it('leaves the choice between that tool and the tools of the caller', () => {
    const { body } = encoded({ output: output(closed), tools: [LOOK] }, NOVA);
    expect(body['toolConfig']).toMatchObject({
      tools: [{ toolSpec: { name: 'look' } }, { toolSpec: { name: OUTPUT_TOOL } }],
      toolChoice: { any: {} },
    });
  });

  it('is asked for in words where no tool can be forced', () => {
    const { body, warnings } = encoded({ output: output(closed) }, LLAMA);
    expect(body['system']).toEqual([{ text: expect.stringContaining(JSON.stringify(closed)) }]);
    expect(warnings).toEqual(['emulated response_format']);
  });
});

describe('media', () => {
  const pdf = { kind: 'base64', mediaType: 'application/pdf', data: 'JVBERi0=' } as const;

  it('has documents under clean names, no two alike', () => {
    const file = (filename?: string): Part =>
      filename === undefined
        ? { type: 'file', source: pdf }
        : { type: 'file', source: pdf, filename };
    const turns = [
      user(file('Bericht  2025_ä.pdf'), file('Bericht  2025_ä.pdf'), file(), text('?')),
    ];
    const names = JSON.stringify(encoded({ turns }).body).match(/"name":"[^"]+"/g);
    expect(names).toEqual([
      '"name":"Bericht 2025-"',
      '"name":"Bericht 2025- (2)"',
      '"name":"Document 3"',
    ]);
  });

  it('has words beside documents, as the service demands', () => {
    const file: Part = { type: 'file', source: pdf, cache: { lifetime: '5m' } };
    const blocks = (...turns: readonly Turn[]) => {
      const { body, warnings } = encoded({ turns });
      const said = listOf(body['messages']).map((message) =>
        listOf(recordOf(message)['content']).map((block) => {
          const [[kind, value] = []] = Object.entries(recordOf(block));
          return kind === 'text' ? value : kind;
        }),
      );
      return [...said, ...warnings];
    };
    const spoken = ['document', '\n', 'cachePoint', '.'];
    const told = 'emulated messages';
    expect(blocks(user(file))).toEqual([spoken, told]);
    const twice = [user(file), assistant(text('?')), user(file)];
    expect(blocks(...twice)).toEqual([spoken, ['?'], spoken, told]);
    const beside = ['document', '\n', 'cachePoint', '!'];
    expect(blocks(user(file), user(text('!')))).toEqual([beside]);
  });

  it('is named by what its bytes are', () => {
    const source = { kind: 'base64', mediaType: 'image/jpeg', data: PNG } as const;
    const { body } = encoded({ turns: [user({ type: 'image', source })] });
    expect(body['messages']).toEqual([
      { role: 'user', content: [{ image: { format: 'png', source: { bytes: PNG } } }] },
    ]);
  });

  it('may lie in S3, and films are named shortly', () => {
    const url = 's3://bucket/a.pdf';
    const turns = [
      user(
        { type: 'file', source: { kind: 'url', url }, citable: true },
        { type: 'video', source: { kind: 'base64', mediaType: 'video/3gpp', data: 'AAAA' } },
      ),
    ];
    expect(encoded({ turns }, NOVA).body['messages']).toEqual([
      {
        role: 'user',
        content: [
          {
            document: {
              name: 'Document 1',
              format: 'pdf',
              source: { s3Location: { uri: url } },
              citations: { enabled: true },
            },
          },
          { video: { format: 'three_gp', source: { bytes: 'AAAA' } } },
          { text: '.' },
        ],
      },
    ]);
  });
});

describe('cache points', () => {
  const cached = (said: string, lifetime: '5m' | '1h' = '5m'): Part => ({
    type: 'text',
    text: said,
    cache: { lifetime },
  });
  const point = { cachePoint: { type: 'default' } };

  it('stand behind what they keep, for as long as the model can', () => {
    const turns: readonly Turn[] = [
      { role: 'system', parts: [cached('s', '1h')] },
      user(cached('u', '1h'), text('v')),
    ];
    const hour = { cachePoint: { type: 'default', ttl: '1h' } };
    const claude = encoded({ turns });
    expect(claude.body['system']).toEqual([{ text: 's' }, hour]);
    expect(claude.body['messages']).toEqual([
      { role: 'user', content: [{ text: 'u' }, hour, { text: 'v' }] },
    ]);
    const nova = encoded({ turns }, NOVA);
    expect(nova.body['system']).toEqual([{ text: 's' }, point]);
    expect(nova.warnings).toEqual(['clamped messages[0].content[0].cache_control.ttl']);
    const none = encoded({ turns }, LLAMA);
    expect(none.body['system']).toEqual([{ text: 's' }]);
    expect(none.warnings).toEqual(['ignored messages[0].content[0].cache_control']);
  });

  it('never follow a document directly', () => {
    const source = { kind: 'base64', mediaType: 'text/plain', data: 'YQ==' } as const;
    const file: Part = { type: 'file', source, cache: { lifetime: '5m' } };
    const kinds = (model: string) =>
      JSON.stringify(encoded({ turns: [user(text('a'), file)] }, model).body).match(
        /"(?:text|document|cachePoint)":/g,
      );
    expect(kinds(SONNET_45)).toEqual(['"text":', '"document":', '"text":', '"cachePoint":']);
    expect(kinds(NOVA)).toEqual(['"text":', '"cachePoint":', '"document":']);
  });

  it('are at most four, and the oldest go', () => {
    const turns = ['a', 'b', 'c', 'd', 'e'].map((said) => user(cached(said)));
    const { body, warnings } = encoded({ turns });
    const content = ['a', 'b', point, 'c', point, 'd', point, 'e', point];
    expect(body['messages']).toEqual([
      { role: 'user', content: content.map((said) => (said === point ? said : { text: said })) },
    ]);
    expect(warnings).toEqual(['dropped messages[].content[].cache_control']);
  });
});

describe('settings', () => {
  it('go where each family has them', () => {
    expect(encoded({ sampling: { topK: 5 } }).body).toMatchObject({
      additionalModelRequestFields: { top_k: 5 },
    });
    expect(encoded({ sampling: { topK: 5 } }, NOVA).body).toMatchObject({
      additionalModelRequestFields: { inferenceConfig: { topK: 5 } },
    });
    const both = encoded({ sampling: { temperature: 0.1, topP: 0.2 } });
    expect(both.body['inferenceConfig']).toEqual({ temperature: 0.1 });
    expect(both.warnings).toEqual(['dropped top_p']);
    const none = encoded({ sampling: { temperature: 0.1 } }, OPUS_48);
    expect(none.body['inferenceConfig']).toBeUndefined();
  });

  it('of Converse itself pass, and the rest is told', () => {
    const native = {
      'openai-chat': {
        guardrailConfig: { guardrailIdentifier: 'g' },
        additionalModelRequestFields: { own: 1 },
        min_p: 0.1,
        // These have prices of their own.
        performanceConfig: { latency: 'optimized' },
        serviceTier: { type: 'priority' },
      },
    };
    const { body, warnings } = encoded({ native, sampling: { topK: 3 } });
    expect(body).toMatchObject({
      guardrailConfig: { guardrailIdentifier: 'g' },
      additionalModelRequestFields: { top_k: 3, own: 1 },
    });
    expect(body).not.toHaveProperty('performanceConfig');
    expect(body).not.toHaveProperty('serviceTier');
    const dropped = ['min_p', 'performanceConfig', 'serviceTier'];
    expect(warnings).toEqual(dropped.map((member) => `dropped ${member}`));
  });

  it('take nothing from a model that is only known by a profile of its own', () => {
    const turns = [user({ type: 'text', text: 'a', cache: { lifetime: '1h' } })];
    const toolChoice = { mode: 'required' } as const;
    const { body, warnings } = encoded({ turns, tools: [LOOK], toolChoice }, PROFILE);
    expect(JSON.stringify(body)).toContain('"ttl":"1h"');
    expect(body['toolConfig']).toMatchObject({ toolChoice: { any: {} } });
    expect(warnings).toEqual([]);
  });
});
