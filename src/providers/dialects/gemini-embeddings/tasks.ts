/**
 * How Google's models are told what vectors are for. Up to gemini-embedding-001 a request names a
 * task type; from gemini-embedding-2 on the task stands in the text itself, in words that the model
 * was trained on (https://ai.google.dev/gemini-api/docs/embeddings, read 2026-11).
 */
import type { EmbeddingPurpose } from '#providers/embeddings.ts';
import type { VectorSizes } from '../embedding-inputs.ts';

export const TASK_TYPES: Readonly<Record<EmbeddingPurpose, string>> = {
  query: 'RETRIEVAL_QUERY',
  document: 'RETRIEVAL_DOCUMENT',
  classification: 'CLASSIFICATION',
  clustering: 'CLUSTERING',
  similarity: 'SEMANTIC_SIMILARITY',
  question_answering: 'QUESTION_ANSWERING',
  fact_verification: 'FACT_VERIFICATION',
  code_query: 'CODE_RETRIEVAL_QUERY',
};

export const TASK_PREFIXES: Readonly<Record<EmbeddingPurpose, string>> = {
  query: 'task: search result | query: ',
  document: 'title: none | text: ',
  classification: 'task: classification | query: ',
  clustering: 'task: clustering | query: ',
  similarity: 'task: sentence similarity | query: ',
  question_answering: 'task: question answering | query: ',
  fact_verification: 'task: fact checking | query: ',
  code_query: 'task: code retrieval | query: ',
};

export interface GoogleEmbedder {
  readonly models: RegExp;
  /** By a member of the request, or by a prefix of the text; the latter also take images. */
  readonly task: 'type' | 'prefix';
  readonly sizes: VectorSizes;
  /** Inputs of one call of Vertex at most. */
  readonly vertexInputsMax: number;
}

/**
 * First match wins; what is no embedder has none. Vertex takes one input of Gemini's embedders a
 * call, and of the older ones 20,000 tokens, which nine inputs of at most 2,048 never have
 * (docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api).
 */
export const EMBEDDERS: readonly GoogleEmbedder[] = [
  {
    models: /^gemini-embedding-(001|exp)/,
    task: 'type',
    sizes: { upTo: 3072 },
    vertexInputsMax: 1,
  },
  { models: /^gemini-embedding/, task: 'prefix', sizes: { upTo: 3072 }, vertexInputsMax: 1 },
  {
    models: /^(text-(multilingual-)?)?embedding-/,
    task: 'type',
    sizes: { upTo: 768 },
    vertexInputsMax: 9,
  },
];

/** By the model's id, with or without a path before it; undefined where it makes no vectors. */
export function embedderOf(model: string): GoogleEmbedder | undefined {
  const name = model.slice(model.lastIndexOf('/') + 1).toLowerCase();
  return EMBEDDERS.find(({ models }) => models.test(name));
}
