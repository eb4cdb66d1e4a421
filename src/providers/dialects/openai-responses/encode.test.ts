/** Chat conversations, written as input items for models that OpenAI serves only as responses. */
import { describe, expect, it } from 'vitest';
import { isRecord, type JsonRecord } from '#providers/json.ts';
import { CannotSay, type Encoded, type Target } from '#providers/provider.ts';
import { readForm } from '../openai-chat/read-form.ts';
import { encode } from './encode.ts';

const TARGET: Target = {
  baseUrl: 'https://api.openai.com/v1',
  model: 'host-model',
  region: null,
  project: null,
  account: null,
};

const HI = { role: 'user', content: 'Hi' };

function encoded(more: JsonRecord, messages: readonly unknown[] = [HI]): Encoded {
  return encode(readForm({ model: 'm', messages, ...more }), TARGET);
}

function bodyOf(more: JsonRecord, messages?: readonly unknown[]): JsonRecord {
  const { body } = encoded(more, messages);
  if (!isRecord(body)) throw new Error('no body');
  return body;
}

function warned(more: JsonRecord): readonly string[] {
  return encoded(more).warnings.map(({ code, param }) => `${code} ${param}`);
}

describe('a chat request as a response', () => {
  it('keeps its state with the caller', () => {
    expect(encoded({})).toEqual({
      body: {
        model: 'host-model',
        input: [{ role: 'user', content: 'Hi' }],
        store: false,
        include: ['reasoning.encrypted_content'],
      },
      warnings: [],
      said: [],
    });
    expect(bodyOf({ store: true })).toEqual({
      model: 'host-model',
      input: [{ role: 'user', content: 'Hi' }],
      store: true,
    });
  });

  it('says every setting in its own words', () => {
    const schema = { type: 'object' };
    const body = bodyOf({
      stream: true,
      max_completion_tokens: 500,
      reasoning_effort: 'xhigh',
      reasoning: { summary: 'auto' },
      verbosity: 'low',
      response_format: { type: 'json_schema', json_schema: { name: 'n', schema } },
      temperature: 0.5,
      top_p: 0.9,
      logprobs: true,
      top_logprobs: 2,
      parallel_tool_calls: false,
      service_tier: 'flex',
      prompt_cache_key: 'k',
      prompt_cache_retention: '24h',
      user: 'u',
      metadata: { run: '7' },
      tools: [
        { type: 'function', function: { name: 'f', parameters: schema } },
        { type: 'custom', custom: { name: 'c', format: { type: 'text' } } },
      ],
      tool_choice: { type: 'function', function: { name: 'f' } },
    });
    expect(body).toEqual({
      model: 'host-model',
      input: [{ role: 'user', content: 'Hi' }],
      store: false,
      include: ['reasoning.encrypted_content', 'message.output_text.logprobs'],
      stream: true,
      max_output_tokens: 500,
      reasoning: { effort: 'xhigh', summary: 'auto' },
      text: { format: { type: 'json_schema', name: 'n', schema, strict: false }, verbosity: 'low' },
      temperature: 0.5,
      top_p: 0.9,
      top_logprobs: 2,
      parallel_tool_calls: false,
      service_tier: 'flex',
      prompt_cache_key: 'k',
      prompt_cache_retention: '24h',
      user: 'u',
      metadata: { run: '7' },
      tools: [
        { type: 'function', name: 'f', parameters: schema, strict: false },
        { type: 'custom', name: 'c' },
      ],
      tool_choice: { type: 'function', name: 'f' },
    });
  });

  it('names the members that it said without a word of the form', () => {
    const { said } = encoded({ prompt_cache_retention: '24h', prediction: { type: 'content' } });
    expect(said).toEqual(['prompt_cache_retention']);
  });

  it('names what it could not say', () => {
    const request = { stop: ['x'], seed: 1, n: 2, presence_penalty: 1, frequency_penalty: 0 };
    expect([...warned({ ...request, max_tokens: 5 })].toSorted()).toEqual([
      'clamped max_completion_tokens',
      'dropped n',
      'dropped presence_penalty',
      'dropped seed',
      'dropped stop',
    ]);
    expect(bodyOf({ max_tokens: 5 })).toMatchObject({ max_output_tokens: 16 });
  });

  it('says every choice of tools', () => {
    const tools = [
      { type: 'function', function: { name: 'f' } },
      { type: 'custom', custom: { name: 'c' } },
    ];
    const choose = (choice: unknown): unknown =>
      bodyOf({ tools, tool_choice: choice })['tool_choice'];
    expect(choose('none')).toBe('none');
    expect(choose('required')).toBe('required');
    expect(choose({ type: 'custom', custom: { name: 'c' } })).toEqual({
      type: 'custom',
      name: 'c',
    });
    const allowed = { mode: 'required', tools: [tools[1]] };
    expect(choose({ type: 'allowed_tools', allowed_tools: allowed })).toEqual({
      type: 'allowed_tools',
      mode: 'required',
      tools: [{ type: 'custom', name: 'c' }],
    });
  });

  it('searches the web where chat asks for it', () => {
    const place = { type: 'approximate', approximate: { city: 'Bern' } };
    const { tools } = bodyOf({ web_search_options: { user_location: place } });
    expect(tools).toEqual([
      { type: 'web_search', user_location: { type: 'approximate', city: 'Bern' } },
    ]);
    expect(warned({ web_search_options: {} })).toEqual([]);
  });
});

