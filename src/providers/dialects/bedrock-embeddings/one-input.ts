/** The input of a call to a model that takes one. The gateway cuts requests at `inputsMax`. */
import type { EmbeddingInput, EmbeddingsForm } from '#providers/embeddings.ts';

export function onlyInput({ inputs }: EmbeddingsForm): EmbeddingInput {
  const [input, ...more] = inputs;
  if (input === undefined || more.length > 0) throw new Error('this model takes one input a call');
  return input;
}
