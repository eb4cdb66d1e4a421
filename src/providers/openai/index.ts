/**
 * OpenAI itself: the reference of the family, whose bodies pass through; and its Responses, which
 * chat reaches by translation where a model or a request is taken nowhere else.
 */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import type { Provider } from '../provider.ts';
import { offers } from './offers.ts';
import { openAiSpeech } from './speaks.ts';

const family = openAiFamily({
  id: 'openai',
  name: 'OpenAI',
  docs: 'https://platform.openai.com/docs/api-reference/chat',
  baseUrl: 'https://api.openai.com/v1',
  env: { apiKey: ['OPENAI_API_KEY'], baseUrl: ['OPENAI_BASE_URL'] },
  needsKey: true,
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11): cancellable.
  onCancel: 'stops',
  offers,
  embeddings: {},
  habits: { maxTokensKey: 'max_completion_tokens' },
});

const speech = openAiSpeech(family.chat);

export const openai: Provider = { ...family, chat: ({ model }) => speech(model) };
