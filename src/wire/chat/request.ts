/**
 * The request of POST /v1/chat/completions: every parameter of OpenAI's current API, our own
 * routing fields, and room for what hosts add. Types are strict, because a wrong type is always a
 * mistake; values and ranges only where all hosts agree, because the upstream judges better what
 * its model takes.
 */
import type { GatewayError } from '../errors.ts';
import { toRequestError } from '../issues.ts';
import { invalidType, notYetAvailable } from '../refusals.ts';
import { z } from '../z.ts';
import { contentPartSchema } from './content.ts';
import { findLaterField } from './later.ts';
import { messageSchema } from './message.ts';

export const MODELS_MAX = 8;
export const MODEL_ID_LENGTH_MAX = 256;

export const modelIdSchema = z.string().min(1).max(MODEL_ID_LENGTH_MAX);
/**
 * A whole number of any size: seeds are 64 bits wide, which is more than JavaScript keeps
 * exactly.
 */
const wholeNumberSchema = z
  .number()
  .refine(Number.isInteger, { params: { expected: 'a whole number' } });
const tokenLimitSchema = z.int().min(1);
const openObjectSchema = z.looseObject({});

const functionDefinitionSchema = z
  .looseObject({
    name: z.string(),
    description: z.string().nullish(),
    parameters: openObjectSchema.nullish().describe('A JSON Schema of the arguments.'),
    strict: z.boolean().nullish(),
  })
  .meta({ id: 'FunctionDefinition' });

const customToolSchema = z.looseObject({
  name: z.string(),
  description: z.string().nullish(),
  format: z.looseObject({ type: z.string() }).nullish(),
});

/** Functions, custom tools, and whatever a host runs itself. Mistral's clients leave `type` out. */
const toolSchema = z
  .looseObject({
    type: z.string().nullish(),
    function: functionDefinitionSchema.nullish(),
    custom: customToolSchema.nullish(),
  })
  .superRefine((tool, context) => {
    const path = (tool.type ?? 'function') === 'function' ? 'function' : 'custom';
    const needed = path === 'function' || tool.type === 'custom';
    if (needed && (tool[path] ?? null) === null) {
      context.addIssue({ code: 'custom', path: [path], params: { expected: 'an object' } });
    }
  })
  .meta({
    id: 'Tool',
    description: 'A function, a custom tool, or one that a provider runs itself.',
  });

const toolChoiceSchema = z
  .union([
    z.string(),
    z.looseObject({
      type: z.string().nullish(),
      function: z.looseObject({ name: z.string() }).nullish(),
      custom: z.looseObject({ name: z.string() }).nullish(),
      allowed_tools: z
        .looseObject({ mode: z.string(), tools: z.array(openObjectSchema) })
        .nullish(),
    }),
  ])
  .meta({ id: 'ToolChoice', description: '`none`, `auto`, `required`, or one tool by name.' });

const responseFormatSchema = z
  .looseObject({
    type: z.string().describe('`text`, `json_object` or `json_schema`.'),
    json_schema: z
      .looseObject({
        name: z.string().nullish(),
        description: z.string().nullish(),
        schema: openObjectSchema.nullish(),
        strict: z.boolean().nullish(),
      })
      .nullish(),
  })
  .meta({ id: 'ResponseFormat' });

const samplingFields = {
  temperature: z
    .number()
    .min(0)
    .max(2)
    .nullish()
    .describe('How much chance there is in the answer.'),
  top_p: z
    .number()
    .min(0)
    .max(1)
    .nullish()
    .describe('Only the most likely tokens, up to this share.'),
  frequency_penalty: z.number().nullish().describe('Against words that were said often.'),
  presence_penalty: z.number().nullish().describe('Against words that were said at all.'),
  logit_bias: z.record(z.string(), z.number()).nullish().describe('Bias by token id.'),
  logprobs: z
    .union([z.boolean(), z.int()])
    .nullish()
    .describe('Whether to tell probabilities; a number on hosts that keep the older form.'),
  top_logprobs: z.int().min(0).max(20).nullish(),
  n: z.int().min(1).max(128).nullish().describe('How many answers.'),
  seed: wholeNumberSchema.nullish().meta({
    type: ['integer', 'null'],
    description: 'The same seed gives the same answer where the provider can.',
  }),
  stop: z
    .union([z.string(), z.array(z.string())])
    .nullish()
    .describe('Where the answer ends.'),
  max_tokens: tokenLimitSchema.nullish().describe('The older name of max_completion_tokens.'),
  max_completion_tokens: tokenLimitSchema
    .nullish()
    .describe('Bounds the answer, reasoning included, and what the request can cost.'),
  reasoning_effort: z.string().nullish().describe('`none`, `low`, `medium`, `high` and so on.'),
  verbosity: z.string().nullish().describe('`low`, `medium` or `high`.'),
};

