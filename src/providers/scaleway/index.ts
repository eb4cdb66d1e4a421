/** Scaleway Generative APIs: of the OpenAI family; nothing particular is known. */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const scaleway = openAiFamily({
  id: 'scaleway',
  name: 'Scaleway Generative APIs',
  docs: 'https://www.scaleway.com/en/docs/generative-apis',
  // Address and name of the key: models.dev 2026-07-02.
  baseUrl: 'https://api.scaleway.ai/v1',
  env: { apiKey: ['SCALEWAY_API_KEY'] },
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
