/** Embeddings. */
import { embeddingsRequestSchema } from '#wire/embeddings/request.ts';
import { embeddingsResponseSchema } from '#wire/embeddings/response.ts';
import { maxCostHeadersSchema } from '#wire/estimate.ts';
import { example, json, type Operation } from '../operation.ts';
import { INFERENCE_ERRORS, INFERENCE_HEADERS } from './chat.ts';

export const EMBEDDING_OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/embeddings',
    operationId: 'createEmbedding',
    once: true,
    tag: 'Embeddings',
    summary: 'Create embeddings',
    description:
      'Vectors of different models cannot be compared: there are no fallbacks to other models here.',
    caller: 'inference',
    headers: maxCostHeadersSchema,
    body: {
      schema: embeddingsRequestSchema,
      examples: {
        text: {
          summary: 'One text, with the sandbox',
          value: { model: 'sandbox/embedding', input: 'Say hello.' },
        },
        texts: {
          summary: 'Several, each as base64',
          value: {
            model: 'sandbox/embedding',
            input: ['Say hello.', 'Say goodbye.'],
            encoding_format: 'base64',
          },
        },
      },
    },
    answers: {
      200: {
        description: 'A vector for each input, in the order of the inputs.',
        content: json(
          embeddingsResponseSchema.meta({ id: 'EmbeddingList' }),
          example('One short vector', {
            object: 'list',
            model: 'sandbox/embedding',
            data: [{ object: 'embedding', index: 0, embedding: [0.6, -0.8] }],
            usage: { prompt_tokens: 3, total_tokens: 3, cost: 0.000_000_3, cost_details: {} },
            provider: 'sandbox',
          }),
        ),
        headers: INFERENCE_HEADERS,
      },
    },
    errors: INFERENCE_ERRORS,
  },
];
