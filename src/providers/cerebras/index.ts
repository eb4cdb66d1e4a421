/** Cerebras. Refuses members that it does not know; what a model thought stands in `reasoning`. */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { OPENAI_ONLY } from '../dialects/openai-chat/habits.ts';
import { offers } from './offers.ts';

export const cerebras = openAiFamily({
  id: 'cerebras',
  name: 'Cerebras',
  docs: 'https://inference-docs.cerebras.ai/api-reference/chat-completions',
  baseUrl: 'https://api.cerebras.ai/v1',
  // The official SDK takes https://api.cerebras.ai and adds the rest.
  rootPath: '/v1',
  env: { apiKey: ['CEREBRAS_API_KEY'], baseUrl: ['CEREBRAS_BASE_URL'] },
  needsKey: true,
  // Nothing public was found (2026-11): taken to bill to the end.
  onCancel: 'bills_on',
  offers,
  habits: {
    maxTokensKey: 'max_completion_tokens',
    // Types of @cerebras/cerebras_cloud_sdk 1.91.0.
    drops: { ...OPENAI_ONLY, metadata: 'Cerebras stores no metadata.' },
    assistantMembers: ['role', 'content', 'tool_calls', 'reasoning', 'name'],
    reasoningField: 'reasoning',
  },
});
