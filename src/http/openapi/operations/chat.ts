/** Chat completions, whole and streamed. */
import { chatRequestSchema } from '#wire/chat/request.ts';
import { chatResponseSchema, chatStreamEventSchema } from '#wire/chat/response.ts';
import type { ErrorCode } from '#wire/errors.ts';
import { maxCostHeadersSchema } from '#wire/estimate.ts';
import type { Content, Examples, HeaderName, Operation, PossibleError } from '../operation.ts';

const QUESTION = { role: 'user', content: 'Say hello.' } as const;

const WEATHER = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather of a city.',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', enum: ['Bern'] } },
      required: ['city'],
    },
  },
} as const;

const REQUESTS: Examples = {
  hello: {
    summary: 'A question, with the sandbox: needs no provider and costs nothing',
    value: { model: 'sandbox/echo', messages: [QUESTION] },
  },
  stream: {
    summary: 'The same, streamed',
    value: { model: 'sandbox/echo', messages: [QUESTION], stream: true },
  },
  tools: {
    summary: 'Tools',
    value: { model: 'sandbox/tools', messages: [QUESTION], tools: [WEATHER] },
  },
  fallbacks: {
    summary: 'Fallbacks, a bound and parts',
    value: {
      model: 'sandbox/slow',
      models: ['sandbox/echo'],
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'Say hello.' }] },
      ],
      max_completion_tokens: 64,
      temperature: 0.2,
    },
  },
};

const USAGE = {
  prompt_tokens: 3,
  completion_tokens: 3,
  total_tokens: 6,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  cost: 0.000_009,
  cost_details: {
    upstream_inference_cost: 0.000_009,
    upstream_inference_prompt_cost: 0.000_003,
    upstream_inference_completions_cost: 0.000_006,
  },
} as const;

const HEAD = {
  id: 'chatcmpl-01m7y2h8tsn1eavmh6aq18w90k',
  created: 1_795_231_884,
  model: 'sandbox/echo',
} as const;

const CHUNK = { ...HEAD, object: 'chat.completion.chunk' } as const;

const WHOLE: Content = {
  schema: chatResponseSchema,
  examples: {
    answer: {
      summary: 'An answer',
      value: {
        ...HEAD,
        object: 'chat.completion',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: 'Say hello.', refusal: null },
            logprobs: null,
            finish_reason: 'stop',
          },
        ],
        usage: USAGE,
        provider: 'sandbox',
      },
    },
  },
};

const EVENTS: Content = {
  schema: chatStreamEventSchema,
  examples: {
    chunk: {
      summary: 'data: a piece of the answer',
      value: {
        ...CHUNK,
        choices: [{ index: 0, delta: { content: 'Say' }, logprobs: null, finish_reason: null }],
      },
    },
    usage: {
      summary: 'data: the last chunk before [DONE]',
      value: { ...CHUNK, choices: [], provider: 'sandbox', usage: USAGE },
    },
    error: {
      summary: 'data: what ends a stream that broke; no [DONE] follows',
      value: {
        error: {
          message: 'The provider failed to answer.',
          type: 'server_error',
          param: null,
          code: 'upstream_error',
          metadata: {
            error_type: 'upstream',
            provider: 'openai',
            limit_source: null,
            retryable: true,
            docs_url: '/docs/errors#upstream_error',
            request_id: 'req_01m7y2h8tyfdv7d3g6m2xmc7w4',
          },
        },
      },
    },
  },
};

/** Of every answer of a model. */
export const INFERENCE_HEADERS = [
  'x-generation-id',
  'openai-processing-ms',
  'openai-version',
] as const satisfies readonly HeaderName[];

/** Statuses with which a provider may refuse a request as it stands; its words are passed on. */
const REFUSED_BY_PROVIDER = [404, 409, 413, 415, 422] as const;
const PROVIDER_CODES = [
  'invalid_request_error',
  'context_length_exceeded',
  'content_filter',
] as const satisfies readonly ErrorCode[];

/** Of every request that a provider runs. */
export const INFERENCE_ERRORS: readonly PossibleError[] = [
  ...PROVIDER_CODES,
  ...PROVIDER_CODES.flatMap((code) => REFUSED_BY_PROVIDER.map((status) => [code, status] as const)),
  'insufficient_credits',
  'key_limit_exceeded',
  'max_cost_exceeded',
  'permission_denied',
  'model_not_found',
  'rate_limit_exceeded',
  'upstream_error',
  'no_healthy_endpoint',
  'upstream_timeout',
];

export const CHAT_OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/chat/completions',
    operationId: 'createChatCompletion',
    once: true,
    tag: 'Chat',
    summary: 'Create a chat completion',
    description:
      'With `stream: true` the answer is a stream of server-sent events: `data: ` and the JSON of ' +
      'a ChatCompletionStreamEvent, an empty line, and so on, then `data: [DONE]`. The status is ' +
      '200 only once the provider has begun to answer. Leaving ends the work at the provider ' +
      'where that is possible, and what was done until then is charged.',
    caller: 'inference',
    headers: maxCostHeadersSchema,
    body: { schema: chatRequestSchema, examples: REQUESTS },
    answers: {
      200: {
        description: 'The whole answer, or with `stream: true` its events.',
        content: { 'application/json': WHOLE, 'text/event-stream': EVENTS },
        headers: INFERENCE_HEADERS,
      },
    },
    errors: INFERENCE_ERRORS,
  },
];
