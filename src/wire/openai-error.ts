/**
 * Errors as OpenAI's clients read them: the body, the headers that steer their retries, and the
 * event that ends a broken stream.
 */
import type { HeaderList } from '#base/sink.ts';
import type { ErrorFamily, GatewayError, LimitSource } from './errors.ts';

/** Where the gateway serves the pages made from the error table. */
const DOCS_PATH = '/docs/errors';

export interface OpenAiErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
    readonly metadata: {
      readonly error_type: ErrorFamily;
      readonly provider: string | null;
      readonly limit_source: LimitSource | null;
      readonly retryable: boolean;
      readonly docs_url: string;
      readonly request_id: string;
    };
  };
}

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
