/**
 * Which models of Bedrock make vectors, and which body each family takes: InvokeModel hands a
 * maker's own JSON through. The id tells the family, also behind the prefix of an inference profile
 * (`us.`, `eu.`, `global.`) and inside an ARN.
 */
import type { EmbeddingsCodec, EmbeddingsSupport } from '#providers/embeddings.ts';
import type { Target } from '#providers/provider.ts';
import { COHERE_INPUTS_MAX } from '../cohere-embed/support.ts';
import { cohereCodec } from './cohere.ts';
import { novaCodec } from './nova.ts';
import { titanImageCodec, titanTextCodec } from './titan.ts';

interface Family {
  readonly models: RegExp;
  readonly support: EmbeddingsSupport;
}

/** Amazon's own models take one input a call. */
function single(codec: EmbeddingsCodec): EmbeddingsSupport {
  return { codec, inputsMax: 1 };
}

/** Sizes: docs.aws.amazon.com/bedrock/latest/userguide, "Model parameters" (read 2026-11). */
const FAMILIES: readonly Family[] = [
  {
    models: /titan-embed-text-v2/,
    support: single(titanTextCodec({ sizes: [256, 512, 1024], isSecond: true })),
  },
  { models: /titan-embed-image/, support: single(titanImageCodec) },
  {
    models: /titan-embed-(text|g1-text)/,
    support: single(titanTextCodec({ sizes: [1536], isSecond: false })),
  },
  { models: /nova-.*embed/, support: single(novaCodec) },
  {
    models: /cohere\.embed-/,
    support: { codec: cohereCodec, inputsMax: COHERE_INPUTS_MAX },
  },
];

/**
 * Undefined for models that make no vectors, and for application inference profiles, whose ARN
 * does not tell what they hold.
 */
export function bedrockEmbeddings({ model }: Target): EmbeddingsSupport | undefined {
  return FAMILIES.find(({ models }) => models.test(model))?.support;
}
