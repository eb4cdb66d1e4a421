/**
 * How InvokeModel counts: in a header, whatever the model. Amazon's own prices images by the piece,
 * and no answer counts them, so they are counted in the request.
 */
import type { UpstreamHeaders } from '#base/transport.ts';
import type { Usage, UsageBucket } from '#wire/usage.ts';
import type { EmbeddingsForm } from '#providers/embeddings.ts';
import { USAGE_TOKENS_MAX, numberReader } from '../openai-chat/usage.ts';

const COUNT_HEADER = 'x-amzn-bedrock-input-token-count';

/** The tokens in the header, in this bucket; null where it does not stand. */
export function headerUsage(headers: UpstreamHeaders, bucket: UsageBucket = 'input'): Usage | null {
  const said = headers[COUNT_HEADER];
  if (said === undefined) return null;
  const count = /^\d{1,15}$/.test(said) ? Number(said) : undefined;
  return countUsage(count, bucket, { [COUNT_HEADER]: said });
}

/** A count of an answer; null where there is none that can be read. */
export function countUsage(count: unknown, bucket: UsageBucket, native: unknown): Usage | null {
  const numbers = numberReader();
  const tokens = numbers.read(count);
  if (tokens === null) return null;
  // A number that no request can have tells nothing of the true one.
  const source = tokens < USAGE_TOKENS_MAX ? 'upstream' : 'none';
  return { buckets: { [bucket]: tokens }, source, flags: [...numbers.flags], native };
}

export function imagesOf(form: EmbeddingsForm): number {
  return form.inputs
    .flatMap((input) => (input.kind === 'parts' ? input.parts : []))
    .filter(({ type }) => type === 'image').length;
}
