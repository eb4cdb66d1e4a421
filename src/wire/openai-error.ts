/**
 * Errors as OpenAI's clients read them: the body, the headers that steer their retries, and the
 * event that ends a broken stream.
 */
import type { HeaderList } from '#base/sink.ts';
import type { ErrorFamily, GatewayError, LimitSource, OpenAiErrorType } from './errors.ts';
import { z } from './z.ts';

/** Where the gateway serves the pages made from the error table. */
const DOCS_PATH = '/docs/errors';

const FAMILIES = [
  'invalid_request',
  'authentication',
  'permission',
  'billing',
  'not_found',
  'conflict',
  'rate_limit',
  'unavailable',
  'upstream',
  'internal',
] as const satisfies readonly ErrorFamily[];

const TYPES = [
  'invalid_request_error',
  'insufficient_quota',
  'idempotency_error',
  'rate_limit_error',
  'service_unavailable_error',
  'server_error',
] as const satisfies readonly OpenAiErrorType[];

const LIMIT_SOURCES = [
  'account',
  'key',
  'budget',
  'project',
  'organization',
  'request',
  'gateway',
  'upstream',
] as const satisfies readonly LimitSource[];

/** What every refusal and every failure looks like. */
export const openAiErrorSchema = z
  .object({
    error: z.object({
      message: z.string().describe('For people; may change.'),
      type: z.enum(TYPES).describe('The kind, as users of OpenAI know it.'),
      param: z
        .string()
        .nullable()
        .describe('Path of the field, the header or the query parameter at fault.'),
      code: z.string().describe('For programs: the codes are listed in /docs/errors.'),
      metadata: z.object({
        error_type: z.enum(FAMILIES).describe('The kind, stable across codes and dialects.'),
        provider: z.string().nullable().describe('The provider that failed, by its public name.'),
        limit_source: z.enum(LIMIT_SOURCES).nullable().describe('Whose limit refused.'),
        retryable: z
          .boolean()
          .describe(
            'Whether the same request may succeed later. Whether a client should try again by ' +
              'itself is said by the header x-should-retry.',
          ),
        docs_url: z
          .string()
          .describe('What the code means, and what to do: a path of this gateway.'),
        request_id: z.string().describe('What to quote; also in the header x-request-id.'),
      }),
    }),
  })
  .meta({ id: 'ErrorResponse', description: 'What every refusal and every failure looks like.' });

export type OpenAiErrorBody = z.infer<typeof openAiErrorSchema>;

/** The envelope of contract.md, "Errors". Always whole; ready for JSON.stringify. */
export function toOpenAiErrorBody(error: GatewayError, requestId: string): OpenAiErrorBody {
  return {
    error: {
      message: error.message,
      type: error.type,
      param: error.param,
      code: error.code,
      metadata: {
        error_type: error.metadata.errorType,
        provider: error.metadata.provider,
        limit_source: error.metadata.limitSource,
        retryable: error.metadata.retryable,
        docs_url: `${DOCS_PATH}#${error.code}`,
        request_id: requestId,
      },
    },
  };
}

/**
 * `x-should-retry` always; `retry-after` (whole seconds, at least 1) and `retry-after-ms` where a
 * pause is known. The content type and the request id are the door's.
 */
export function errorHeaders(error: GatewayError): HeaderList {
  const headers: [string, string][] = [['x-should-retry', String(error.shouldRetry)]];
  if (error.retryAfterMs !== null) {
    const pauseMs = Math.max(0, Math.ceil(error.retryAfterMs));
    headers.push(['retry-after', String(Math.max(1, Math.ceil(pauseMs / 1000)))]);
    headers.push(['retry-after-ms', String(pauseMs)]);
  }
  if (error.status === 401) headers.push(['www-authenticate', 'Bearer realm="OmniX"']);
  for (const [name, value] of error.headers) headers.push([name, value]);
  return headers;
}

/**
 * The last event of a chat stream that broke. No `[DONE]` follows: the client must not take it
 * for an end.
 */
export function toOpenAiErrorChunk(error: GatewayError, requestId: string): string {
  return `data: ${JSON.stringify(toOpenAiErrorBody(error, requestId))}\n\n`;
}
