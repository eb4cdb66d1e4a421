/**
 * OpenAI itself: the reference of the family, whose bodies pass through; and its models that only
 * answer under `/responses`, which chat reaches by translation.
 */
import { openAiFamily, underBase } from '../dialects/openai-chat/family.ts';
import { openAiResponses } from '../dialects/openai-responses/codec.ts';
import type { Provider } from '../provider.ts';
import { offers } from './offers.ts';
import { RESPONSES_ONLY } from './responses-only.ts';

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

export const openai: Provider = {
  ...family,
  address: (target, operation) =>
    RESPONSES_ONLY.has(target.model)
      ? { method: 'POST', url: underBase(target.baseUrl, '/responses') }
      : family.address(target, operation),
  chat: (target) => (RESPONSES_ONLY.has(target.model) ? openAiResponses : family.chat),
};
