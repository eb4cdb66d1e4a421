/** One input as Google's `content`: texts and images, with the task in front where it belongs. */
import type { EmbeddingInput, EmbeddingsForm } from '#providers/embeddings.ts';
import type { Warning } from '#providers/provider.ts';
import { piecesOf, plainText } from '../embedding-inputs.ts';
import { encodeMedia } from '../gemini/encode-media.ts';
import { TASK_PREFIXES, type GoogleEmbedder } from './tasks.ts';

interface Content {
  readonly parts: readonly Readonly<Record<string, unknown>>[];
}

/** Throws CannotSay for tokens, and for images where the model takes text alone. */
export function contentOf(
  input: EmbeddingInput,
  { purpose }: Pick<EmbeddingsForm, 'purpose'>,
  place: { readonly embedder: GoogleEmbedder; readonly warnings: Warning[] },
): Content {
  const { embedder, warnings } = place;
  if (embedder.task === 'type') return { parts: [{ text: plainText(input) }] };
  const pieces = piecesOf(input);
  const first = pieces.findIndex(({ type }) => type === 'text');
  if (purpose !== null && first === -1) {
    const message = `This model is told in words what a vector is for, and ${input.path} has none.`;
    warnings.push({ code: 'ignored', param: 'input_type', message });
  }
  const prefix = purpose === null ? '' : TASK_PREFIXES[purpose];
  const parts = pieces.map((piece, index) => {
    if (piece.type === 'text') return { text: (index === first ? prefix : '') + piece.text };
    return encodeMedia(piece, { path: piece.path ?? input.path, filesUrl: null, warnings });
  });
  return { parts };
}
