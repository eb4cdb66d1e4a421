/**
 * What the dialects of embeddings share: which inputs and sizes a model takes, and vectors read out
 * of answers. What cannot be said is refused: a vector of another size or of less than was sent
 * spoils the caller's index without a trace.
 */
import type { EmbeddingInput } from '#providers/embeddings.ts';
import type { ImagePart, TextPart } from '#providers/form.ts';
import type { JsonRecord } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import { cannotTakeTokens } from './openai-embeddings/adapt.ts';

/** How many numbers a model's vectors may have; null: unknown, the host decides. */
export type VectorSizes = { readonly only: readonly number[] } | { readonly upTo: number } | null;

/** Throws CannotSay where the model makes no vectors of this size. */
export function checkSize(dimensions: number | null, sizes: VectorSizes): void {
  if (dimensions === null || sizes === null) return;
  const isMade = 'upTo' in sizes ? dimensions <= sizes.upTo : sizes.only.includes(dimensions);
  if (isMade) return;
  const made = 'upTo' in sizes ? `at most ${sizes.upTo}` : sizes.only.join(' or ');
  const message = `This model makes vectors of ${made} numbers: ask for that, or leave it out.`;
  throw new CannotSay('dimensions', message);
}

/** The texts and images of an input. Throws CannotSay for tokens: they are another model's. */
export function piecesOf(input: EmbeddingInput): readonly (TextPart | ImagePart)[] {
  if (input.kind === 'parts') return input.parts;
  if (input.kind === 'text') return [{ type: 'text', text: input.text, path: input.path }];
  throw cannotTakeTokens(input.path);
}

/** Whether the input has an image. */
export function hasImage(input: EmbeddingInput): boolean {
  return input.kind === 'parts' && input.parts.some(({ type }) => type === 'image');
}

/** An input of text alone, its parts on lines of their own. Throws CannotSay where it is not. */
export function plainText(input: EmbeddingInput): string {
  const texts = piecesOf(input).map((piece) => {
    if (piece.type === 'text') return piece.text;
    throw new CannotSay(piece.path ?? input.path, 'This model makes vectors of text alone.');
  });
  return texts.join('\n');
}

/** An image's bytes in base64. Throws CannotSay where it is an address or an uploaded file. */
export function imageBytes(
  part: ImagePart,
  path: string,
): { readonly mediaType: string; readonly data: string } {
  const { source } = part;
  if (source.kind === 'base64') return source;
  const url = source.kind === 'url' ? source.url : '';
  const [, mediaType, data] = /^data:([^;,]+)(?:;[^;,]+)*;base64,(.*)$/s.exec(url) ?? [];
  if (mediaType !== undefined && data !== undefined) return { mediaType, data };
  throw new CannotSay(path, 'This provider fetches no images: send it as base64.');
}

/** Members of the caller's body that a host knows by the same names, and which these were. */
export function knownExtras(
  extras: JsonRecord,
  names: readonly string[],
): { readonly members: JsonRecord; readonly said: readonly string[] } {
  const said = names.filter((name) => Object.hasOwn(extras, name));
  return { members: Object.fromEntries(said.map((name) => [name, extras[name]])), said };
}

/** Throws where the value is no list of numbers: the answer is malformed then. */
export function vectorOf(value: unknown): readonly number[] {
  if (!Array.isArray(value) || value.length === 0) throw new Error('the answer lacks a vector');
  const numbers: readonly unknown[] = value;
  return numbers.map((number) => {
    if (typeof number === 'number' && Number.isFinite(number)) return number;
    throw new Error('a vector holds what is no number');
  });
}

/** The list itself. Throws where the answer has none. */
export function vectorsOf(value: unknown): readonly (readonly number[])[] {
  if (!Array.isArray(value)) throw new Error('the answer lacks its vectors');
  const vectors: readonly unknown[] = value;
  return vectors.map(vectorOf);
}
