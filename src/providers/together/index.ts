/** Together AI. */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const together = openAiFamily({
  id: 'together',
  name: 'Together AI',
  docs: 'https://docs.together.ai/reference/chat-completions-1',
  // together-ai 0.52.0; older documents say api.together.xyz.
  baseUrl: 'https://api.together.ai/v1',
  env: { apiKey: ['TOGETHER_API_KEY', 'TOGETHERAI_API_KEY'], baseUrl: ['TOGETHER_BASE_URL'] },
  needsKey: true,
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11): cancellable.
  onCancel: 'stops',
  offers,
  embeddings: {},
  habits: {
    // The SDK's types have neither max_completion_tokens nor the role developer.
    renamesMaxTokens: true,
    developerRole: false,
    reasoningField: 'reasoning',
    topK: true,
  },
});
