/** Google's log probabilities in the shape of chat completions, which the common form carries. */
import { isRecord, listOf, numberOf, recordOf } from '#providers/json.ts';

const encoder = new TextEncoder();

/** `logprobsResult` of a candidate; undefined where there is none. */
export function readLogprobs(result: unknown): unknown {
  if (!isRecord(result)) return undefined;
  const tops = listOf(result['topCandidates']);
  const content = listOf(result['chosenCandidates']).map((chosen, index) => ({
    ...readToken(chosen),
    top_logprobs: listOf(recordOf(tops[index])['candidates']).map(readToken),
  }));
  return { content, refusal: null };
}

function readToken(candidate: unknown): object {
  const { token, logProbability } = recordOf(candidate);
  const text = typeof token === 'string' ? token : '';
  // A probability of 1 has the logarithm 0, which Google leaves out.
  const logprob = numberOf(logProbability) ?? 0;
  return { token: text, logprob, bytes: Array.from(encoder.encode(text)) };
}
