/**
 * Azure OpenAI. The key goes into a header of its own, the deployment into the path (or, under
 * `/openai/v1`, into the body). Answers carry content filter results, and streams begin with a
 * chunk without choices; both pass through.
 */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { azureAddress } from './address.ts';
import { offers } from './offers.ts';

export const azureOpenai = openAiFamily({
  id: 'azure-openai',
  name: 'Azure OpenAI',
  docs: 'https://learn.microsoft.com/en-us/azure/ai-foundry/openai/reference',
  baseUrl: null,
  env: {
    apiKey: ['AZURE_OPENAI_API_KEY', 'AZURE_API_KEY'],
    baseUrl: ['AZURE_OPENAI_ENDPOINT', 'AZURE_OPENAI_BASE_URL', 'AZURE_API_BASE'],
  },
  needsKey: true,
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11): cancellable.
  onCancel: 'stops',
  offers,
  embeddings: {},
  address: azureAddress,
  credentials: ({ secret }) => ({ headers: [['api-key', secret]] }),
  habits: { maxTokensKey: 'max_completion_tokens' },
});
