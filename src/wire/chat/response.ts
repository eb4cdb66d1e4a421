/**
 * What POST /v1/chat/completions answers: OpenAI's form, with the cost, the provider and the
 * warnings that are ours, and open for what upstreams add. For documentation, clients and tests;
 * answers on the hot path are forwarded and not parsed.
 */
import { openAiErrorSchema } from '../openai-error.ts';
import { z } from '../z.ts';
import { functionCallSchema } from './message.ts';

const countSchema = z.int().min(0);

const chatUsageSchema = z
  .looseObject({
    prompt_tokens: countSchema,
    completion_tokens: countSchema,
    total_tokens: countSchema,
    prompt_tokens_details: z
      .looseObject({
        cached_tokens: countSchema.optional(),
        cache_write_tokens: countSchema.optional(),
        audio_tokens: countSchema.optional(),
        text_tokens: countSchema.optional(),
        image_tokens: countSchema.optional(),
      })
      .optional(),
    completion_tokens_details: z
      .looseObject({
        reasoning_tokens: countSchema.optional(),
        audio_tokens: countSchema.optional(),
        text_tokens: countSchema.optional(),
        accepted_prediction_tokens: countSchema.optional(),
        rejected_prediction_tokens: countSchema.optional(),
      })
      .optional(),
    cost: z
      .number()
      .min(0)
      .describe('What the request cost, in US dollars, exact to nine decimals as written.'),
    cost_details: z
      .record(z.string(), z.unknown())
      .describe('Dollars by bucket of usage; the buckets are those of the price.'),
  })
  .meta({ id: 'ChatUsage', description: 'Always complete, in whole answers and in streams.' });

const chatWarningSchema = z
  .looseObject({
    code: z.enum(['dropped', 'renamed', 'emulated', 'clamped', 'ignored']),
    param: z.string(),
    message: z.string(),
  })
  .meta({
    id: 'ChatWarning',
    description: 'A setting that the provider does not take as it stands.',
  });

/** Fields of ours beside OpenAI's. */
export const ownAnswerFields = {
  provider: z.string().describe('Who served: the name of the provider, never its host.'),
  warnings: z
    .array(chatWarningSchema)
    .optional()
    .describe('Settings that were dropped, renamed or emulated for this provider.'),
};

const sharedAnswerFields = {
  id: z.string(),
  created: z.int().describe('Seconds since 1970.'),
  model: z.string(),
  service_tier: z.string().nullish(),
  system_fingerprint: z.string().nullish(),
  moderation: z.unknown().optional(),
};

const finishReasonSchema = z.enum([
  'stop',
  'length',
  'tool_calls',
  'content_filter',
  'function_call',
]);

const tokenLogprobSchema = z.looseObject({
  token: z.string(),
  logprob: z.number(),
  bytes: z.array(z.int()).nullable(),
});

const logprobsSchema = z
  .looseObject({
    content: z
      .array(tokenLogprobSchema.extend({ top_logprobs: z.array(tokenLogprobSchema) }))
      .nullable(),
    refusal: z
      .array(tokenLogprobSchema.extend({ top_logprobs: z.array(tokenLogprobSchema) }))
      .nullable(),
  })
  .meta({ id: 'ChatLogprobs' });

const answeredToolCallSchema = z
  .discriminatedUnion('type', [
    z.looseObject({ id: z.string(), type: z.literal('function'), function: functionCallSchema }),
    z.looseObject({
      id: z.string(),
      type: z.literal('custom'),
      custom: z.looseObject({ name: z.string(), input: z.string() }),
    }),
  ])
  .meta({ id: 'ToolCall' });

const annotationSchema = z
  .looseObject({
    type: z.literal('url_citation'),
    url_citation: z.looseObject({
      start_index: z.int(),
      end_index: z.int(),
      url: z.string(),
      title: z.string(),
    }),
  })
  .meta({ id: 'Annotation' });

export const chatResponseSchema = z
  .looseObject({
    ...sharedAnswerFields,
    object: z.literal('chat.completion'),
    choices: z.array(
      z.looseObject({
        index: z.int().min(0),
        finish_reason: finishReasonSchema,
        logprobs: logprobsSchema.nullable(),
        message: z.looseObject({
          role: z.literal('assistant'),
          content: z.string().nullable(),
          refusal: z.string().nullable(),
          tool_calls: z.array(answeredToolCallSchema).optional(),
          function_call: functionCallSchema.nullish(),
          annotations: z.array(annotationSchema).optional(),
          reasoning_content: z.string().nullish(),
          audio: z
            .looseObject({
              id: z.string(),
              data: z.string(),
              expires_at: z.int(),
              transcript: z.string(),
            })
            .nullish(),
        }),
      }),
    ),
    usage: chatUsageSchema,
    ...ownAnswerFields,
  })
  .meta({ id: 'ChatCompletion' });

const deltaSchema = z
  .looseObject({
    role: z.enum(['developer', 'system', 'user', 'assistant', 'tool']).optional(),
    content: z.string().nullish(),
    refusal: z.string().nullish(),
    reasoning_content: z.string().nullish(),
    tool_calls: z
      .array(
        z.looseObject({
          index: z.int().min(0),
          id: z.string().optional(),
          type: z.enum(['function', 'custom']).optional(),
          function: functionCallSchema.partial().optional(),
        }),
      )
      .optional(),
    function_call: functionCallSchema.partial().optional(),
  })
  .meta({ id: 'ChatDelta' });

/** The last chunk before [DONE] has no choices and the usage; the others have none. */
export const chatChunkSchema = z
  .looseObject({
    ...sharedAnswerFields,
    object: z.literal('chat.completion.chunk'),
    choices: z.array(
      z.looseObject({
        index: z.int().min(0),
        delta: deltaSchema,
        finish_reason: finishReasonSchema.nullable(),
        logprobs: logprobsSchema.nullish(),
      }),
    ),
    usage: chatUsageSchema.nullish(),
    obfuscation: z.string().optional(),
    provider: ownAnswerFields.provider.optional(),
    warnings: ownAnswerFields.warnings,
  })
  .meta({
    id: 'ChatCompletionChunk',
    description: 'One event of a stream. The last before `[DONE]` has no choices, and the usage.',
  });

/** What the data of one event of a stream holds, apart from the closing `[DONE]`. */
export const chatStreamEventSchema = z.union([chatChunkSchema, openAiErrorSchema]).meta({
  id: 'ChatCompletionStreamEvent',
  description:
    'The data of one server-sent event: a chunk; or, where the stream broke, an error, which is ' +
    'the last event. Only a whole stream ends with `data: [DONE]`.',
});
