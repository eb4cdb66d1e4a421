/** What a recorded answer of a dialect of its own says, in the words of the tests. */

export interface NativeCall {
  /** Null where the host gave none (Gemini). */
  readonly id: string | null;
  readonly name: string;
  /** Parsed. */
  readonly input: unknown;
}

/** Disjoint counts. */
export interface NativeTokens {
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  /** Of the uncached input, what was audio. */
  readonly audioInput: number;
  /** Of the output: reasoning, where the host tells it. */
  readonly reasoning: number;
  /** Of the output: images. */
  readonly imageOutput: number;
  /** All generated tokens. */
  readonly generated: number;
}

export interface NativeReading {
  text: string;
  refusal: string;
  reasoning: string;
  /** Blobs that prove or hide reasoning: each must reach the client. */
  readonly signatures: string[];
  readonly calls: NativeCall[];
  /** Addresses or titles that the answer cites: each must reach the client. */
  readonly sources: Set<string>;
  images: number;
  /** In OpenAI's word; null where the answer does not end. */
  finish: string | null;
  /** It went wrong at the host, which says so by its finish reason: such answers are free. */
  failed: boolean;
  tokens: NativeTokens | null;
  error: string | null;
}

export const NO_TOKENS: NativeTokens = {
  input: 0,
  cacheRead: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  audioInput: 0,
  reasoning: 0,
  imageOutput: 0,
  generated: 0,
};

/** All input, as `prompt_tokens` counts it. */
export function promptTokens(tokens: NativeTokens): number {
  const { input, cacheRead, cacheWrite5m, cacheWrite1h } = tokens;
  return input + cacheRead + cacheWrite5m + cacheWrite1h;
}
