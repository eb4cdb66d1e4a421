/**
 * Perplexity. Sources stand beside the choices; usage comes with every event and grows. Deep
 * research bills citation tokens like input, and reasoning beside the completion.
 */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const perplexity = openAiFamily({
  id: 'perplexity',
  name: 'Perplexity',
  docs: 'https://docs.perplexity.ai/api-reference/chat-completions-post',
  baseUrl: 'https://api.perplexity.ai',
  env: { apiKey: ['PERPLEXITY_API_KEY', 'PPLX_API_KEY'], baseUrl: ['PERPLEXITY_BASE_URL'] },
  needsKey: true,
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11): not cancellable.
  onCancel: 'bills_on',
  offers,
  habits: {
    streamUsage: 'unasked',
    renamesMaxTokens: true,
    developerRole: false,
    topK: true,
    // https://docs.perplexity.ai/getting-started/pricing (read 2026-11): deep research pays per
    // search, the other models per request, by context size; the price sheet knows one price per
    // request.
    usage: {
      reasoning: 'beside',
      extraInput: ['citation_tokens'],
      requests: 'num_search_queries',
    },
  },
});
