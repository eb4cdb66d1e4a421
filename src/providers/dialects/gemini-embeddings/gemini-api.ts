/** Embeddings of the Gemini API: `batchEmbedContents`, each input a request of its own. */
import type { EmbeddingsSupport } from '#providers/embeddings.ts';
import { listOf, recordOf } from '#providers/json.ts';
import type { Target, Warning } from '#providers/provider.ts';
import { checkSize, vectorOf } from '../embedding-inputs.ts';
import { readComplaint } from '../gemini/complaint.ts';
import { contentOf } from './content.ts';
import { EMBEDDERS, TASK_TYPES, embedderOf, type GoogleEmbedder } from './tasks.ts';
import { readMetadata } from './usage.ts';

/** "At most 100 requests can be in one batch", as the API says of larger ones. */
const INPUTS_MAX = 100;

function supportOf(embedder: GoogleEmbedder): EmbeddingsSupport {
  return {
    inputsMax: INPUTS_MAX,
    codec: {
      encode(form, { model }) {
        checkSize(form.dimensions, embedder.sizes);
        const warnings: Warning[] = [];
        const { dimensions, purpose } = form;
        const shared = {
          model: model.includes('/') ? model : `models/${model}`,
          ...(dimensions === null ? {} : { outputDimensionality: dimensions }),
          ...(purpose === null || embedder.task === 'prefix'
            ? {}
            : { taskType: TASK_TYPES[purpose] }),
        };
        const requests = form.inputs.map((input) => ({
          ...shared,
          content: contentOf(input, form, { embedder, warnings }),
        }));
        return { body: { requests }, warnings };
      },
      decode(body) {
        const answer = recordOf(body);
        const vectors = listOf(answer['embeddings']).map((one) =>
          vectorOf(recordOf(one)['values']),
        );
        return { vectors, model: null, usage: readMetadata(answer['usageMetadata']) };
      },
      readComplaint,
    },
  };
}

const SUPPORTS = new Map(EMBEDDERS.map((embedder) => [embedder, supportOf(embedder)]));

/** Undefined for models that make no vectors. */
export function geminiEmbeddings({ model }: Target): EmbeddingsSupport | undefined {
  const embedder = embedderOf(model);
  return embedder === undefined ? undefined : SUPPORTS.get(embedder);
}
