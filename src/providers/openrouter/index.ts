/**
 * OpenRouter: itself a gateway. Its errors have numeric codes with the real cause behind them; what
 * models thought comes in blocks that must go back unchanged; `usage.cost` stays visible as native
 * usage.
 */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const openrouter = openAiFamily({
  id: 'openrouter',
  name: 'OpenRouter',
  docs: 'https://openrouter.ai/docs/api-reference/chat-completion',
  baseUrl: 'https://openrouter.ai/api/v1',
  env: { apiKey: ['OPENROUTER_API_KEY'] },
  needsKey: true,
  // Depends on the host behind it, and answers that do not stream are billed whole:
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11).
  onCancel: 'bills_on',
  offers,
  embeddings: {},
  habits: {
    maxTokensKey: 'max_completion_tokens',
    reasoningField: 'reasoning_details',
    cacheControl: true,
    topK: true,
  },
});
