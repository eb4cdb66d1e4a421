/** Settings and tools of a chat body, in the words of the common form. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, recordOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import { readForm, unsaid, wantsFunctionCall } from './read-form.ts';

const HI = { messages: [{ role: 'user', content: 'Hi' }] };

function read(fields: JsonRecord): ReturnType<typeof readForm> {
  return readForm({ model: 'm', ...HI, ...fields });
}

/** Members of bodies, messages and parts, so that random JSON gets far. */
const MEMBERS = (
  'messages role content type text image_url url file file_data tool_calls function name arguments ' +
  'id tool_call_id function_call tools tool_choice reasoning reasoning_details extra_content thinking response_format stop ' +
  'logit_bias cache_control __proto__ constructor'
).split(' ');

function formOrPath(body: JsonRecord): ReturnType<typeof readForm> | string {
  try {
    return readForm(body);
  } catch (error) {
    if (error instanceof CannotSay) return error.param;
    throw error;
  }
}

function refusalOf(fields: JsonRecord): string {
  const form = formOrPath({ model: 'm', ...HI, ...fields });
  return typeof form === 'string' ? form : 'taken';
}

describe('a body becomes a form', () => {
  it('of nothing but what was asked for', () => {
    expect(readForm({ model: 'm', ...HI })).toEqual({
      turns: [
        {
          role: 'user',
          parts: [{ type: 'text', text: 'Hi', path: 'messages[0].content' }],
          path: 'messages[0]',
        },
      ],
      tools: [],
      output: { kind: 'text' },
      modalities: ['text'],
      reasoning: {},
      sampling: {},
      choices: 1,
      stream: false,
      native: {},
    });
  });

  it('with every setting that the form has a word for', () => {
    const form = read({
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      frequency_penalty: 0.1,
      presence_penalty: -0.1,
      seed: 7,
      stop: 'END',
      logit_bias: { '50256': -100 },
      logprobs: true,
      top_logprobs: 3,
      n: 2,
      max_tokens: 10,
      max_completion_tokens: 20,
      stream: true,
      stream_options: { include_usage: true },
      modalities: ['text', 'audio'],
      audio: { voice: { id: 'v' }, format: 'mp3' },
      verbosity: 'low',
      service_tier: 'flex',
      store: false,
      prompt_cache_key: 'k',
      safety_identifier: 'hash',
      user: 'u',
      metadata: { a: 'b' },
      parallel_tool_calls: true,
    });
    expect(form).toMatchObject({
      sampling: {
        temperature: 0.5,
        topP: 0.9,
        topK: 40,
        frequencyPenalty: 0.1,
        presencePenalty: -0.1,
        seed: 7,
        stop: ['END'],
        logitBias: { '50256': -100 },
        logprobs: true,
        topLogprobs: 3,
      },
      choices: 2,
      maxOutputTokens: 20,
      stream: true,
      modalities: ['text', 'audio'],
      audioOutput: { voice: { id: 'v' }, format: 'mp3' },
      verbosity: 'low',
      serviceTier: 'flex',
      store: false,
      promptCacheKey: 'k',
      endUser: 'hash',
      metadata: { a: 'b' },
      parallelToolCalls: true,
      native: {},
    });
  });

  it('where null says nothing', () => {
    const names = ['temperature', 'stop', 'n', 'tools', 'tool_choice', 'reasoning', 'thinking'];
    const more = ['response_format', 'reasoning_effort', 'verbosity', 'audio', 'min_p', 'seed'];
    const nothing = Object.fromEntries([...names, ...more].map((name) => [name, null]));
    expect(read(nothing)).toEqual(read({}));
  });

  it('and names what other dialects have no word for', () => {
    const prediction = { type: 'content', content: 'x' };
    const form = read({ prediction, min_p: 0.1, moderation: {}, usage: { include: true } });
    expect(form.native).toEqual({ 'openai-chat': { prediction, min_p: 0.1, moderation: {} } });
    expect(unsaid(form).map(({ code, param }) => `${code} ${param}`)).toEqual([
      'dropped prediction',
      'dropped min_p',
    ]);
  });
});

describe('how much to think', () => {
  it.each<[JsonRecord, object]>([
    [{ reasoning_effort: 'xhigh' }, { effort: 'xhigh' }],
    [{ reasoning_effort: 'default' }, {}],
    [{ reasoning: { effort: 'low', exclude: true } }, { effort: 'low', show: 'none' }],
    [{ reasoning: { max_tokens: 2_000 } }, { budgetTokens: 2_000 }],
    [{ reasoning: { enabled: true } }, { effort: 'medium' }],
    [{ reasoning: { enabled: false } }, { effort: 'none' }],
    [{ reasoning: { summary: 'auto' } }, { show: 'summary' }],
    [{ thinking: { type: 'enabled', budget_tokens: 1_024 } }, { budgetTokens: 1_024 }],
    [{ thinking: { type: 'enabled' } }, { adaptive: true }],
    [{ thinking: { type: 'adaptive', display: 'omitted' } }, { adaptive: true, show: 'none' }],
    [{ thinking: { type: 'disabled' } }, { effort: 'none' }],
    [{ thinking: { clear_thinking: false } }, {}],
    [{ reasoning: { effort: 'low' }, reasoning_effort: 'high' }, { effort: 'high' }],
  ])('%j', (fields, reasoning) => {
    const form = read(fields);
    expect(form.reasoning).toEqual(reasoning);
    expect(form.native).toEqual({});
  });
});

