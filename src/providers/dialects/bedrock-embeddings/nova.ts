/**
 * Amazon's Nova multimodal embedder: one text or one image a call, and a word for what the vector
 * is for, which must stand there (docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html,
 * read 2026-11).
 */
import type { EmbeddingInput, EmbeddingsCodec } from '#providers/embeddings.ts';
import { listOf, recordOf } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import type { Warning } from '#providers/provider.ts';
import { imageBlock } from '../bedrock-converse/media.ts';
import { readComplaint } from '../bedrock-converse/finish.ts';
import {
  checkSize,
  hasImage,
  imageBytes,
  knownExtras,
  piecesOf,
  plainText,
  vectorOf,
} from '../embedding-inputs.ts';
import { purposeWord, type PurposeWords } from '../embedding-purpose.ts';
import { onlyInput } from './one-input.ts';
import { countUsage, headerUsage } from './usage.ts';

const PURPOSES: PurposeWords = {
  query: 'GENERIC_RETRIEVAL',
  document: 'GENERIC_INDEX',
  classification: 'CLASSIFICATION',
  clustering: 'CLUSTERING',
};

export const novaCodec: EmbeddingsCodec = {
  encode(form) {
    const { dimensions } = form;
    checkSize(dimensions, { only: [256, 384, 1024, 3072] });
    const warnings: Warning[] = [];
    const input = onlyInput(form);
    // What is too long is refused, as by OpenAI, unless the caller says where to cut it.
    const { members, said } = knownExtras(form.extras, [
      'input_type',
      ...(hasImage(input) ? [] : ['truncate']),
    ]);
    const params = {
      embeddingPurpose: purposeWord(form, PURPOSES, warnings),
      ...(dimensions === null ? {} : { embeddingDimension: dimensions }),
      ...contentOf(input, members['truncate'] ?? 'NONE'),
    };
    return {
      body: { taskType: 'SINGLE_EMBEDDING', singleEmbeddingParams: params },
      warnings,
      said,
    };
  },
  decode(body, headers) {
    const [first] = listOf(recordOf(body)['embeddings']);
    const { embedding, embeddingType } = recordOf(first);
    const isImage = embeddingType === 'IMAGE';
    const usage = isImage ? countUsage(1, 'image', { embeddingType }) : headerUsage(headers);
    return { vectors: [vectorOf(embedding)], model: null, usage };
  },
  readComplaint,
};

type Body = Readonly<Record<string, unknown>>;

function contentOf(input: EmbeddingInput, truncationMode: unknown): Body {
  if (!hasImage(input)) return { text: { truncationMode, value: plainText(input) } };
  const [piece, ...more] = piecesOf(input);
  if (piece?.type !== 'image' || more.length > 0) {
    throw new CannotSay(input.path, 'This model takes a text or one image an input, not both.');
  }
  const path = piece.path ?? input.path;
  const bytes = imageBytes(piece, path);
  return imageBlock({ type: 'image', source: { kind: 'base64', ...bytes } }, path);
}
