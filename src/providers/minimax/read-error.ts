/**
 * MiniMax's numeric codes (https://platform.minimax.io/docs/api-reference/errorcode, read 2026-11),
 * which tell more than its statuses: the family's rules judge by the status that the code stands
 * for.
 */
import { readError } from '../dialects/openai-chat/errors.ts';
import { readRefusal } from '../dialects/openai-chat/refusal.ts';
import type { UpstreamError, UpstreamErrorInput } from '../provider.ts';

const STATUSES: ReadonlyMap<string, number> = new Map([
  // Timeout, rate limit, authentication, balance.
  ['1001', 504],
  ['1002', 429],
  ['1004', 401],
  ['2049', 401],
  ['1008', 402],
  // Unknown and internal failures.
  ['1000', 500],
  ['1013', 500],
  ['1024', 500],
  ['1033', 500],
  // Sensitive input or output, too many tokens, invalid parameters.
  ['1026', 422],
  ['1027', 422],
  ['1039', 429],
  ['2013', 400],
]);

/** As the family's `readError`; the status of the answer stays what it was. */
export function readMinimaxError(input: UpstreamErrorInput): UpstreamError {
  const { code } = readRefusal(input.body);
  const status = STATUSES.get(code ?? '');
  if (status === undefined) return readError(input);
  return { ...readError({ ...input, status }), status: input.status };
}
