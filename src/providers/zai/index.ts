/** Z.ai (GLM). Business codes of four digits stand in `error.code`, whatever the status. */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const zai = openAiFamily({
  id: 'zai',
  name: 'Z.ai',
  docs: 'https://docs.z.ai/api-reference/llm/chat-completion',
  baseUrl: 'https://api.z.ai/api/paas/v4',
  env: { apiKey: ['ZAI_API_KEY', 'Z_AI_API_KEY', 'ZHIPU_API_KEY'] },
  needsKey: true,
  // Nothing public was found (2026-11): taken to bill to the end.
  onCancel: 'bills_on',
  offers,
  habits: {
    renamesMaxTokens: true,
    developerRole: false,
    reasoningField: 'reasoning_content',
  },
});
