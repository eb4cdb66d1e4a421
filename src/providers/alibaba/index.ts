/** Alibaba Cloud Model Studio (Qwen), the endpoint outside China. */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const alibaba = openAiFamily({
  id: 'alibaba',
  name: 'Alibaba Cloud Model Studio',
  docs: 'https://www.alibabacloud.com/help/en/model-studio/use-qwen-by-calling-api',
  baseUrl: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
  env: { apiKey: ['DASHSCOPE_API_KEY', 'ALIBABA_API_KEY'] },
  needsKey: true,
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11): not cancellable.
  onCancel: 'bills_on',
  offers,
  // text-embedding-v3 and v4 take ten (https://help.aliyun.com/zh/model-studio, read 2026-11).
  embeddings: { inputsMax: 10, tokens: false },
  habits: {
    // @ai-sdk/alibaba 1.0.61 sends max_tokens; the other name was not verified (2026-11).
    renamesMaxTokens: true,
    developerRole: false,
    reasoningField: 'reasoning_content',
    topK: true,
    // Explicit caching, kept five minutes; usage tells it as cache_creation_input_tokens.
    cacheControl: true,
  },
});
