/**
 * Embeddings in a form of our own, and what a provider says of how it makes them. Like chat: the
 * same dialect passes through as bytes, another is translated by a codec, pure in both directions.
 */
import type { UpstreamHeaders } from '#base/transport.ts';
import type { Usage } from '#wire/usage.ts';
import type { ImagePart, TextPart, UpstreamComplaint } from './form.ts';
import type { JsonRecord } from './json.ts';
import type { BodyAdaptation, BodyMembers, Encoded, Target } from './provider.ts';

/**
 * What the vectors are for. Hosts spell it differently (`search_query`, `RETRIEVAL_QUERY`,
 * `query`), and many models make other vectors for a question than for what answers it.
 */
export type EmbeddingPurpose =
  | 'query'
  | 'document'
  | 'classification'
  | 'clustering'
  | 'similarity'
  | 'question_answering'
  | 'fact_verification'
  | 'code_query';

/** What becomes one vector: text, tokens of the model's own tokenizer, or text beside images. */
export type EmbeddingInput = { readonly path: string } & (
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tokens'; readonly tokens: readonly number[] }
  | { readonly kind: 'parts'; readonly parts: readonly (TextPart | ImagePart)[] }
);

export interface EmbeddingsForm {
  /** At least one. */
  readonly inputs: readonly EmbeddingInput[];
  /** Numbers in each vector; null: as many as the model makes. */
  readonly dimensions: number | null;
  readonly purpose: EmbeddingPurpose | null;
  /** Members of the caller's body that the form has no word for: a codec may know some of them. */
  readonly extras: JsonRecord;
}

export interface EmbeddingsAnswer {
  /** One for each input, in their order. */
  readonly vectors: readonly (readonly number[])[];
  /** The model's name in the answer; null where the host does not say. */
  readonly model: string | null;
  /** Null: the host does not count. */
  readonly usage: Usage | null;
}

export interface EmbeddingsCodec {
  /** Throws CannotSay. */
  encode(form: EmbeddingsForm, target: Target): Encoded;
  /**
   * A whole answer; some hosts count in a header only, and images not at all: `form` is what was
   * encoded. Throws what it likes if it is not one: the gateway calls that malformed, as it does an
   * answer with too few or too many vectors.
   */
  decode(body: unknown, headers: UpstreamHeaders, form: EmbeddingsForm): EmbeddingsAnswer;
  /** What an upstream complains of under 200, in place of an answer; null if it does not. */
  readComplaint?(body: unknown): UpstreamComplaint | null;
}

/** The same dialect in and out, byte by byte. */
export interface EmbeddingsPassThrough {
  adapt(body: BodyMembers, target: Target): BodyAdaptation;
  /** `body` is the answer without its vectors. Pure; null where there is no usage. */
  readUsage(body: unknown): Usage | null;
}

export interface EmbeddingsSupport {
  readonly codec: EmbeddingsCodec;
  /** Inputs of one call at most: the gateway cuts larger requests and joins the answers. */
  readonly inputsMax: number;
  /** Present where the host speaks the dialect of `POST /v1/embeddings`. */
  readonly passThrough?: EmbeddingsPassThrough;
}
