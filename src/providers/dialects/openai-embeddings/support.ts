/** A host that speaks OpenAI's embeddings, made of what is particular to it. */
import type { EmbeddingsSupport } from '#providers/embeddings.ts';
import { adaptBody } from './adapt.ts';
import { embeddingsCodec, readEmbeddingsUsage } from './codec.ts';
import { DEFAULT_EMBEDDINGS_HABITS, type EmbeddingsHabits } from './habits.ts';

/** With the given deviations from `DEFAULT_EMBEDDINGS_HABITS`. */
export function openAiEmbeddings(deviations: Partial<EmbeddingsHabits> = {}): EmbeddingsSupport {
  const habits: EmbeddingsHabits = { ...DEFAULT_EMBEDDINGS_HABITS, ...deviations };
  return {
    codec: embeddingsCodec(habits),
    inputsMax: habits.inputsMax,
    passThrough: {
      adapt: (body) => adaptBody(body, habits),
      readUsage: readEmbeddingsUsage,
    },
  };
}
