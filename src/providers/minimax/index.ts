/** MiniMax. Some failures come with HTTP 200 and say so in `base_resp` only. */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';
import { readMinimaxError } from './read-error.ts';

export const minimax = openAiFamily({
  id: 'minimax',
  name: 'MiniMax',
  docs: 'https://platform.minimax.io/docs/api-reference/text-openai-api',
  baseUrl: 'https://api.minimax.io/v1',
  env: { apiKey: ['MINIMAX_API_KEY'] },
  needsKey: true,
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11): not cancellable.
  onCancel: 'bills_on',
  offers,
  readError: readMinimaxError,
  habits: {
    maxTokensKey: 'max_completion_tokens',
    drops: { n: 'MiniMax answers with one choice.' },
    developerRole: false,
    reasoningField: 'reasoning_content',
  },
});
