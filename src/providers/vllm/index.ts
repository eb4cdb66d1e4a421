/** vLLM's server, wherever the operator runs it. */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const vllm = openAiFamily({
  id: 'vllm',
  name: 'vLLM',
  docs: 'https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html',
  baseUrl: null,
  rootPath: '/v1',
  env: { apiKey: ['VLLM_API_KEY'], baseUrl: ['VLLM_BASE_URL'] },
  needsKey: false,
  // The server aborts the request when the connection closes (finish reason "abort").
  onCancel: 'stops',
  offers,
  embeddings: {},
  habits: {
    // Many chat templates know no developer role.
    developerRole: false,
    // Newer servers write `reasoning`, older ones `reasoning_content`; both read the latter.
    reasoningField: 'reasoning_content',
    topK: true,
  },
});
