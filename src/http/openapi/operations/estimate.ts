/** What a request would cost. */
import {
  estimateQuerySchema,
  estimateRequestSchema,
  estimateResponseSchema,
  maxCostHeadersSchema,
} from '#wire/estimate.ts';
import { example, json, type Operation } from '../operation.ts';

const ANSWER = {
  object: 'estimate',
  currency: 'usd',
  endpoint: '/v1/chat/completions',
  input_tokens: { likely: 9, highest: 184 },
  output_tokens: { likely: 64, highest: 64 },
  lowest: '0.000009',
  likely: '0.000137',
  highest: '0.000312',
  held: '0.000375',
  candidates: [
    {
      model: 'sandbox/echo',
      provider: 'sandbox',
      endpoint: 'sandbox/sandbox/echo',
      lowest: '0.000009',
      likely: '0.000137',
      highest: '0.000312',
      drivers: [
        { bucket: 'input', units: 9, rate: '1', per: 1_000_000, amount: '0.000009' },
        { bucket: 'output', units: 64, rate: '2', per: 1_000_000, amount: '0.000128' },
      ],
      price: {
        version: '2026-11-20:3816a7b3',
        source: 'test credit',
        effective_date: '2026-11-20',
      },
    },
  ],
} as const;

export const ESTIMATE_OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/estimate',
    operationId: 'createEstimate',
    tag: 'Estimates',
    summary: 'Estimate the cost of a request',
    description:
      'Takes what the route would take that runs it, and neither calls a provider nor holds ' +
      'credit. A request that could not run gets the error that running it would get; too little ' +
      'credit is none here. As long as a provider keeps to the limits of request and model, the ' +
      'real cost is never above `highest`.',
    caller: 'inference',
    query: estimateQuerySchema,
    headers: maxCostHeadersSchema,
    once: true,
    body: {
      schema: estimateRequestSchema,
      examples: {
        chat: {
          summary: 'A chat with a bound on the answer',
          value: {
            model: 'sandbox/echo',
            messages: [{ role: 'user', content: 'Say hello.' }],
            max_completion_tokens: 64,
          },
        },
        embeddings: {
          summary: 'Embeddings',
          value: { model: 'sandbox/embedding', input: ['Say hello.', 'Say goodbye.'] },
        },
      },
    },
    answers: {
      200: {
        description: 'What it would cost, at each place where it would be tried.',
        content: json(estimateResponseSchema, example('A short chat', ANSWER)),
      },
    },
    errors: ['permission_denied', 'model_not_found', 'max_cost_exceeded', 'unknown_parameter'],
  },
];
