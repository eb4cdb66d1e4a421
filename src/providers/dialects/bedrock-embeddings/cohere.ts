/**
 * Cohere's embedders on Bedrock: its own body without the model's name. v3 answers with a plain
 * list, v4 by kind of number (recordings of 2026).
 */
import type { UpstreamHeaders } from '#base/transport.ts';
import type { Usage } from '#wire/usage.ts';
import type { EmbeddingsCodec, EmbeddingsForm } from '#providers/embeddings.ts';
import { recordOf } from '#providers/json.ts';
import { readComplaint } from '../bedrock-converse/finish.ts';
import { readVectors } from '../cohere-embed/decode.ts';
import { encode } from '../cohere-embed/encode.ts';
import { embedderOf } from '../cohere-embed/models.ts';
import { countUsage, headerUsage, imagesOf } from './usage.ts';

export const cohereCodec: EmbeddingsCodec = {
  encode: (form, { model }) => encode(form, embedderOf(model), {}),
  decode: (body, headers, form) => ({
    vectors: readVectors(body),
    model: null,
    usage: usageOf(body, headers, form),
  }),
  readComplaint,
};

/**
 * v3 takes an image alone and bills it by the piece, v4 by its tokens. The header does not part
 * those of texts and of images: where both are, the dearer bucket has them all.
 */
function usageOf(body: unknown, headers: UpstreamHeaders, form: EmbeddingsForm): Usage | null {
  const images = imagesOf(form);
  if (images === 0) return headerUsage(headers);
  const isThird = recordOf(body)['response_type'] === 'embeddings_floats';
  if (isThird) return countUsage(images, 'image', { images });
  return headerUsage(headers, 'image_input');
}
