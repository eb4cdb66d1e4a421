/**
 * What vectors are for, at hosts that must be told and know four words for it: a purpose of another
 * name, and a caller who names none, get the nearest word and are told which.
 */
import type { EmbeddingPurpose, EmbeddingsForm } from '#providers/embeddings.ts';
import { textOf } from '#providers/json.ts';
import type { Warning } from '#providers/provider.ts';

type KnownPurpose = 'query' | 'document' | 'classification' | 'clustering';

/** A host's words. */
export type PurposeWords = Readonly<Record<KnownPurpose, string>>;

const NEAREST: Readonly<Record<EmbeddingPurpose, KnownPurpose>> = {
  query: 'query',
  document: 'document',
  classification: 'classification',
  clustering: 'clustering',
  // Both sides of a comparison get the same word, as in a cluster.
  similarity: 'clustering',
  question_answering: 'query',
  fact_verification: 'query',
  code_query: 'query',
};

/** Of a caller who says nothing, vectors are for what is searched, and not for the question. */
const UNSAID: KnownPurpose = 'document';

/** A word that is none of ours may be the host's own: it goes on as it stands. */
export function purposeWord(
  { purpose, extras }: EmbeddingsForm,
  words: PurposeWords,
  warnings: Warning[],
): string {
  const own = textOf(extras['input_type']);
  if (own !== undefined) return own;
  const known = purpose === null ? UNSAID : NEAREST[purpose];
  const word = words[known];
  if (known === purpose) return word;
  const why =
    purpose === null
      ? 'This model must be told what its vectors are for'
      : `This model has no word for "${purpose}"`;
  const next = purpose === null ? ' Say input_type "query" where you embed questions.' : '';
  const message = `${why}: it was told "${word}".${next}`;
  warnings.push({ code: 'emulated', param: 'input_type', message });
  return word;
}
