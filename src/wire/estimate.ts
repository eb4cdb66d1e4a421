/**
 * POST /v1/estimate: what a request would cost, without running it. Amounts are decimal strings in
 * US dollars, exact to the nano-dollar.
 */
import { chatRequestSchema } from './chat/request.ts';
import { embeddingsRequestSchema } from './embeddings/request.ts';
import { GatewayError } from './errors.ts';
import { invalidValue, unknownParameter } from './refusals.ts';
import { z } from './z.ts';

/** What can be estimated: paths of the routes that would run it. */
export const ESTIMATED_ENDPOINTS = ['/v1/chat/completions', '/v1/embeddings'] as const;

export type EstimatedEndpoint = (typeof ESTIMATED_ENDPOINTS)[number];

/** What a request may carry that bounds its cost; `gateway/ceiling.ts` reads it. */
export const maxCostHeadersSchema = z.object({
  'x-omnix-max-cost': z
    .string()
    .optional()
    .meta({
      description:
        'The most that the request may cost, in US dollars. Places where it could cost more are ' +
        'not tried; where none is left it is refused (402) before anything is sent.',
      pattern: '^\\d+(?:\\.\\d{1,9})?$',
      examples: ['0.01'],
    }),
});

/** The member of a body by which an endpoint is known; they are looked for in this order. */
export const ENDPOINT_MARKS = {
  '/v1/chat/completions': 'messages',
  '/v1/embeddings': 'input',
} as const satisfies Readonly<Record<EstimatedEndpoint, string>>;

export const estimateRequestSchema = z.union([chatRequestSchema, embeddingsRequestSchema]).meta({
  id: 'EstimateRequest',
  description: 'A request as it would be sent to the route that runs it.',
});

export const estimateQuerySchema = z.strictObject({
  endpoint: z
    .enum(ESTIMATED_ENDPOINTS)
    .optional()
    .describe('The route that would run it. Without it, the shape of the body tells.'),
});

/** Throws a GatewayError (400) that names the parameter. */
export function parseEstimateQuery(
  query: Readonly<Record<string, string>>,
): EstimatedEndpoint | null {
  const unknown = Object.keys(query).filter((name) => name !== 'endpoint');
  if (unknown.length > 0) throw unknownParameter(unknown, 'POST /v1/estimate');
  const { endpoint } = query;
  if (endpoint === undefined) return null;
  const known = ESTIMATED_ENDPOINTS.find((path) => path === endpoint);
  if (known === undefined) {
    const list = ESTIMATED_ENDPOINTS.map((path) => `'${path}'`).join(' or ');
    throw invalidValue('endpoint', `expected ${list}`);
  }
  return known;
}

/** 400: no route can be told from the body. */
export function unknownShape(): GatewayError {
  const shapes = ESTIMATED_ENDPOINTS.map((path) => `'${ENDPOINT_MARKS[path]}' (POST ${path})`);
  return new GatewayError('missing_required_parameter', {
    message:
      `An estimate is of a request that has ${shapes.join(' or ')}, and this body has none of ` +
      'them. Send it as you would send it to that route.',
    param: ENDPOINT_MARKS['/v1/chat/completions'],
  });
}

const usdSchema = z.string().meta({ pattern: '^\\d+(?:\\.\\d{1,9})?$', examples: ['0.000105'] });

const tokensSchema = z
  .object({
    likely: z.int().min(0),
    highest: z.int().min(0).describe('What `highest` is computed with.'),
  })
  .meta({ id: 'EstimatedTokens' });

const costsShape = {
  lowest: usdSchema.describe(
    'The counted input, read from the cache where that has a price, and no output.',
  ),
  likely: usdSchema.describe(
    'The counted input at its list price, and an answer of 512 tokens in each choice, or of the ' +
      'limit where that is less.',
  ),
  highest: usdSchema.describe(
    'The most that the request can cost: what `x-omnix-max-cost` is compared with.',
  ),
};

const driverSchema = z
  .object({
    bucket: z.string().describe('Named as the price that applies.'),
    units: z.int().min(0),
    rate: z.string().describe('US dollars per `per` units.'),
    per: z.union([z.literal(1), z.literal(1_000_000)]),
    amount: z.string().describe('US dollars, exact and not rounded: units x rate / per.'),
  })
  .meta({ id: 'EstimateDriver' });

const candidateSchema = z
  .object({
    model: z.string(),
    provider: z.string(),
    endpoint: z.string().describe('Provider and model at the provider.'),
    ...costsShape,
    drivers: z
      .array(driverSchema)
      .describe('The arithmetic of `likely`: their sum, rounded up to a nano-dollar.'),
    price: z.object({ version: z.string(), source: z.string(), effective_date: z.string() }),
    warnings: z
      .array(z.object({ code: z.string(), param: z.string(), message: z.string() }))
      .optional()
      .describe('Settings that this candidate would drop or emulate.'),
  })
  .meta({ id: 'EstimateCandidate' });

export const estimateResponseSchema = z
  .object({
    object: z.literal('estimate'),
    endpoint: z.enum(ESTIMATED_ENDPOINTS),
    currency: z.literal('usd'),
    input_tokens: tokensSchema,
    output_tokens: tokensSchema.describe('Of all choices together.'),
    ...costsShape,
    held: usdSchema.describe(
      'Credit that is held while it runs. It bounds the input by bytes, so it may be more than ' +
        '`highest`; without a limit it covers 32,768 tokens of output, so it may be less.',
    ),
    candidates: z.array(candidateSchema).min(1).describe('In the order in which they are tried.'),
  })
  .meta({ id: 'Estimate' });

export type Estimate = z.infer<typeof estimateResponseSchema>;
export type EstimateCandidate = z.infer<typeof candidateSchema>;
