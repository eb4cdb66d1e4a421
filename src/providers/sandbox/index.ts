/**
 * Models that need no provider: they answer in process, at once, the same every time. Their bytes
 * are made by a transport of the gateway; the address below only names them and is never dialled.
 */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const sandbox = openAiFamily({
  id: 'sandbox',
  name: 'Sandbox',
  docs: 'https://platform.openai.com/docs/api-reference/chat',
  // RFC 6761: names under .invalid never resolve.
  baseUrl: 'http://sandbox.invalid/v1',
  env: { apiKey: [] },
  needsKey: false,
  onCancel: 'stops',
  offers,
  embeddings: {},
  habits: { maxTokensKey: 'max_completion_tokens' },
});
