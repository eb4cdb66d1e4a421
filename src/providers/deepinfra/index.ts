/** DeepInfra: of the OpenAI family; nothing particular is known. */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const deepinfra = openAiFamily({
  id: 'deepinfra',
  name: 'DeepInfra',
  docs: 'https://deepinfra.com/docs/advanced/openai_api',
  // Address and name of the key: deepinfra.com/docs/advanced/openai_api (read 2026-11) and
  // models.dev 2026-07-02.
  baseUrl: 'https://api.deepinfra.com/v1/openai',
  env: { apiKey: ['DEEPINFRA_API_KEY'] },
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
