/** OpenAI itself: the reference of the family. */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const openai = openAiFamily({
  id: 'openai',
  name: 'OpenAI',
  docs: 'https://platform.openai.com/docs/api-reference/chat',
  baseUrl: 'https://api.openai.com/v1',
  env: { apiKey: ['OPENAI_API_KEY'], baseUrl: ['OPENAI_BASE_URL'] },
  needsKey: true,
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11): cancellable.
  onCancel: 'stops',
  offers,
  habits: { maxTokensKey: 'max_completion_tokens' },
});
