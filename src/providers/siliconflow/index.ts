/** SiliconFlow, the platform outside China. Errors are flat: `{code, message, data}`. */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const siliconflow = openAiFamily({
  id: 'siliconflow',
  name: 'SiliconFlow',
  docs: 'https://docs.siliconflow.com/en/api-reference/chat-completions/chat-completions',
  baseUrl: 'https://api.siliconflow.com/v1',
  env: { apiKey: ['SILICONFLOW_API_KEY'] },
  needsKey: true,
  // Nothing public was found (2026-11): taken to bill to the end.
  onCancel: 'bills_on',
  offers,
  // https://docs.siliconflow.cn/en/api-reference/embeddings (read 2026-11).
  embeddings: { inputsMax: 32 },
  habits: {
    renamesMaxTokens: true,
    developerRole: false,
    reasoningField: 'reasoning_content',
    topK: true,
  },
});