const outputFields = {
  stream: z.boolean().nullish().describe('Answer in server-sent events.'),
  stream_options: z
    .looseObject({
      include_usage: z
        .boolean()
        .nullish()
        .describe('Taken; the last chunk has the usage in any case.'),
      include_obfuscation: z.boolean().nullish(),
    })
    .nullish(),
  response_format: responseFormatSchema.nullish(),
  modalities: z.array(z.string()).nullish().describe('`text`, `audio`.'),
  audio: z
    .looseObject({
      voice: z.union([z.string(), z.looseObject({ id: z.string() })]).nullish(),
      format: z.string().nullish(),
    })
    .nullish(),
  prediction: z
    .looseObject({
      type: z.string(),
      content: z.union([z.string(), z.array(contentPartSchema)]),
    })
    .nullish(),
};

const toolFields = {
  tools: z.array(toolSchema).nullish(),
  tool_choice: toolChoiceSchema.nullish(),
  parallel_tool_calls: z
    .boolean()
    .nullish()
    .describe('Whether several tools may be called at once.'),
  functions: z.array(functionDefinitionSchema).nullish().describe('The older form of tools.'),
  function_call: z
    .union([z.string(), z.looseObject({ name: z.string() })])
    .nullish()
    .describe('The older form of tool_choice.'),
  web_search_options: z
    .looseObject({
      search_context_size: z.string().nullish(),
      user_location: openObjectSchema.nullish(),
    })
    .nullish(),
};

const accountFields = {
  store: z.boolean().nullish(),
  metadata: openObjectSchema.nullish().describe('Passed on to providers that keep it.'),
  user: z.string().nullish().describe('Your name for the person behind the request.'),
  safety_identifier: z.string().nullish(),
  service_tier: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
  prompt_cache_options: z
    .looseObject({ mode: z.string().nullish(), ttl: z.string().nullish() })
    .nullish(),
  prompt_cache_retention: z.string().nullish(),
  moderation: z
    .looseObject({ model: z.string().nullish(), policy: openObjectSchema.nullish() })
    .nullish(),
};

/** Fields of ours: read here, and taken out before an upstream sees the body. */
const ownFields = {
  models: z
    .array(modelIdSchema)
    .min(1)
    .max(MODELS_MAX)
    .nullish()
    .describe('Fallbacks, in order, after `model`.'),
  usage: z
    .looseObject({ include: z.boolean().nullish() })
    .nullish()
    .describe('OpenRouter’s way to ask for the cost, which is always there.'),
  provider: z
    .looseObject({
      require_parameters: z
        .boolean()
        .nullish()
        .describe('Only where every setting is taken as it stands.'),
    })
    .nullish()
    .meta({ id: 'ProviderPreferences' }),
};

export const OWN_FIELDS: readonly string[] = Object.keys(ownFields);

export const chatRequestSchema = z
  .looseObject({
    model: modelIdSchema.optional().describe('May be left out where `models` names at least one.'),
    messages: z.array(messageSchema).min(1),
    ...samplingFields,
    ...outputFields,
    ...toolFields,
    ...accountFields,
    ...ownFields,
  })
  .superRefine((request, context) => {
    if (request.model === undefined && (request.models ?? []).length === 0) {
      context.addIssue({ code: 'custom', path: ['model'], params: { expected: 'a string' } });
    }
  })
  .meta({
    id: 'ChatCompletionRequest',
    description:
      'OpenAI’s parameters and our routing fields. Fields that are not listed go to the provider ' +
      'as they are.',
  });

export type ChatRequest = z.infer<typeof chatRequestSchema>;

/**
 * Checks a parsed body. Throws a GatewayError (400) that names the first field at fault. Unknown
 * fields stay in the result.
 */
export function parseChatRequest(body: unknown): ChatRequest {
  const refusal = refuseLater(body);
  if (refusal !== null) throw refusal;
  const parsed = chatRequestSchema.safeParse(body);
  if (!parsed.success) throw toRequestError(parsed.error, body);
  return parsed.data;
}

function refuseLater(body: unknown): GatewayError | null {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return invalidType('body', 'an object', Array.isArray(body) ? 'an array' : 'another value');
  }
  const later = findLaterField(body);
  return later === null ? null : notYetAvailable(later);
}
