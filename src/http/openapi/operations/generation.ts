/** Receipts. */
import { generationQuerySchema, generationResponseSchema } from '#wire/generation.ts';
import { example, json, type Operation } from '../operation.ts';

const RECEIPT = {
  id: 'gen_01m7y2h8k161x2kjmtbj9zcgkg',
  request_id: 'req_01m7y2h8k161x2kjmtbj9zcgkg',
  model: 'sandbox/echo',
  upstream_model: 'sandbox/echo',
  provider_name: 'sandbox',
  streamed: false,
  cancelled: false,
  status: 'completed',
  outcome: 'completed',
  finish_reason: 'stop',
  native_finish_reason: 'stop',
  latency: 12,
  time_to_first_token: 10,
  generation_time: 2,
  tokens_prompt: 3,
  tokens_completion: 3,
  native_tokens_prompt: 3,
  native_tokens_completion: 3,
  native_tokens_reasoning: 0,
  native_tokens_cached: 0,
  native_usage: { prompt_tokens: 3, completion_tokens: 3, total_tokens: 6 },
  usage_source: 'upstream',
  usage_flags: [],
  buckets: { input: 3, output: 3 },
  price: {
    version: '2026-11-20:3816a7b3',
    source: 'test credit',
    effective_date: '2026-11-20',
    list: { input: '1.00', output: '2.00' },
    tiers: [],
  },
  arithmetic: {
    lines: [
      { bucket: 'input', units: 3, rate: '1', per: 1_000_000, amount: '0.000003' },
      { bucket: 'output', units: 3, rate: '2', per: 1_000_000, amount: '0.000006' },
    ],
    tier: null,
    rounded_up_to: '0.000000001',
    price_of_usage_nano_usd: '9000',
  },
  waived: null,
  attempts: [{ endpoint: 'sandbox/sandbox/echo', outcome: 'completed', status: 200, ms: 12 }],
  warnings: [],
  key_metadata: {},
  key_tags: [],
  is_byok: false,
  total_cost: 0.000_009,
  usage: 0.000_009,
  created_at: '2026-11-21T03:31:23.881Z',
} as const;

export const GENERATION_OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/generation',
    operationId: 'getGeneration',
    tag: 'Generations',
    summary: 'Get the receipt of a request',
    description:
      'Everything from which the cost can be done again by hand. There within a second of the ' +
      'answer’s end, for requests of your organization.',
    caller: 'any-key',
    query: generationQuerySchema,
    answers: {
      200: {
        description: 'The receipt.',
        content: json(generationResponseSchema, example('A receipt', { data: RECEIPT })),
      },
    },
    errors: ['missing_required_parameter', 'unknown_parameter', 'not_found'],
  },
];
