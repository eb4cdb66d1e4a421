/**
 * What Cohere's generations of embedders differ in, on its own host and on Bedrock: sizes, and how
 * images go in (docs.cohere.com/reference/embed, read 2026-11).
 */
import type { VectorSizes } from '../embedding-inputs.ts';

export interface CohereEmbedder {
  readonly models: RegExp;
  readonly sizes: VectorSizes;
  /** Whether the size may be asked for: up to v3 it is fixed, and the member is refused. */
  readonly asksSize: boolean;
  /** `mixed`: in `inputs`, beside text. `alone`: one image a request, and nothing else. */
  readonly images: 'mixed' | 'alone';
}

/** First match wins. */
const EMBEDDERS: readonly CohereEmbedder[] = [
  { models: /light-v3/, sizes: { only: [384] }, asksSize: false, images: 'alone' },
  { models: /-v3/, sizes: { only: [1024] }, asksSize: false, images: 'alone' },
  { models: /-v4/, sizes: { only: [256, 512, 1024, 1536] }, asksSize: true, images: 'mixed' },
];

/** Later generations, and private deployments by names of their own. */
const UNKNOWN: CohereEmbedder = { models: /^/, sizes: null, asksSize: true, images: 'mixed' };

export function embedderOf(model: string): CohereEmbedder {
  return EMBEDDERS.find(({ models }) => models.test(model)) ?? UNKNOWN;
}
