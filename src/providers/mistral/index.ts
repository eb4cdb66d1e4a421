/**
 * Mistral. The strictest host of the family: unknown members are a 422, in bodies and in messages;
 * what a model thought stands in an array of content.
 */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { OPENAI_ONLY } from '../dialects/openai-chat/habits.ts';
import { offers } from './offers.ts';
import { rewriteAnswer, rewriteEvent } from './rewrite.ts';
import { toMistralCallId } from './call-id.ts';

/** Not in ChatCompletionRequest of @mistralai/mistralai 2.7.0, nor of its source in 2026-08. */
const REFUSED = {
  logprobs: 'Mistral returns no log probabilities.',
  top_logprobs: 'Mistral returns no log probabilities.',
  logit_bias: 'Mistral has no logit bias.',
  top_k: 'Mistral has no top_k.',
  service_tier: 'Mistral has one service tier.',
  user: 'Mistral takes no id of the end user.',
  functions: 'Mistral knows tools and no functions.',
  function_call: 'Mistral knows tools and no functions.',
};

export const mistral = openAiFamily({
  id: 'mistral',
  name: 'Mistral AI',
  docs: 'https://docs.mistral.ai/api/#tag/chat',
  baseUrl: 'https://api.mistral.ai/v1',
  // The official SDK takes https://api.mistral.ai and adds the rest.
  rootPath: '/v1',
  env: { apiKey: ['MISTRAL_API_KEY'] },
  needsKey: true,
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11): not cancellable.
  onCancel: 'bills_on',
  offers,
  // EmbeddingRequest of @mistralai/mistralai 2.7.0.
  embeddings: {
    tokens: false,
    renames: { dimensions: 'output_dimension' },
    drops: { user: 'Mistral takes no id of the end user.' },
  },
  habits: {
    // 422 for include_usage: github.com/dnakov/anon-kode/issues/53 (2025-03). Sent always
    // (recordings).
    streamUsage: 'unasked',
    renamesMaxTokens: true,
    renames: { seed: 'random_seed' },
    drops: { ...OPENAI_ONLY, ...REFUSED },
    developerRole: false,
    messageNames: false,
    assistantMembers: ['role', 'content', 'tool_calls', 'prefix'],
    toolCallId: toMistralCallId,
    reasoningField: 'content',
    rewrites: { answer: rewriteAnswer, event: rewriteEvent },
  },
});
