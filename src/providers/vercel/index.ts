/** Vercel AI Gateway: of the OpenAI family; nothing particular is known. */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const vercel = openAiFamily({
  id: 'vercel',
  name: 'Vercel AI Gateway',
  docs: 'https://vercel.com/docs/ai-gateway/openai-compat',
  // Address and name of the key: docs.litellm.ai/docs/providers/vercel_ai_gateway
  // (2026-10-09) and models.dev 2026-07-02.
  baseUrl: 'https://ai-gateway.vercel.sh/v1',
  env: { apiKey: ['AI_GATEWAY_API_KEY'] },
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
