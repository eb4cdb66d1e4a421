/** The receipt of one generation, with OpenRouter's field names where it has them. */
import type { StrictForm } from './strict.ts';
import { z } from './z.ts';

export const generationQuerySchema = z.strictObject({
  id: z.string().meta({
    description: 'The generation (`gen_...`), or the request (`req_...`) that it was made for.',
    examples: ['gen_01m7xh7n4bwmks16wbqdmz1zdm'],
  }),
});

export const generationForm = {
  place: 'GET /v1/generation',
  schema: generationQuerySchema,
  later: [],
  amounts: [],
} as const satisfies StrictForm<typeof generationQuerySchema>;

const attemptSchema = z
  .looseObject({
    endpoint: z.string().describe('Provider and model at the provider.'),
    outcome: z.string(),
    status: z.int().nullish().describe('What the provider answered, where it did.'),
    ms: z.number().describe('Milliseconds.'),
  })
  .meta({ id: 'GenerationAttempt' });

/** What stands on every receipt is required; the rest depends on how far the request came. */
const generationSchema = z
  .looseObject({
    id: z.string().describe('`gen_...`'),
    request_id: z.string().describe('`req_...`, as in the header x-request-id of the answer.'),
    total_cost: z.number().describe('What was charged, corrections included, in US dollars.'),
    usage: z.number().describe('The same as `total_cost`, under OpenRouter’s name.'),
    created_at: z.iso.datetime(),
    status: z
      .enum(['completed', 'cancelled', 'broken', 'failed', 'interrupted', 'corrected'])
      .describe(
        '`cancelled`: the client left. `broken`, `failed`: free. `interrupted`: the gateway ' +
          'stopped during the request, and nothing was charged. `corrected`: a correction was ' +
          'posted later.',
      ),
    outcome: z.string().optional().describe('How the request ended, whatever came later.'),
    model: z.string().optional(),
    upstream_model: z.string().optional().describe('Its name at the provider.'),
    provider_name: z.string().nullish(),
    streamed: z.boolean().optional(),
    cancelled: z.boolean().optional(),
    finish_reason: z.string().nullish(),
    native_finish_reason: z.string().nullish().describe('The provider’s own word.'),
    latency: z.number().nullish().describe('Milliseconds, from the request to the end.'),
    time_to_first_token: z.number().nullish().describe('Milliseconds.'),
    generation_time: z.number().nullish().describe('Milliseconds after the first token.'),
    tokens_prompt: z.int().optional(),
    tokens_completion: z.int().optional(),
    native_tokens_prompt: z.int().optional(),
    native_tokens_completion: z.int().optional(),
    native_tokens_reasoning: z.int().optional(),
    native_tokens_cached: z.int().optional(),
    native_usage: z.unknown().optional().describe('The provider’s own usage, as it stood.'),
    usage_source: z
      .string()
      .optional()
      .describe('Who counted: `upstream`, `counted` (by the gateway) or `none`.'),
    usage_flags: z.array(z.string()).optional().describe('What was wrong with the numbers.'),
    buckets: z
      .record(z.string(), z.number())
      .optional()
      .describe('Usage in disjoint buckets, named as the prices that apply to them.'),
    service_tier: z
      .string()
      .nullish()
      .describe('The service tier that was billed, where that was not the standard one.'),
    price: z
      .looseObject({
        version: z.string(),
        source: z.string(),
        effective_date: z.string(),
        list: z.record(z.string(), z.unknown()),
        tiers: z.array(z.unknown()),
      })
      .optional()
      .describe('The price that was used, with where it comes from.'),
    arithmetic: z.unknown().optional().describe('How the cost follows from usage and price.'),
    waived: z
      .string()
      .nullish()
      .describe('Why less was charged than the price of the usage, or nothing.'),
    attempts: z.array(attemptSchema).optional(),
    warnings: z.array(z.unknown()).optional(),
    key_metadata: z
      .record(z.string(), z.string())
      .optional()
      .describe('What was noted on the key when the request came.'),
    key_tags: z.array(z.string()).optional(),
    is_byok: z.boolean().optional(),
  })
  .meta({ id: 'Generation' });

export const generationResponseSchema = z
  .object({ data: generationSchema })
  .meta({ id: 'GenerationResponse' });
