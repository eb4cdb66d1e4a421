/**
 * Cross-origin requests: a page of any origin may call with a key of its own. Nothing here goes by
 * cookies or by the network that a browser is in, so the origin itself proves and permits nothing.
 */
import type { HeaderList } from '#base/sink.ts';

/** What scripts may read of an answer, besides what every browser shows them. */
const EXPOSED = [
  'x-request-id',
  'x-generation-id',
  'x-should-retry',
  'retry-after',
  'retry-after-ms',
  'idempotent-replayed',
  'openai-processing-ms',
  'warning',
];

/** On the answer to a request that names its origin. */
export const CORS_HEADERS: HeaderList = [
  ['access-control-allow-origin', '*'],
  ['access-control-expose-headers', EXPOSED.join(', ')],
];

const DAY_SECONDS = '86400';

/**
 * What a browser asks before it sends (a preflight). Any header may be sent, since clients have
 * their own; `*` alone would leave out `authorization`.
 */
export function preflightHeaders(methods: string, asked: string | undefined): HeaderList {
  return [
    ['access-control-allow-origin', '*'],
    ['access-control-allow-methods', methods],
    ['access-control-allow-headers', asked ?? 'authorization, content-type'],
    ['access-control-max-age', DAY_SECONDS],
    ['vary', 'access-control-request-headers'],
  ];
}
