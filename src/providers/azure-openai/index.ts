/**
 * Azure OpenAI. The key goes into a header of its own, the deployment into the body (or, in the
 * dated API, into the path). Answers carry content filter results, and streams begin with a chunk
 * without choices; both pass through. A deployment with the name of its model is spoken to as that
 * model is at OpenAI; the dated API has chat only.
 */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { openAiSpeech } from '../openai/speaks.ts';
import type { Provider } from '../provider.ts';
import { azureAddress, isDated } from './address.ts';
import { offers } from './offers.ts';

const family = openAiFamily({
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

const speech = openAiSpeech(family.chat);

export const azureOpenai: Provider = {
  ...family,
  chat: (target) => (isDated(target) ? family.chat : speech(target.model)),
};
