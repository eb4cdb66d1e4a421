/**
 * The list of models: valid for OpenAI's clients, with what OpenRouter's clients look for beside
 * it.
 */
import { z } from './z.ts';

/** Decimal strings in US dollars per token or per unit, as OpenRouter writes prices. */
const modelPricingSchema = z.looseObject({
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
});
export type ModelPricing = z.infer<typeof modelPricingSchema>;

const modelSchema = z.looseObject({
  id: z.string(),
  object: z.literal('model'),
  /** Seconds since the epoch; 0 where the lab does not say. */
  created: z.int().min(0),
  owned_by: z.string(),
  /** ISO date on which it is shut down, or null. */
  shutdown_date: z.iso.date().nullish(),
  /** What its lab recommends in its place, or null. */
  successor: z.string().nullish(),
  name: z.string().optional(),
  description: z.string().optional(),
  /** Tokens. */
  context_length: z.int().nullish(),
  architecture: z
    .looseObject({
      /** Both lists in one word: `text+image->text`. */
      modality: z.string().optional(),
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
  /** Its end, from sixty days before. */
  warnings: z.array(z.looseObject({ code: z.string(), message: z.string() })).optional(),
  /** With `?available=all`: whether this key can use it now. */
  available: z.boolean().optional(),
});

export const modelListResponseSchema = z.object({
  object: z.literal('list'),
  data: z.array(modelSchema),
});

export type Model = z.infer<typeof modelSchema>;
