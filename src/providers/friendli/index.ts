/** Friendli: of the OpenAI family; nothing particular is known. */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const friendli = openAiFamily({
  id: 'friendli',
  name: 'Friendli',
  docs: 'https://friendli.ai/docs/guides/serverless_endpoints/introduction',
  // Address and name of the key: models.dev 2026-07-02.
  baseUrl: 'https://api.friendli.ai/serverless/v1',
  env: { apiKey: ['FRIENDLI_TOKEN'] },
  needsKey: true,
  // Nothing public was found (2026-11): taken to bill to the end.
  onCancel: 'bills_on',
  offers,
  // Not known to take max_completion_tokens or the role developer.
  habits: {
    renamesMaxTokens: true,
    developerRole: false,
    reasoningField: 'reasoning_content',
    topK: true,
  },
});
