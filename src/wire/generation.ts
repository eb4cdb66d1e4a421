/** The receipt of one generation, with OpenRouter's field names where it has them. */
import type { StrictForm } from './strict.ts';
import { z } from './z.ts';

export const generationQuerySchema = z.strictObject({ id: z.string() });

export const generationForm = {
  place: 'GET /v1/generation',
  schema: generationQuerySchema,
  later: [],
  amounts: [],
} as const satisfies StrictForm<typeof generationQuerySchema>;

const attemptSchema = z.looseObject({
  endpoint: z.string(),
  outcome: z.string(),
  /** Milliseconds. */
  ms: z.number(),
});

/** What stands on every receipt is required; the rest depends on how far the request came. */
const generationSchema = z.looseObject({
  /** `gen_...` */
  id: z.string(),
  request_id: z.string(),
  /** US dollars; what was charged, corrections included. */
  total_cost: z.number(),
  /** The same as `total_cost`, under OpenRouter's name. */
  usage: z.number(),
  created_at: z.iso.datetime(),
  /**
   * `cancelled`: the client left. `broken`, `failed`: free. `interrupted`: the process died during
   * the request, and nothing was charged.
   */
  status: z.enum(['completed', 'cancelled', 'broken', 'failed', 'interrupted', 'corrected']),
  model: z.string().optional(),
  provider_name: z.string().nullish(),
  streamed: z.boolean().optional(),
  cancelled: z.boolean().optional(),
  finish_reason: z.string().nullish(),
  native_finish_reason: z.string().nullish(),
  /** Milliseconds. */
  latency: z.number().nullish(),
  generation_time: z.number().nullish(),
  attempts: z.array(attemptSchema).optional(),
});

export const generationResponseSchema = z.object({ data: generationSchema });
