/** The list of models, and what is known of one. */
import {
  modelEndpointsResponseSchema,
  modelListQuerySchema,
  modelListResponseSchema,
  modelResponseSchema,
} from '#wire/models.ts';
import { z } from '#wire/z.ts';
import { example, json, type Operation } from '../operation.ts';

const MODEL = {
  id: 'sandbox/echo',
  object: 'model',
  created: 1_795_132_800,
  owned_by: 'sandbox',
  name: 'Sandbox Echo',
  shutdown_date: null,
  successor: null,
  context_length: 131_072,
  architecture: {
    modality: 'text->text',
    input_modalities: ['text'],
    output_modalities: ['text'],
  },
  pricing: { prompt: '0.000001', completion: '0.000002', request: '0' },
  top_provider: { context_length: 131_072, max_completion_tokens: 32_768 },
  supported_parameters: ['max_tokens', 'max_completion_tokens', 'stop'],
  capabilities: [],
  providers: ['sandbox'],
} as const;

const ENDPOINT = {
  name: 'sandbox | sandbox/echo',
  model_name: 'Sandbox Echo',
  provider_name: 'sandbox',
  model: 'sandbox/echo',
  context_length: 131_072,
  max_completion_tokens: 32_768,
  pricing: { prompt: '0.000001', completion: '0.000002', request: '0' },
  price: { input: '1.00', output: '2.00' },
  price_tiers: [],
  price_source: 'test credit',
  price_effective_date: '2026-11-20',
  shutdown_date: null,
  supported_parameters: ['max_tokens', 'max_completion_tokens', 'stop'],
} as const;

const paramsSchema = z.object({
  model: z.string().meta({
    description: 'An id as GET /v1/models lists it. Slashes in it stand as they are, or as %2F.',
    pattern: '^[^/](?:.*[^/])?$',
    examples: ['sandbox/echo'],
  }),
});

export const MODEL_OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/models',
    operationId: 'listModels',
    tag: 'Models',
    summary: 'List models',
    description: 'What this key can use now, with prices. All filters given must match.',
    caller: 'any-key',
    query: modelListQuerySchema,
    answers: {
      200: {
        description: 'The models, all at once.',
        content: json(
          modelListResponseSchema,
          example('One model', { object: 'list', data: [MODEL] }),
        ),
      },
    },
    errors: ['invalid_value', 'unknown_parameter'],
  },
  {
    method: 'get',
    path: '/v1/models/{model}',
    operationId: 'getModel',
    tag: 'Models',
    summary: 'Get a model',
    caller: 'any-key',
    params: paramsSchema,
    answers: {
      200: {
        description: 'The model, with where it can run.',
        content: json(modelResponseSchema, example('A model', { ...MODEL, endpoints: [ENDPOINT] })),
      },
    },
    errors: ['model_not_found'],
  },
  {
    method: 'get',
    path: '/v1/models/{model}/endpoints',
    operationId: 'listModelEndpoints',
    tag: 'Models',
    summary: 'List the endpoints of a model',
    caller: 'any-key',
    params: paramsSchema,
    answers: {
      200: {
        description: 'Where the model can run, in the order in which places are tried.',
        content: json(
          modelEndpointsResponseSchema,
          example('One endpoint', {
            data: {
              id: MODEL.id,
              name: MODEL.name,
              created: MODEL.created,
              architecture: MODEL.architecture,
              endpoints: [ENDPOINT],
            },
          }),
        ),
      },
    },
    errors: ['model_not_found'],
  },
];
