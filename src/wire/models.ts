/**
 * The list of models: valid for OpenAI's clients, with what OpenRouter's clients look for beside
 * it.
 */
import { z } from './z.ts';

const modelPricingSchema = z
  .looseObject({
    prompt: z.string(),
    completion: z.string(),
    request: z.string().optional(),
    image: z.string().optional(),
    input_cache_read: z.string().optional(),
    input_cache_write: z.string().optional(),
    internal_reasoning: z.string().optional(),
    input_cache_write_1h: z.string().optional(),
    audio: z.string().optional(),
    audio_output: z.string().optional(),
    image_output: z.string().optional(),
    second: z.string().optional(),
    character: z.string().optional(),
  })
  .meta({
    id: 'ModelPricing',
    description:
      'Decimal strings in US dollars per token or per unit, as OpenRouter writes prices.',
  });
export type ModelPricing = z.infer<typeof modelPricingSchema>;

const modelSchema = z
  .looseObject({
    id: z.string(),
    object: z.literal('model'),
    created: z.int().min(0).describe('Seconds since 1970; 0 where the lab does not say.'),
    owned_by: z.string(),
    shutdown_date: z.iso.date().nullish().describe('The day on which it is shut down.'),
    successor: z.string().nullish().describe('What its lab recommends in its place.'),
    name: z.string().optional(),
    description: z.string().optional(),
    context_length: z.int().nullish().describe('Tokens.'),
    architecture: z
      .looseObject({
        modality: z.string().optional().describe('Both lists in one word: `text+image->text`.'),
        input_modalities: z.array(z.string()),
        output_modalities: z.array(z.string()),
      })
      .optional(),
    pricing: modelPricingSchema.optional(),
    top_provider: z
      .looseObject({
        context_length: z.int().nullish(),
        max_completion_tokens: z.int().nullish(),
        is_moderated: z.boolean().optional(),
      })
      .optional(),
    supported_parameters: z.array(z.string()).optional(),
    warnings: z
      .array(z.looseObject({ code: z.string(), message: z.string() }))
      .optional()
      .describe('Its end, from sixty days before.'),
    capabilities: z.array(z.string()).readonly().optional(),
    providers: z.array(z.string()).optional().describe('Who serves it here.'),
    alias: z
      .array(z.string())
      .readonly()
      .optional()
      .describe('The models that this name stands for, in order.'),
    available: z
      .boolean()
      .optional()
      .describe('With `?available=all`: whether this key can use it now.'),
  })
  .meta({ id: 'Model' });

export const modelListResponseSchema = z
  .object({ object: z.literal('list'), data: z.array(modelSchema) })
  .meta({ id: 'ModelList' });

/** Dollars by bucket of usage, per million tokens or per unit (`price.ts`). */
const priceListSchema = z.record(z.string(), z.string());

const modelEndpointSchema = z
  .looseObject({
    name: z.string(),
    model_name: z.string(),
    provider_name: z.string(),
    model: z.string().describe('Its name at the provider.'),
    context_length: z.int().nullable(),
    max_completion_tokens: z.int().nullable(),
    pricing: modelPricingSchema,
    price: priceListSchema.describe('US dollars per million tokens or per unit, by bucket.'),
    price_tiers: z
      .array(z.looseObject({ above_input_tokens: z.int() }))
      .describe('Prices of requests with more input than this.'),
    price_batch: priceListSchema.optional(),
    price_source: z.string(),
    price_effective_date: z.string(),
    shutdown_date: z.iso.date().nullable(),
    supported_parameters: z.array(z.string()),
  })
  .meta({
    id: 'ModelEndpoint',
    description: 'A place where a model can run, and its price there.',
  });

const endpointsSchema = z
  .array(modelEndpointSchema)
  .describe('Where it can run, in the order in which places are tried.');

/** GET /v1/models/{id}. */
export const modelResponseSchema = z
  .looseObject({ ...modelSchema.shape, endpoints: endpointsSchema })
  .meta({ id: 'ModelWithEndpoints' });

/** GET /v1/models/{id}/endpoints, as OpenRouter has it. */
export const modelEndpointsResponseSchema = z
  .object({
    data: z.looseObject({
      id: z.string(),
      name: z.string(),
      created: z.int(),
      architecture: modelSchema.shape.architecture,
      endpoints: endpointsSchema,
    }),
  })
  .meta({ id: 'ModelEndpointsResponse' });

const LIST = 'Names with commas between them; every one must be there.';

/** The filters of GET /v1/models; `http/v1/model-filters.ts` reads them. */
export const modelListQuerySchema = z.strictObject({
  available: z
    .literal('all')
    .optional()
    .describe('The whole catalog, not only what this key can use.'),
  provider: z.string().optional().describe('Names with commas between them; one must serve it.'),
  capability: z.string().optional().describe(LIST),
  supported_parameters: z.string().optional().describe(LIST),
  input_modalities: z.string().optional().describe(LIST),
  output_modalities: z.string().optional().describe(LIST),
  max_price: z
    .string()
    .optional()
    .meta({ pattern: '^\\d{1,9}(?:\\.\\d{1,12})?$' })
    .describe('At most so many US dollars per million input tokens.'),
  context: z
    .string()
    .optional()
    .meta({ pattern: '^\\d{1,9}$' })
    .describe('At least so many tokens of context.'),
  q: z.string().max(200).optional().describe('Words that stand in the id, the name or the lab.'),
});

export type Model = z.infer<typeof modelSchema>;
