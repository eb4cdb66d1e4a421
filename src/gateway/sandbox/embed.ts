/**
 * The sandbox's embeddings: words hashed into a vector of unit length, the same every time, so that
 * texts that share words are near one another and a search over them finds something.
 */
import { listOf, recordOf, type JsonRecord } from '#providers/json.ts';
import { toVectorBase64 } from '#base/vector-base64.ts';
import type { TokenCounter } from '../tokens.ts';

const DIMENSIONS = 256;
const DIMENSIONS_MAX = 3_072;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const HALF = 0x8000_0000;

function hash(text: string): number {
  let value = FNV_OFFSET;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), FNV_PRIME) >>> 0;
  }
  return value;
}

function vectorOf(text: string, dimensions: number): readonly number[] {
  const vector = Array.from({ length: dimensions }, () => 0);
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text];
  for (const word of words) {
    const at = hash(word) % dimensions;
    vector[at] = (vector[at] ?? 0) + (hash(`${word} `) < HALF ? -1 : 1);
  }
  const length = Math.hypot(...vector);
  // Words of opposite signs may cancel each other out.
  if (length === 0) return vector.with(0, 1);
  return vector.map((value) => Math.fround(value / length));
}

/** What stands in for text where tokens or parts came. */
function textOf(input: unknown): string {
  if (typeof input === 'string') return input;
  if (Array.isArray(input)) return input.join(' ');
  const parts = listOf(recordOf(input)['content']).map(recordOf);
  return parts.map(({ text }) => (typeof text === 'string' ? text : 'image')).join(' ');
}

function inputsOf(input: unknown): readonly unknown[] {
  return Array.isArray(input) && typeof input[0] !== 'number' ? input : [input];
}

async function countTokens(inputs: readonly unknown[], tokens: TokenCounter): Promise<number> {
  let counted = 0;
  for (const input of inputs) {
    counted += Array.isArray(input) ? input.length : await tokens.count(textOf(input));
  }
  return counted;
}

/** The body of an answer, as OpenAI writes it. */
export async function embed(body: JsonRecord, tokens: TokenCounter): Promise<JsonRecord> {
  const { dimensions, model } = body;
  const inputs = inputsOf(body['input']);
  const wanted = typeof dimensions === 'number' ? Math.min(dimensions, DIMENSIONS_MAX) : DIMENSIONS;
  const data = inputs.map((input, index) => {
    const vector = vectorOf(textOf(input), wanted);
    const embedding = body['encoding_format'] === 'base64' ? toVectorBase64(vector) : vector;
    return { object: 'embedding', index, embedding };
  });
  const counted = await countTokens(inputs, tokens);
  const usage = { prompt_tokens: counted, total_tokens: counted };
  return { object: 'list', data, model, usage };
}
