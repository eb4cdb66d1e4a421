/** How many tokens an embeddings request has: at the most, for holding, and counted. */
import { toBytes } from '#base/bytes.ts';
import type { EmbeddingInput } from '#providers/embeddings.ts';
import { IMAGE_TOKENS_MAX } from '../chat/prompt-bound.ts';
import { TOKENS_PER_MEDIUM } from '../chat/prompt-text.ts';
import type { TokenCounter } from '../tokens.ts';

/** What hosts put around each input: marks of its start and end, or a word for its purpose. */
const FRAME_TOKENS = 32;

export interface InputBound {
  readonly tokensMax: number;
  /** The part of it that images may have; the rest can be counted. */
  readonly mediaTokensMax: number;
}

function textsOf(input: EmbeddingInput): readonly string[] {
  if (input.kind === 'text') return [input.text];
  if (input.kind === 'tokens') return [];
  return input.parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
}

function imagesIn(input: EmbeddingInput): number {
  return input.kind === 'parts' ? input.parts.filter(({ type }) => type === 'image').length : 0;
}

/** A token covers at least one byte of text. */
export function boundInputs(inputs: readonly EmbeddingInput[]): InputBound {
  let [tokensMax, mediaTokensMax] = [0, 0];
  for (const input of inputs) {
    tokensMax += FRAME_TOKENS + (input.kind === 'tokens' ? input.tokens.length : 0);
    for (const text of textsOf(input)) tokensMax += toBytes(text).length;
    mediaTokensMax += imagesIn(input) * IMAGE_TOKENS_MAX;
  }
  return { tokensMax: tokensMax + mediaTokensMax, mediaTokensMax };
}

/** Tokens of the text, as near as our tokenizer comes; of what came as tokens, exactly. */
async function countText(inputs: readonly EmbeddingInput[], tokens: TokenCounter): Promise<number> {
  let counted = 0;
  for (const input of inputs) {
    if (input.kind === 'tokens') counted += input.tokens.length;
    for (const text of textsOf(input)) counted += await tokens.count(text);
  }
  return counted;
}

/** For a bill where the host counted nothing. */
export async function countInputs(
  inputs: readonly EmbeddingInput[],
  tokens: TokenCounter,
): Promise<number> {
  const images = inputs.reduce((sum, input) => sum + imagesIn(input), 0);
  return (await countText(inputs, tokens)) + images * TOKENS_PER_MEDIUM;
}

/** For holding credit: with what hosts put around each input, and without images. */
export async function countInputText(
  inputs: readonly EmbeddingInput[],
  tokens: TokenCounter,
): Promise<number> {
  return (await countText(inputs, tokens)) + inputs.length * FRAME_TOKENS;
}
