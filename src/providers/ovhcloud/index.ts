/** OVHcloud AI Endpoints: of the OpenAI family; nothing particular is known. */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const ovhcloud = openAiFamily({
  id: 'ovhcloud',
  name: 'OVHcloud AI Endpoints',
  docs: 'https://www.ovhcloud.com/en/public-cloud/ai-endpoints/catalog',
  // Address and name of the key: models.dev 2026-07-02.
  baseUrl: 'https://oai.endpoints.kepler.ai.cloud.ovh.net/v1',
  env: { apiKey: ['OVHCLOUD_API_KEY'] },
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
