/** Which chat requests are taken, which are refused, and in which words. */
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../errors.ts';
import { LATER_FIELDS, findLaterHeader } from './later.ts';
import { parseChatRequest } from './request.ts';

const BASE = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };

function refusalOf(body: unknown): GatewayError {
  try {
    parseChatRequest(body);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error(`was accepted: ${JSON.stringify(body)}`);
}

function userContent(content: unknown): unknown {
  return { model: 'm', messages: [{ role: 'user', content }] };
}

function assistantWith(fields: object): unknown {
  return { model: 'm', messages: [{ role: 'assistant', ...fields }] };
}

describe('takes what OpenAI and the hosts of its family take', () => {
  it('every parameter of the current API at once, unchanged', () => {
    const body = {
      ...BASE,
      audio: { voice: { id: 'voice_1' }, format: 'wav' },
      frequency_penalty: -2,
      function_call: { name: 'f' },
      functions: [{ name: 'f', parameters: { type: 'object' } }],
      logit_bias: { '50256': -100 },
      logprobs: true,
      max_completion_tokens: 1,
      max_tokens: 9_007_199_254_740_991,
      metadata: { a: 'b' },
      modalities: ['text', 'audio'],
      moderation: { model: 'omni', policy: { input: { mode: 'block' } } },
      n: 128,
      parallel_tool_calls: false,
      prediction: { type: 'content', content: [{ type: 'text', text: 'x' }] },
      presence_penalty: 2,
      prompt_cache_key: 'k',
      prompt_cache_options: { mode: 'explicit', ttl: '30m' },
      prompt_cache_retention: '24h',
      reasoning_effort: 'xhigh',
      response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {} } },
      safety_identifier: 's',
      seed: 2 ** 63,
      service_tier: 'fast',
      stop: ['a', 'b'],
      store: true,
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
      temperature: 2,
      tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{}] } },
      tools: [
        { type: 'function', function: { name: 'f', strict: null } },
        { type: 'custom', custom: { name: 'c', format: { type: 'grammar', grammar: {} } } },
      ],
      top_logprobs: 20,
      top_p: 0,
      user: 'u',
      verbosity: 'low',
      web_search_options: { search_context_size: 'low', user_location: null },
    };
    expect(parseChatRequest(body)).toEqual(body);
  });

  it('fields, parts, tools and roles that only some host knows', () => {
    const body = {
      ...BASE,
      top_k: 5,
      min_p: 0.1,
      repetition_penalty: 'whatever the host says',
      messages: [
        { role: 'developer', content: 'd', host_field: 1 },
        { role: 'user', content: [{ type: 'video_url', video_url: { url: 'https://a/b' } }] },
        { role: 'user', content: [{ type: 'image_url', image_url: 'https://a/b' }] },
        { role: 'assistant', content: null, reasoning_content: 'r', reasoning_details: [{}] },
        { role: 'function', name: 'f', content: null },
      ],
      tools: [{ type: 'web_search' }, { function: { name: 'typeless' } }],
      tool_choice: 'any',
    };
    expect(parseChatRequest(body)).toEqual(body);
  });

  it('null for every optional parameter', () => {
    const names = ['temperature', 'tools', 'stop', 'n', 'stream', 'max_tokens', 'response_format'];
    const body = { ...BASE, ...Object.fromEntries(names.map((name) => [name, null])) };
    expect(parseChatRequest(body)).toEqual(body);
  });

  it('fallback models with and without a first one, and the habit of asking for usage', () => {
    expect(parseChatRequest({ ...BASE, models: ['a', 'b'] }).models).toEqual(['a', 'b']);
    expect(parseChatRequest({ messages: BASE.messages, models: ['a'] }).model).toBeUndefined();
    expect(parseChatRequest({ ...BASE, usage: { include: true } }).model).toBe('m');
  });
});

