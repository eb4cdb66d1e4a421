/** The body of POST /v1/embeddings, already checked, in the common form. */
import type { EmbeddingInput, EmbeddingPurpose, EmbeddingsForm } from '#providers/embeddings.ts';
import type { ImagePart, TextPart } from '#providers/form.ts';
import { isRecord, listOf, recordOf, type JsonRecord } from '#providers/json.ts';

/** Other dialects' words for a purpose are taken too: people move code from host to host. */
const PURPOSES: Readonly<Record<string, EmbeddingPurpose>> = {
  query: 'query',
  search_query: 'query',
  retrieval_query: 'query',
  document: 'document',
  passage: 'document',
  search_document: 'document',
  retrieval_document: 'document',
  classification: 'classification',
  clustering: 'clustering',
  similarity: 'similarity',
  semantic_similarity: 'similarity',
  question_answering: 'question_answering',
  fact_verification: 'fact_verification',
  code_query: 'code_query',
  code_retrieval_query: 'code_query',
};

/** Null where the word names no purpose that we know. */
export function purposeOf(word: unknown): EmbeddingPurpose | null {
  if (typeof word !== 'string') return null;
  const known = word.toLowerCase();
  return (Object.hasOwn(PURPOSES, known) ? PURPOSES[known] : undefined) ?? null;
}

/** Members that the form has words for. */
const FORM_MEMBERS: ReadonlySet<string> = new Set([
  'model',
  'input',
  'dimensions',
  'encoding_format',
]);

/** `body` is without the fields of ours. */
export function readEmbeddingsForm(body: JsonRecord): EmbeddingsForm {
  const purpose = purposeOf(body['input_type']);
  const { dimensions } = body;
  const extras = Object.entries(body).filter(
    ([key, value]) =>
      !FORM_MEMBERS.has(key) && value !== null && !(key === 'input_type' && purpose !== null),
  );
  return {
    inputs: readInputs(body['input']),
    dimensions: typeof dimensions === 'number' ? dimensions : null,
    purpose,
    extras: Object.fromEntries(extras),
  };
}

function readInputs(input: unknown): readonly EmbeddingInput[] {
  const list = listOf(input);
  // One text, or the tokens of one.
  if (typeof input === 'string' || typeof list[0] === 'number') return [readInput(input, 'input')];
  return list.map((element, index) => readInput(element, `input[${index}]`));
}

function readInput(value: unknown, path: string): EmbeddingInput {
  if (typeof value === 'string') return { kind: 'text', path, text: value };
  if (Array.isArray(value)) {
    const tokens = value.filter((token) => typeof token === 'number');
    return { kind: 'tokens', path, tokens };
  }
  const parts = listOf(recordOf(value)['content']);
  return {
    kind: 'parts',
    path,
    parts: parts.map((part, index) => readPart(recordOf(part), `${path}.content[${index}]`)),
  };
}

const DATA_URL = /^data:(?<mediaType>[^;,]+);base64,(?<data>.*)$/s;

function readPart(part: JsonRecord, path: string): TextPart | ImagePart {
  if (part['type'] === 'text') return { type: 'text', path, text: String(part['text']) };
  const image = part['image_url'];
  const url = String(isRecord(image) ? image['url'] : image);
  const { mediaType, data } = DATA_URL.exec(url)?.groups ?? {};
  return mediaType === undefined || data === undefined
    ? { type: 'image', path, source: { kind: 'url', url } }
    : { type: 'image', path, source: { kind: 'base64', mediaType, data } };
}
