/** NVIDIA NIM, the hosted endpoints. Errors are FastAPI's `{detail}` or RFC 7807's. */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const nvidia = openAiFamily({
  id: 'nvidia',
  name: 'NVIDIA NIM',
  docs: 'https://docs.api.nvidia.com/nim/reference/llm-apis',
  baseUrl: 'https://integrate.api.nvidia.com/v1',
  env: { apiKey: ['NVIDIA_API_KEY', 'NVIDIA_NIM_API_KEY'] },
  needsKey: true,
  // Nothing public was found (2026-11): taken to bill to the end.
  onCancel: 'bills_on',
  offers,
  // Models that tell a question from a passage must be told which it is.
  embeddings: {
    tokens: false,
    purpose: { field: 'input_type', words: { query: 'query', document: 'passage' } },
  },
  habits: {
    renamesMaxTokens: true,
    developerRole: false,
    reasoningField: 'reasoning_content',
    topK: true,
  },
});
