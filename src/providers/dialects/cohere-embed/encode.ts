/** Writes embeddings of the common form as Cohere's v2 body; Bedrock's is the same, unnamed. */
import type { EmbeddingInput, EmbeddingsForm } from '#providers/embeddings.ts';
import { CannotSay } from '#providers/provider.ts';
import type { Encoded, Warning } from '#providers/provider.ts';
import {
  checkSize,
  hasImage,
  imageBytes,
  knownExtras,
  piecesOf,
  plainText,
} from '../embedding-inputs.ts';
import { purposeWord, type PurposeWords } from '../embedding-purpose.ts';
import type { CohereEmbedder } from './models.ts';

type Body = Readonly<Record<string, unknown>>;

const COHERE_MEMBERS = ['input_type', 'truncate', 'max_tokens', 'priority'];

/** What is too long is refused, as by OpenAI: Cohere would cut it off and say nothing. */
const REFUSES_LONG = { truncate: 'NONE' };

const INPUT_TYPES: PurposeWords = {
  query: 'search_query',
  document: 'search_document',
  classification: 'classification',
  clustering: 'clustering',
};

/** `own`: members of the host, such as the model's name. Throws CannotSay. */
export function encode(form: EmbeddingsForm, embedder: CohereEmbedder, own: Body): Encoded {
  const { dimensions } = form;
  checkSize(dimensions, embedder.sizes);
  const warnings: Warning[] = [];
  const { members, said } = knownExtras(form.extras, COHERE_MEMBERS);
  const body = {
    ...own,
    ...encodeInputs(form, embedder, warnings),
    ...(dimensions === null || !embedder.asksSize ? {} : { output_dimension: dimensions }),
    ...REFUSES_LONG,
    ...members,
  };
  return { body, warnings, said };
}

function encodeInputs(form: EmbeddingsForm, embedder: CohereEmbedder, warnings: Warning[]): Body {
  const { inputs } = form;
  const pictured = inputs.find(hasImage);
  if (pictured === undefined) {
    return {
      texts: inputs.map(plainText),
      input_type: purposeWord(form, INPUT_TYPES, warnings),
    };
  }
  if (embedder.images === 'mixed') {
    const mixed = inputs.map((input) => ({ content: piecesOf(input).map(pieceWriter(input)) }));
    return { inputs: mixed, input_type: purposeWord(form, INPUT_TYPES, warnings) };
  }
  const [piece, ...more] = inputs.flatMap(piecesOf);
  if (piece?.type !== 'image' || more.length > 0) {
    const message = 'This model takes an image only alone: one a request, and no text beside it.';
    throw new CannotSay(pictured.path, message);
  }
  if (form.purpose !== null) {
    const message = 'This model has one word for images, whatever they are for.';
    warnings.push({ code: 'ignored', param: 'input_type', message });
  }
  return { images: [dataUrl(piece, pictured.path)], input_type: 'image' };
}

type Piece = ReturnType<typeof piecesOf>[number];

function pieceWriter({ path }: EmbeddingInput): (piece: Piece) => Body {
  return (piece) =>
    piece.type === 'text'
      ? { type: 'text', text: piece.text }
      : { type: 'image_url', image_url: { url: dataUrl(piece, path) } };
}

function dataUrl(part: Extract<Piece, { type: 'image' }>, path: string): string {
  const { mediaType, data } = imageBytes(part, part.path ?? path);
  return `data:${mediaType};base64,${data}`;
}