describe('a loop of tools', () => {
  const detail = { format: 'openai-responses-v1', id: 'rs_1' };
  const loop = [
    { role: 'developer', content: 'Be brief.' },
    HI,
    {
      role: 'assistant',
      content: null,
      reasoning_details: [
        { type: 'reasoning.summary', summary: 'One.', ...detail, index: 0 },
        { type: 'reasoning.summary', summary: 'Two.', ...detail, index: 1 },
        { type: 'reasoning.encrypted', data: 'blob', ...detail, index: 2 },
        { type: 'reasoning.text', text: 'Claude', signature: 's', format: 'anthropic-claude-v1' },
      ],
      tool_calls: [
        { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } },
        { id: 'call_2', type: 'custom', custom: { name: 'c', input: 'x + y' } },
      ],
    },
    { role: 'tool', tool_call_id: 'call_1', content: 'one' },
    { role: 'tool', tool_call_id: 'call_2', content: [{ type: 'text', text: 'two' }] },
  ];

  it('returns the encrypted state before the call that came of it', () => {
    expect(bodyOf({}, loop)['input']).toEqual([
      { role: 'developer', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [
          { type: 'summary_text', text: 'One.' },
          { type: 'summary_text', text: 'Two.' },
        ],
        encrypted_content: 'blob',
      },
      { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' },
      { type: 'custom_tool_call', call_id: 'call_2', name: 'c', input: 'x + y' },
      { type: 'function_call_output', call_id: 'call_1', output: 'one' },
      { type: 'custom_tool_call_output', call_id: 'call_2', output: 'two' },
    ]);
  });

  it('leaves out a thought that nothing came of, which OpenAI would refuse', () => {
    const reasoning_details = [{ type: 'reasoning.encrypted', data: 'blob', ...detail, index: 0 }];
    const thought = { role: 'assistant', content: '', reasoning_details };
    expect(bodyOf({}, [HI, thought, HI])['input']).toEqual([HI, HI]);
  });
});

describe('media', () => {
  it('go as images and files, in messages and in results', () => {
    const png = 'data:image/png;base64,iVBORw0KGgo=';
    const content = [
      { type: 'text', text: 'Look', prompt_cache_breakpoint: { mode: 'explicit' } },
      { type: 'image_url', image_url: { url: png, detail: 'low' } },
      { type: 'file', file: { file_id: 'file-1' } },
    ];
    const { input } = bodyOf({}, [{ role: 'user', content }]);
    expect(input).toEqual([
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'Look', prompt_cache_breakpoint: { mode: 'explicit' } },
          { type: 'input_image', image_url: png, detail: 'low' },
          { type: 'input_file', file_id: 'file-1' },
        ],
      },
    ]);
  });

  it('are refused where they are sounds', () => {
    const data = btoa('RIFF0000WAVEfmt ');
    const content = [{ type: 'input_audio', input_audio: { data, format: 'wav' } }];
    expect(() => encoded({}, [{ role: 'user', content }])).toThrow(CannotSay);
  });
});
