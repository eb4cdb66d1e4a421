/**
 * What POST /v1/chat/completions answers: OpenAI's form, with the cost, the provider and the
 * warnings that are ours, and open for what upstreams add. For documentation, clients and tests;
 * answers on the hot path are forwarded and not parsed.
 */
import { z } from '../z.ts';

const countSchema = z.int().min(0);

const chatUsageSchema = z.looseObject({
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
  /** US dollars, exact to nine decimals as written. */
  cost: z.number().min(0).openapi({ description: 'What the request cost, in US dollars.' }),
  /** Dollars by bucket of usage; the buckets are those of the price. */
  cost_details: z.record(z.string(), z.unknown()),
});

const chatWarningSchema = z.looseObject({
  code: z.enum(['dropped', 'renamed', 'emulated', 'clamped', 'ignored']),
  param: z.string(),
  message: z.string(),
});

/** Fields of ours beside OpenAI's. */
const ownAnswerFields = {
  /** Who served: the name of the provider, never its host. */
  provider: z.string(),
  /** Settings that were dropped, renamed or emulated for this upstream. */
  warnings: z.array(chatWarningSchema).optional(),
};

const sharedAnswerFields = {
  id: z.string(),
  created: z.int(),
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

const logprobsSchema = z.looseObject({
  content: z
    .array(tokenLogprobSchema.extend({ top_logprobs: z.array(tokenLogprobSchema) }))
    .nullable(),
  refusal: z
    .array(tokenLogprobSchema.extend({ top_logprobs: z.array(tokenLogprobSchema) }))
    .nullable(),
});

const functionCallSchema = z.looseObject({ name: z.string(), arguments: z.string() });

const answeredToolCallSchema = z.discriminatedUnion('type', [
  z.looseObject({ id: z.string(), type: z.literal('function'), function: functionCallSchema }),
  z.looseObject({
    id: z.string(),
    type: z.literal('custom'),
    custom: z.looseObject({ name: z.string(), input: z.string() }),
  }),
]);

const annotationSchema = z.looseObject({
  type: z.literal('url_citation'),
  url_citation: z.looseObject({
    start_index: z.int(),
    end_index: z.int(),
    url: z.string(),
    title: z.string(),
  }),
});

export const chatResponseSchema = z.looseObject({
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
});

const deltaSchema = z.looseObject({
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
});

/** The last chunk before [DONE] has no choices and the usage; the others have none. */
export const chatChunkSchema = z.looseObject({
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
});
