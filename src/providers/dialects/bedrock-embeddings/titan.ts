/**
 * Amazon's Titan embedders: `inputText` alone for the text models, `inputText` and `inputImage`
 * together for the multimodal one. None of them knows what vectors are for.
 */
import type { EmbeddingsCodec, EmbeddingsForm } from '#providers/embeddings.ts';
import { recordOf } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import type { Warning } from '#providers/provider.ts';
import { readComplaint } from '../bedrock-converse/finish.ts';
import {
  checkSize,
  imageBytes,
  knownExtras,
  piecesOf,
  plainText,
  vectorOf,
} from '../embedding-inputs.ts';
import { countUsage, headerUsage, imagesOf } from './usage.ts';
import { onlyInput } from './one-input.ts';

/** The second generation alone may be asked for a size, or for vectors that are not normalized. */
export function titanTextCodec({
  sizes,
  isSecond,
}: {
  readonly sizes: readonly number[];
  readonly isSecond: boolean;
}): EmbeddingsCodec {
  return {
    encode(form) {
      checkSize(form.dimensions, { only: sizes });
      const { members, said } = knownExtras(form.extras, isSecond ? ['normalize'] : []);
      const size = isSecond && form.dimensions !== null ? { dimensions: form.dimensions } : {};
      const inputText = plainText(onlyInput(form));
      return { body: { inputText, ...size, ...members }, warnings: purposeLost(form), said };
    },
    decode(body, headers) {
      const { embedding, inputTextTokenCount } = recordOf(body);
      const native = { inputTextTokenCount };
      const usage = countUsage(inputTextTokenCount, 'input', native) ?? headerUsage(headers);
      return { vectors: [vectorOf(embedding)], model: null, usage };
    },
    readComplaint,
  };
}

/** Text, an image, or both, of which it makes the average. */
export const titanImageCodec: EmbeddingsCodec = {
  encode(form) {
    const { dimensions } = form;
    checkSize(dimensions, { only: [256, 384, 1024] });
    const input = onlyInput(form);
    const pieces = piecesOf(input);
    const images = pieces.filter((piece) => piece.type === 'image');
    const texts = pieces.filter((piece) => piece.type === 'text').map(({ text }) => text);
    const [image, second] = images;
    if (second !== undefined) {
      throw new CannotSay(second.path ?? input.path, 'This model takes one image an input.');
    }
    const path = image?.path ?? input.path;
    const body = {
      ...(texts.length === 0 ? {} : { inputText: texts.join('\n') }),
      ...(image === undefined ? {} : { inputImage: imageBytes(image, path).data }),
      ...(dimensions === null ? {} : { embeddingConfig: { outputEmbeddingLength: dimensions } }),
    };
    return { body, warnings: purposeLost(form) };
  },
  decode(body, headers, form) {
    const { embedding, inputTextTokenCount } = recordOf(body);
    const vectors = [vectorOf(embedding)];
    const native = { inputTextTokenCount };
    const usage = countUsage(inputTextTokenCount, 'input', native) ?? headerUsage(headers);
    const images = imagesOf(form);
    if (images === 0) return { vectors, model: null, usage };
    const buckets = { ...usage?.buckets, image: images };
    const { flags, source } = usage ?? { flags: [], source: 'upstream' };
    return { vectors, model: null, usage: { buckets, source, flags, native } };
  },
  readComplaint,
};

function purposeLost({ purpose }: EmbeddingsForm): readonly Warning[] {
  if (purpose === null) return [];
  const message = 'This model makes the same vectors whatever they are for.';
  return [{ code: 'dropped', param: 'input_type', message }];
}
