/** DeepSeek. Unknown members are ignored; cache hits and misses are counted at the top of usage. */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const deepseek = openAiFamily({
  id: 'deepseek',
  name: 'DeepSeek',
  docs: 'https://api-docs.deepseek.com/api/create-chat-completion',
  baseUrl: 'https://api.deepseek.com',
  env: { apiKey: ['DEEPSEEK_API_KEY'] },
  needsKey: true,
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11): cancellable.
  onCancel: 'stops',
  offers,
  habits: {
    renamesMaxTokens: true,
    // 400 "unknown variant `developer`": github.com/earendil-works/pi/issues/1048 (2026-01).
    developerRole: false,
    // 400 "invalid type: sequence, expected a string": github.com/QwenLM/qwen-code/pull/2320 and
    // github.com/Gitlawb/openclaude/issues/774 (2026).
    textLists: false,
    reasoningField: 'reasoning_content',
  },
});
