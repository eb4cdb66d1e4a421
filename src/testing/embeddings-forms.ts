/** Forms of embeddings for tests of the dialects, and what a codec refuses in them. */
import type {
  EmbeddingInput,
  EmbeddingsCodec,
  EmbeddingsForm,
  EmbeddingsSupport,
} from '#providers/embeddings.ts';
import type { ImagePart, TextPart } from '#providers/form.ts';
import { CannotSay, type Target } from '#providers/provider.ts';

/** The head of a PNG, in base64. */
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ';

export function targetOf(model: string): Target {
  const baseUrl = 'https://host.example';
  return { baseUrl, model, region: null, project: null, account: null };
}

/** Each element as one input: a text, tokens, or parts. */
export function formOf(
  inputs: readonly (string | readonly number[] | readonly (TextPart | ImagePart)[])[],
  more: Partial<EmbeddingsForm> = {},
): EmbeddingsForm {
  const form: EmbeddingsForm = {
    inputs: inputs.map((value, index): EmbeddingInput => {
      const path = `input[${index}]`;
      if (typeof value === 'string') return { kind: 'text', path, text: value };
      const tokens = value.filter((one) => typeof one === 'number');
      if (tokens.length > 0) return { kind: 'tokens', path, tokens };
      return { kind: 'parts', path, parts: value.filter((one) => typeof one !== 'number') };
    }),
    dimensions: null,
    purpose: null,
    extras: {},
  };
  return { ...form, ...more };
}

export function textPart(text: string): TextPart {
  return { type: 'text', text };
}

export const picture: ImagePart = {
  type: 'image',
  path: 'input[0].content[0]',
  source: { kind: 'base64', mediaType: 'image/png', data: PNG },
};

/** Where and why the codec cannot say the form; null where it can. */
export function refusalOf(codec: EmbeddingsCodec, form: EmbeddingsForm, model: string) {
  try {
    codec.encode(form, targetOf(model));
    return null;
  } catch (error) {
    if (error instanceof CannotSay) return { param: error.param, message: error.message };
    throw error;
  }
}

/** Throws where the model makes no vectors. */
export function codecOf(support: EmbeddingsSupport | undefined): EmbeddingsCodec {
  if (support === undefined) throw new Error('this model makes no vectors');
  return support.codec;
}
