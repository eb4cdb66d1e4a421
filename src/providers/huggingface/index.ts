/**
 * Hugging Face's router over many hosts; `model` may end in `:host`. Answers differ with the host.
 */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const huggingface = openAiFamily({
  id: 'huggingface',
  name: 'Hugging Face Inference Providers',
  docs: 'https://huggingface.co/docs/inference-providers/tasks/chat-completion',
  baseUrl: 'https://router.huggingface.co/v1',
  rootPath: '/v1',
  env: { apiKey: ['HF_TOKEN', 'HUGGINGFACE_API_KEY', 'HUGGING_FACE_HUB_TOKEN'] },
  needsKey: true,
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11): not cancellable.
  onCancel: 'bills_on',
  offers,
  habits: {
    renamesMaxTokens: true,
    developerRole: false,
    reasoningField: 'reasoning_content',
  },
});
