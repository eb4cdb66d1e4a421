/**
 * What may differ from host to host that speaks OpenAI's embeddings, as data. A provider names only
 * what is particular to it.
 */
import type { EmbeddingPurpose } from '#providers/embeddings.ts';

export type EncodingFormat = 'float' | 'base64';

/** How a host is told what the vectors are for. */
export interface PurposeHabit {
  readonly field: string;
  readonly words: Readonly<Partial<Record<EmbeddingPurpose, string>>>;
}

export interface EmbeddingsHabits {
  /** Inputs of one call at most. */
  readonly inputsMax: number;
  /** Members that the host knows under another name. */
  readonly renames: Readonly<Record<string, string>>;
  /** Members that the host refuses, each with the reason that the caller is told. */
  readonly drops: Readonly<Record<string, string>>;
  /** What `encoding_format` may say; the gateway turns one form into the other where it must. */
  readonly formats: readonly EncodingFormat[];
  /** Null: the host makes the same vectors for every purpose. */
  readonly purpose: PurposeHabit | null;
  /** Whether an input may be tokens in place of text. */
  readonly tokens: boolean;
}

export const DEFAULT_EMBEDDINGS_HABITS: EmbeddingsHabits = {
  inputsMax: 2_048,
  renames: {},
  drops: {},
  formats: ['float', 'base64'],
  purpose: null,
  tokens: true,
};