describe('refuses wrong types by their path', () => {
  it.each<[string, unknown, string, string]>([
    ['model', { ...BASE, model: 5 }, 'a string', 'a number'],
    ['messages', { ...BASE, messages: 'x' }, 'an array', 'a string'],
    ['messages[0].content', userContent(5), 'a string or an array or null', 'a number'],
    ['messages[0].content[0]', userContent(['x']), 'an object', 'a string'],
    [
      'messages[0].content[0].text',
      userContent([{ type: 'text', text: {} }]),
      'a string',
      'an object',
    ],
    [
      'messages[0].content[1].image_url.url',
      userContent([
        { type: 'text', text: 'a' },
        { type: 'image_url', image_url: { url: 5 } },
      ]),
      'a string',
      'a number',
    ],
    [
      'messages[0].content[0].image_url',
      userContent([{ type: 'image_url', image_url: [] }]),
      'a string or an object',
      'an array',
    ],
    [
      'messages[0].tool_calls[0].function.arguments',
      assistantWith({ tool_calls: [{ id: 'a', function: { name: 'f', arguments: {} } }] }),
      'a string',
      'an object',
    ],
    ['messages[0].tool_calls', assistantWith({ tool_calls: {} }), 'an array', 'an object'],
    ['temperature', { ...BASE, temperature: '1' }, 'a number', 'a string'],
    ['n', { ...BASE, n: 1.5 }, 'a whole number', 'a fraction'],
    ['seed', { ...BASE, seed: 0.5 }, 'a whole number', 'a fraction'],
    ['max_tokens', { ...BASE, max_tokens: Infinity }, 'a number', 'a number out of range'],
    ['stop[1]', { ...BASE, stop: ['a', 1] }, 'a string', 'a number'],
    ['tools[0]', { ...BASE, tools: ['f'] }, 'an object', 'a string'],
    ['tool_choice', { ...BASE, tool_choice: true }, 'a string or an object', 'a boolean'],
    ["logit_bias['a b']", { ...BASE, logit_bias: { 'a b': '1' } }, 'a number', 'a string'],
    [
      'stream_options.include_usage',
      { ...BASE, stream_options: { include_usage: 1 } },
      'a boolean',
      'a number',
    ],
  ])('%s', (param, body, expected, got) => {
    const error = refusalOf(body);
    expect(error).toMatchObject({ status: 400, code: 'invalid_type', param });
    expect(error.message).toBe(
      `Invalid type for '${param}': expected ${expected}, but got ${got} instead.`,
    );
  });

  it.each<[string, unknown]>([
    ['model', { messages: BASE.messages }],
    ['messages', { model: 'm' }],
    ['messages[0].role', { model: 'm', messages: [{}] }],
    ['messages[0].content', { model: 'm', messages: [{ role: 'user' }] }],
    ['messages[0].content[0].type', userContent([{ text: 'a' }])],
    ['messages[0].content[0].text', userContent([{ type: 'text' }])],
    ['messages[0].tool_call_id', { model: 'm', messages: [{ role: 'tool', content: '' }] }],
    ['tools[0].function', { ...BASE, tools: [{ type: 'function' }] }],
    ['tools[0].function.name', { ...BASE, tools: [{ type: 'function', function: {} }] }],
  ])('a missing %s', (param, body) => {
    expect(refusalOf(body)).toMatchObject({
      status: 400,
      code: 'missing_required_parameter',
      param,
      message: `Missing required parameter: '${param}'.`,
    });
  });

  it.each<[string, unknown, string]>([
    ['messages', { ...BASE, messages: [] }, 'at least 1 item.'],
    ['model', { ...BASE, model: '' }, 'at least 1 character.'],
    ['models', { ...BASE, models: Array(9).fill('a') }, 'at most 8 items.'],
    ['n', { ...BASE, n: 129 }, 'at most 128.'],
    ['top_logprobs', { ...BASE, top_logprobs: 21 }, 'at most 20.'],
    ['temperature', { ...BASE, temperature: 2.1 }, 'at most 2.'],
    ['max_tokens', { ...BASE, max_tokens: -1 }, 'at least 1.'],
    ['messages[0].role', { model: 'm', messages: [{ role: 'bot' }] }, "'user', 'assistant'"],
  ])('a value of %s that no host takes', (param, body, words) => {
    const error = refusalOf(body);
    expect(error).toMatchObject({ status: 400, code: 'invalid_value', param });
    expect(error.message).toContain(words);
  });

  it.each([[null], [5], ['x'], [[]], [true]])('a body that is no object: %j', (body) => {
    expect(refusalOf(body)).toMatchObject({ code: 'invalid_type', param: 'body' });
  });
});

