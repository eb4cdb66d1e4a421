/** Embeddings of Cohere's own host: v2 /embed, which makes vectors of texts and of images. */
import type { EmbeddingsSupport } from '#providers/embeddings.ts';
import type { Target } from '#providers/provider.ts';
import { readComplaint } from '../cohere-chat/finish.ts';
import { readUsage, readVectors } from './decode.ts';
import { encode } from './encode.ts';
import { embedderOf } from './models.ts';

/** "Maximum number of texts per call is 96", and so of mixed inputs (docs.cohere.com). */
export const COHERE_INPUTS_MAX = 96;

const SUPPORT: EmbeddingsSupport = {
  inputsMax: COHERE_INPUTS_MAX,
  codec: {
    encode: (form, { model }) =>
      encode(form, embedderOf(model), { model, embedding_types: ['float'] }),
    decode: (body) => ({ vectors: readVectors(body), model: null, usage: readUsage(body) }),
    readComplaint,
  },
};

/** Undefined for models that make no vectors: all of Cohere's that do are called so. */
export function cohereEmbeddings({ model }: Target): EmbeddingsSupport | undefined {
  return /embed/i.test(model) ? SUPPORT : undefined;
}
