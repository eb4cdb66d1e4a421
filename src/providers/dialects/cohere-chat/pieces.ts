/** The pieces that whole answers and streams of Cohere share: calls and log probabilities. */
import { listOf, numberOf, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';

/**
 * Arguments as clients of tools expect them: an object. Cohere writes `null` or nothing for a call
 * of a tool without parameters.
 */
export function callArguments(said: string): string {
  return said === '' || said === 'null' ? '{}' : said;
}

/**
 * OpenAI's form of log probabilities. Cohere gives them for each piece of text, which may have
 * several tokens: then the piece has the sum. Undefined where there are none.
 */
export function toLogprobs(said: unknown): unknown {
  const pieces = (Array.isArray(said) ? listOf(said) : [said]).map(recordOf);
  const content = pieces.flatMap((piece) => {
    const numbers = listOf(piece['logprobs']).map((number) => numberOf(number) ?? 0);
    return numbers.length === 0 ? [] : [logprobOf(piece, numbers)];
  });
  return content.length === 0 ? undefined : { content, refusal: null };
}

function logprobOf(piece: JsonRecord, numbers: readonly number[]): JsonRecord {
  const token = textOf(piece['text']) ?? '';
  return {
    token,
    logprob: numbers.reduce((sum, number) => sum + number, 0),
    bytes: [...new TextEncoder().encode(token)],
    top_logprobs: [],
  };
}
