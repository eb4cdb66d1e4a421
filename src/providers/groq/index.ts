/** Groq. Strict: it refuses members that it does not know, in bodies and in messages. */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { OPENAI_ONLY } from '../dialects/openai-chat/habits.ts';
import { offers } from './offers.ts';

/** https://console.groq.com/docs/openai (read 2026-11): these are answered with 400. */
const REFUSED = {
  logprobs: 'Groq returns no log probabilities.',
  top_logprobs: 'Groq returns no log probabilities.',
  logit_bias: 'Groq has no logit bias.',
  n: 'Groq answers with one choice.',
  // groq-sdk 1.6.0: "not currently supported".
  metadata: 'Groq stores no metadata.',
  prediction: 'Groq has no predicted outputs.',
  prompt_cache_key: 'Groq decides by itself what it caches.',
};

export const groq = openAiFamily({
  id: 'groq',
  name: 'Groq',
  docs: 'https://console.groq.com/docs/api-reference#chat-create',
  baseUrl: 'https://api.groq.com/openai/v1',
  // groq-sdk takes https://api.groq.com and adds the rest.
  rootPath: '/openai/v1',
  env: { apiKey: ['GROQ_API_KEY'], baseUrl: ['GROQ_BASE_URL'] },
  needsKey: true,
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11): not cancellable.
  onCancel: 'bills_on',
  offers,
  habits: {
    maxTokensKey: 'max_completion_tokens',
    drops: { ...OPENAI_ONLY, ...REFUSED },
    messageNames: false,
    assistantMembers: ['role', 'content', 'tool_calls', 'function_call', 'reasoning'],
    reasoningField: 'reasoning',
  },
});
