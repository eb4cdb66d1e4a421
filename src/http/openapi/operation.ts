/** A route as the document describes it: what `operations/*.ts` say, and `document.ts` writes. */
import type { ErrorCode } from '#wire/errors.ts';
import { z } from '#wire/z.ts';
import type { JsonSchema } from './schemas.ts';

export const TAGS = {
  Chat: 'Conversations with a model, whole or streamed.',
  Embeddings: 'Vectors of texts and images.',
  Estimates: 'What a request would cost, without running it.',
  Models: 'Which models there are, where they run, and what they cost.',
  Generations: 'Receipts: what was done for a request, and what it cost.',
  Keys: 'API keys: made, changed and deleted with a management key.',
  Credits: 'What an organization has, and what it was granted.',
  Service: 'Whether the gateway is up, and what describes it.',
} as const;

/** Which kind of key a route takes. A test-mode key is an inference key. */
export type CallerKind = 'anyone' | 'inference' | 'management' | 'any-key';

export interface Example {
  readonly summary: string;
  readonly value: unknown;
}

/** By name; each holds one whole value, or refers to one of `components`. */
export type Examples = Readonly<Record<string, Example | { readonly $ref: string }>>;

export interface Content {
  /** With an `id`; or as the document writes it. */
  readonly schema: z.ZodType | JsonSchema;
  readonly examples: Examples;
}

export interface Answer {
  readonly description: string;
  /** By media type; nothing for an answer without a body. */
  readonly content: Readonly<Record<string, Content>>;
  /** Beside `x-request-id`. */
  readonly headers?: readonly HeaderName[];
}

/** A code, with its status where that is not the one of the table. */
export type PossibleError = ErrorCode | readonly [code: ErrorCode, status: number];

export interface Operation {
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  /** As OpenAPI writes it: `/v1/keys/{hash}`. */
  readonly path: `/${string}`;
  /** The name of the method in generated clients: never changed. */
  readonly operationId: string;
  readonly tag: keyof typeof TAGS;
  readonly summary: string;
  readonly description?: string;
  readonly caller: CallerKind;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** Headers of the request, besides the key. */
  readonly headers?: z.ZodObject;
  readonly body?: Content;
  /** An `Idempotency-Key` makes it run once. */
  readonly once?: true;
  /** By status; errors apart. */
  readonly answers: Readonly<Record<number, Answer>>;
  readonly errors: readonly PossibleError[];
}

/** What a request that runs once may carry. */
export const ONCE_HEADERS = z.object({
  'Idempotency-Key': z
    .string()
    .min(1)
    .max(255)
    .regex(/^[ -~]+$/)
    .optional()
    .meta({
      description:
        'Makes a repetition safe: within 24 hours the same key and body get the first answer ' +
        'again, and nothing runs or is charged twice. Use a new one, such as a UUID, for each ' +
        'request that is meant to run.',
      examples: ['5f0c6a52-1f0e-4a3e-9a57-8d3a5f2f7c11'],
    }),
});

/** Headers of answers, each described once. */
export const HEADERS = {
  'x-request-id': { description: 'Of this request: `req_...`. Quote it.', type: 'string' },
  'x-generation-id': {
    description: 'Of what was generated: `gen_...`, for GET /v1/generation.',
    type: 'string',
  },
  'idempotent-replayed': {
    description: 'Stands on an answer that was given before: nothing ran for it.',
    type: 'boolean',
  },
  'openai-processing-ms': { description: 'Milliseconds until the answer began.', type: 'integer' },
  'openai-version': { description: 'The version of OpenAI’s API that is spoken.', type: 'string' },
  etag: { description: 'Changes when the document does.', type: 'string' },
  'retry-after': { description: 'Seconds to wait, where that is known.', type: 'integer' },
  'retry-after-ms': { description: 'The same in milliseconds.', type: 'integer' },
  'x-should-retry': {
    description: 'Whether a client should try again by itself. Official clients obey it.',
    type: 'boolean',
  },
  'www-authenticate': { description: 'How to authenticate.', type: 'string' },
} as const satisfies Readonly<
  Record<string, { readonly description: string; readonly type: 'string' | 'integer' | 'boolean' }>
>;

export type HeaderName = keyof typeof HEADERS;

/** A request that never arrived as one, and our own mistakes. */
const ANYWHERE: readonly PossibleError[] = [
  'invalid_request_error',
  'request_timeout',
  ['request_too_large', 431],
  'internal_error',
];
const WITH_KEY: readonly PossibleError[] = ['invalid_api_key', 'service_unavailable'];
/** Of a body that is no JSON object, or holds something else than the schema says. */
const WITH_BODY: readonly PossibleError[] = [
  'invalid_json',
  'repeated_key',
  'nesting_too_deep',
  'invalid_type',
  'missing_required_parameter',
  'invalid_value',
  'unsupported_parameter',
  'request_too_large',
  'unsupported_media_type',
];

const ONCE: readonly PossibleError[] = [
  'idempotency_key_reused',
  'idempotency_in_progress',
  'idempotency_outcome_unknown',
];

/** Every error that an operation can answer. */
export function errorsOf({ caller, body, once, errors }: Operation): readonly PossibleError[] {
  return [
    ...ANYWHERE,
    ...(caller === 'anyone' ? [] : WITH_KEY),
    ...(body === undefined ? [] : WITH_BODY),
    ...(once === undefined ? [] : ONCE),
    ...errors,
  ];
}

/** An example that needs no name. */
export function example(summary: string, value: unknown): Examples {
  return { example: { summary, value } };
}

/** An answer in JSON. */
export function json(schema: Content['schema'], examples: Examples): Answer['content'] {
  return { 'application/json': { schema, examples } };
}
