/**
 * xAI. Reasoning tokens stand beside completion_tokens; a bad key is a 400 `{code, error: "text"}`.
 */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const xai = openAiFamily({
  id: 'xai',
  name: 'xAI',
  docs: 'https://docs.x.ai/docs/api-reference#chat-completions',
  baseUrl: 'https://api.x.ai/v1',
  env: { apiKey: ['XAI_API_KEY'] },
  needsKey: true,
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11): cancellable.
  onCancel: 'stops',
  offers,
  habits: {
    maxTokensKey: 'max_completion_tokens',
    // Not verified that xAI knows the role (2026-11); `system` means the same to it.
    developerRole: false,
    reasoningField: 'reasoning_content',
  },
});
