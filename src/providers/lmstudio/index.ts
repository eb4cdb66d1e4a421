/** LM Studio's local server. */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const lmstudio = openAiFamily({
  id: 'lmstudio',
  name: 'LM Studio',
  docs: 'https://lmstudio.ai/docs/developer/openai-compat',
  baseUrl: 'http://127.0.0.1:1234/v1',
  rootPath: '/v1',
  env: { apiKey: ['LMSTUDIO_API_KEY'], baseUrl: ['LMSTUDIO_BASE_URL'] },
  needsKey: false,
  // Generation is local and bills nobody.
  onCancel: 'stops',
  offers,
  embeddings: {},
  habits: {
    renamesMaxTokens: true,
    developerRole: false,
    reasoningField: 'reasoning_content',
    topK: true,
  },
});
