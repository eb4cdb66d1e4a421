/**
 * Counting tokens ourselves, for what no upstream counted: cancelled streams, missing usage, the
 * sandbox. The tables are large, so they are loaded at the first use and never on the path of a
 * request that an upstream has counted.
 */
import type { GptEncoding } from 'gpt-tokenizer/GptEncoding';

export interface TokenCounter {
  /** Tokens of a text, o200k_base: exact for OpenAI's models, near for others. */
  count(text: string): Promise<number>;
  /** The text of each token, in order. */
  split(text: string): Promise<readonly string[]>;
}

/** The tokenizer and its tables; asked for at every use, so it keeps what it loaded. */
export type LoadEncoding = () => Promise<
  Pick<GptEncoding, 'countTokens' | 'encode' | 'decodeGenerator'>
>;

/** Longer texts are counted piece by piece, so that others get their turn in between. */
const PIECE_LENGTH = 8_192;

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

/** Never cuts a surrogate pair in two. */
function pieceEnd(text: string, start: number): number {
  const end = Math.min(start + PIECE_LENGTH, text.length);
  const unit = text.charCodeAt(end - 1);
  return end < text.length && unit >= 0xd800 && unit <= 0xdbff ? end - 1 : end;
}

export function createTokenCounter(load: LoadEncoding): TokenCounter {
  return {
    async count(text) {
      const { countTokens } = await load();
      let tokens = 0;
      for (let start = 0; start < text.length;) {
        const end = pieceEnd(text, start);
        // No text is a control token here, whatever it looks like.
        tokens += countTokens(text.slice(start, end), { disallowedSpecial: new Set<string>() });
        start = end;
        if (start < text.length) await pause();
      }
      return tokens;
    },
    async split(text) {
      const { encode, decodeGenerator } = await load();
      const pieces: string[] = [];
      for (const piece of decodeGenerator(encode(text, { disallowedSpecial: new Set<string>() }))) {
        if (piece !== '') pieces.push(piece);
      }
      return pieces;
    },
  };
}