describe('what to answer in', () => {
  const schema = { type: 'object' };
  it.each<[JsonRecord, object]>([
    [{ type: 'text' }, { kind: 'text' }],
    [{ type: 'json_object' }, { kind: 'json' }],
    [
      { type: 'json_schema', json_schema: { name: 'n', schema, strict: true, description: 'd' } },
      { kind: 'json_schema', name: 'n', schema, strict: true, description: 'd' },
    ],
    [{ type: 'json_schema', json_schema: { name: 'n' } }, { kind: 'json' }],
    [
      { type: 'json_object', schema },
      { kind: 'json_schema', name: 'response', schema },
    ],
  ])('%j', (format, output) => {
    expect(read({ response_format: format }).output).toEqual(output);
  });
});

describe('tools', () => {
  it('of every kind', () => {
    const grammar = { syntax: 'lark', definition: 'start: "a"' };
    const form = read({
      tools: [
        {
          type: 'function',
          function: { name: 'f', description: 'd', parameters: { type: 'object' }, strict: null },
          cache_control: { type: 'ephemeral', ttl: '1h' },
        },
        { function: { name: 'typeless', strict: true } },
        { type: 'custom', custom: { name: 'c', format: { type: 'grammar', grammar } } },
        { type: 'web_search_20250305', name: 'web_search', max_uses: 2 },
      ],
      web_search_options: { search_context_size: 'low' },
    });
    expect(form.tools).toEqual([
      {
        kind: 'function',
        name: 'f',
        description: 'd',
        parameters: { type: 'object' },
        cache: { lifetime: '1h' },
      },
      { kind: 'function', name: 'typeless', strict: true },
      { kind: 'custom', name: 'c', grammar },
      {
        kind: 'hosted',
        tool: 'web_search_20250305',
        config: { name: 'web_search', max_uses: 2 },
      },
      { kind: 'hosted', tool: 'web_search', config: { search_context_size: 'low' } },
    ]);
    expect(wantsFunctionCall(form)).toBe(false);
  });

  it('of the legacy form, which has room for one call', () => {
    const form = read({ functions: [{ name: 'f', parameters: {} }], function_call: { name: 'f' } });
    expect(form.tools).toMatchObject([{ kind: 'function', name: 'f', parameters: {} }]);
    expect(form.toolChoice).toEqual({ mode: 'one', name: 'f', kind: 'function' });
    expect(form.parallelToolCalls).toBe(false);
    expect(form.native).toEqual({});
    expect(wantsFunctionCall(form)).toBe(true);
  });

  const named = { type: 'function', function: { name: 'f' } };
  it.each<[unknown, object]>([
    ['auto', { mode: 'auto' }],
    ['none', { mode: 'none' }],
    ['required', { mode: 'required' }],
    ['any', { mode: 'required' }],
    [{ type: 'any' }, { mode: 'required' }],
    [named, { mode: 'one', name: 'f', kind: 'function' }],
    [
      { type: 'tool', name: 'f' },
      { mode: 'one', name: 'f', kind: 'function' },
    ],
    [
      { type: 'custom', custom: { name: 'c' } },
      { mode: 'one', name: 'c', kind: 'custom' },
    ],
    [{ type: 'web_search' }, { mode: 'one', name: 'web_search', kind: 'hosted' }],
    [
      {
        type: 'allowed_tools',
        allowed_tools: {
          mode: 'required',
          tools: [named, { type: 'custom', custom: { name: 'c' } }],
        },
      },
      { mode: 'among', names: ['f', 'c'], required: true },
    ],
  ])('chosen by %j', (choice, expected) => {
    expect(read({ tool_choice: choice }).toolChoice).toEqual(expected);
  });
});

describe('a value that means nothing is refused by its path', () => {
  it.each<[string, JsonRecord]>([
    ['reasoning_effort', { reasoning_effort: 'huge' }],
    ['reasoning.effort', { reasoning: { effort: 5 } }],
    ['thinking.type', { thinking: { type: 'sometimes' } }],
    ['verbosity', { verbosity: 'chatty' }],
    ['response_format.type', { response_format: { type: 'xml' } }],
    ['modalities[1]', { modalities: ['text', 'smell'] }],
    ['tool_choice', { tool_choice: 'maybe' }],
    ['tool_choice.function', { tool_choice: { type: 'function' } }],
    [
      'tool_choice.allowed_tools.tools[0]',
      { tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{}] } } },
    ],
    ['top_k', { top_k: 'many' }],
    ['metadata', { metadata: { a: 1 } }],
    [
      'tools[0].cache_control.ttl',
      { tools: [{ function: { name: 'f' }, cache_control: { type: 'ephemeral', ttl: '2h' } }] },
    ],
  ])('%s', (param, fields) => {
    expect(refusalOf(fields)).toBe(param);
  });

  it('whatever JSON comes, the only complaint is a path, promise 36', () => {
    const key = fc.constantFrom(...MEMBERS);
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.dictionary(key, fc.jsonValue({ maxDepth: 1 })),
    );
    const body = fc.dictionary(key, fc.oneof(value, fc.array(fc.dictionary(key, value))));
    fc.assert(
      fc.property(body, (said) => {
        const form = formOrPath(said);
        expect(typeof form === 'string' ? form : form.turns.length).not.toBe('');
      }),
      { numRuns: 500 },
    );
  });

  it('and no name of a prototype becomes a member, promise 36', () => {
    const text = '{"messages":[{"role":"user","content":"a"}],"__proto__":{"stream":true}}';
    const form = readForm(recordOf(parseJson(text)));
    expect(form).toMatchObject({ stream: false, native: {} });
    expect(Reflect.get({}, 'stream')).toBeUndefined();
  });
});
