/**
 * Embeddings on Vertex AI: `:predict` with instances for the older models, `:embedContent` with one
 * input for gemini-embedding-2 and later, as the official client tells them apart (@google/genai
 * 2.32). Vertex cuts off what is too long unless it is told not to; OpenAI's clients expect a
 * refusal.
 */
import type { EmbeddingsCodec, EmbeddingsSupport } from '#providers/embeddings.ts';
import { listOf, recordOf } from '#providers/json.ts';
import type { Target, Warning } from '#providers/provider.ts';
import { checkSize, knownExtras, plainText, vectorOf } from '../embedding-inputs.ts';
import { readComplaint } from '../gemini/complaint.ts';
import { contentOf } from './content.ts';
import { EMBEDDERS, TASK_TYPES, embedderOf, type GoogleEmbedder } from './tasks.ts';
import { readMetadata, readStatistics } from './usage.ts';

/** The method behind the model's name. */
export function vertexEmbeddingsMethod(target: Target): 'predict' | 'embedContent' {
  return embedderOf(target.model)?.task === 'prefix' ? 'embedContent' : 'predict';
}

function predictCodec({ sizes }: GoogleEmbedder): EmbeddingsCodec {
  return {
    encode(form) {
      checkSize(form.dimensions, sizes);
      const { purpose } = form;
      const task = purpose === null ? {} : { task_type: TASK_TYPES[purpose] };
      const instances = form.inputs.map((input) => ({ content: plainText(input), ...task }));
      const { members, said } = knownExtras(form.extras, ['autoTruncate']);
      const parameters = { ...sizeMember(form.dimensions), autoTruncate: false, ...members };
      return { body: { instances, parameters }, warnings: [], said };
    },
    decode(body) {
      const predictions = recordOf(body)['predictions'];
      const vectors = listOf(predictions).map((prediction) =>
        vectorOf(recordOf(recordOf(prediction)['embeddings'])['values']),
      );
      return { vectors, model: null, usage: readStatistics(predictions) };
    },
    readComplaint,
  };
}

function embedContentCodec(embedder: GoogleEmbedder): EmbeddingsCodec {
  return {
    encode(form) {
      checkSize(form.dimensions, embedder.sizes);
      const [input, ...more] = form.inputs;
      if (input === undefined || more.length > 0) throw new Error('one input a call');
      const warnings: Warning[] = [];
      const content = contentOf(input, form, { embedder, warnings });
      const { members, said } = knownExtras(form.extras, ['autoTruncate']);
      const config = { ...sizeMember(form.dimensions), autoTruncate: false, ...members };
      return { body: { content, embedContentConfig: config }, warnings, said };
    },
    decode(body) {
      const answer = recordOf(body);
      const vector = vectorOf(recordOf(answer['embedding'])['values']);
      return { vectors: [vector], model: null, usage: readMetadata(answer['usageMetadata']) };
    },
    readComplaint,
  };
}

function sizeMember(dimensions: number | null): { readonly outputDimensionality?: number } {
  return dimensions === null ? {} : { outputDimensionality: dimensions };
}

const SUPPORTS = new Map(EMBEDDERS.map((embedder) => [embedder, supportOf(embedder)]));

function supportOf(embedder: GoogleEmbedder): EmbeddingsSupport {
  const isOne = embedder.task === 'prefix';
  const codec = isOne ? embedContentCodec(embedder) : predictCodec(embedder);
  return { codec, inputsMax: embedder.vertexInputsMax };
}

/** Undefined for models that make no vectors. */
export function vertexEmbeddings({ model }: Target): EmbeddingsSupport | undefined {
  const embedder = embedderOf(model);
  return embedder === undefined ? undefined : SUPPORTS.get(embedder);
}