describe('refuses by name what is not served yet', () => {
  it.each(Object.keys(LATER_FIELDS))(
    'the field %s, whatever its value (contract: Keys and callers, later fields)',
    (param) => {
      for (const value of [null, {}, [], 'x']) {
        const error = refusalOf({ ...BASE, [param]: value });
        expect(error).toMatchObject({ status: 400, code: 'unsupported_parameter', param });
        expect(error.message).toContain(`'${param}' is not available yet.`);
      }
    },
  );

  it('preferences of `provider`, but takes the demand for all parameters', () => {
    const error = refusalOf({ ...BASE, provider: { require_parameters: true, order: ['a'] } });
    expect(error).toMatchObject({ code: 'unsupported_parameter', param: 'provider.order' });
    const provider = { require_parameters: true };
    expect(parseChatRequest({ ...BASE, provider })).toMatchObject({ provider });
    const odd = refusalOf({ ...BASE, provider: { require_parameters: 'yes' } });
    expect(odd).toMatchObject({ code: 'invalid_type', param: 'provider.require_parameters' });
  });

  it.each([
    ['order', ['a']],
    ['only', ['a']],
    ['ignore', ['a']],
    ['allow_fallbacks', false],
    ['sort', 'price'],
    ['max_price', { prompt: 1 }],
    ['data_collection', 'deny'],
    ['zdr', true],
  ])(
    'the preference %s of `provider` (contract: Answers, provider preferences; provider.only)',
    (name, value) => {
      const error = refusalOf({ ...BASE, provider: { [name]: value } });
      expect(error).toMatchObject({
        status: 400,
        code: 'unsupported_parameter',
        param: `provider.${name}`,
      });
    },
  );

  it('the suffixes of a model, also of a fallback (contract: Answers, suffixes)', () => {
    expect(refusalOf({ ...BASE, model: 'm:nitro' })).toMatchObject({ param: 'model' });
    const error = refusalOf({ ...BASE, models: ['a', 'b:floor'] });
    expect(error).toMatchObject({ code: 'unsupported_parameter', param: 'models[1]' });
    expect(error.message).toContain("':floor'");
  });

  it('headers of ours, and no other', () => {
    expect(findLaterHeader('x-omnix-explain')?.param).toBe('x-omnix-explain');
    expect(findLaterHeader('idempotency-key')).toBeNull();
    expect(findLaterHeader('constructor')).toBeNull();
    expect(findLaterHeader('content-type')).toBeNull();
  });
});

describe('malformed input, promise 36', () => {
  it('takes no field from a prototype that the body brings', () => {
    const body: unknown = JSON.parse(
      '{"model":"m","messages":[{"role":"user","content":"a"}],"__proto__":{"stream":true}}',
    );
    const request = parseChatRequest(body);
    expect(request.stream).toBeUndefined();
    expect(Reflect.get({}, 'stream')).toBeUndefined();
  });

  it('repeats no value of the caller in a message, promise 34', () => {
    const canary = 'sk-canary';
    for (const body of [
      { ...BASE, temperature: canary },
      userContent([{ type: 'text', text: [canary] }]),
      { model: 'm', messages: [{ role: canary, content: '' }] },
    ]) {
      expect(refusalOf(body).message).not.toContain(canary);
    }
  });
});
