/** Reads Cohere's refusals: `{id, message}` and a status, among them two of its own. */
import type { UpstreamError, UpstreamErrorInput } from '#providers/provider.ts';
import { readError as readFamilyError } from '../openai-chat/errors.ts';

/**
 * As the family's reading, but for 498: the official SDK names it an invalid token, and the word is
 * also used for blocked input. 499 ("request cancelled") is Cohere giving up: another may do it.
 */
export function readError(input: UpstreamErrorInput): UpstreamError {
  const error = readFamilyError(input);
  if (input.status !== 498) return error;
  if (/\bblock/i.test(error.message)) return { ...error, kind: 'content_filter', retry: 'never' };
  return { ...error, kind: 'authentication', retry: 'elsewhere' };
}
