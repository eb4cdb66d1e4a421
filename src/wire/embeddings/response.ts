/**
 * What POST /v1/embeddings answers: OpenAI's form, with the cost, the provider and the warnings
 * that are ours. For documentation, clients and tests; answers are forwarded and not parsed.
 */
import { ownAnswerFields } from '../chat/response.ts';
import { z } from '../z.ts';

const countSchema = z.int().min(0);

export const embeddingsResponseSchema = z.looseObject({
  object: z.literal('list'),
  model: z.string(),
  data: z.array(
    z.looseObject({
      object: z.literal('embedding'),
      index: countSchema,
      /** Little-endian 32-bit floats in base64 where `encoding_format` asked for it. */
      embedding: z.union([z.array(z.number()), z.string()]),
    }),
  ),
  usage: z.looseObject({
    prompt_tokens: countSchema,
    total_tokens: countSchema,
    /** US dollars, exact to nine decimals as written. */
    cost: z.number().min(0),
    cost_details: z.record(z.string(), z.unknown()),
  }),
  ...ownAnswerFields,
});
