/** Upstage: of the OpenAI family; nothing particular is known. */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const upstage = openAiFamily({
  id: 'upstage',
  name: 'Upstage',
  docs: 'https://developers.upstage.ai/docs/apis/chat',
  // Address and name of the key: console.upstage.ai/api-keys (read 2026-11).
  baseUrl: 'https://api.upstage.ai/v1',
  env: { apiKey: ['UPSTAGE_API_KEY'] },
  needsKey: true,
  // Nothing public was found (2026-11): taken to bill to the end.
  onCancel: 'bills_on',
  offers,
  embeddings: {},
  // Not known to take max_completion_tokens or the role developer.
  habits: {
    renamesMaxTokens: true,
    developerRole: false,
    reasoningField: 'reasoning_content',
    topK: true,
  },
});
