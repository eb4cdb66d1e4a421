/**
 * Any host that speaks OpenAI's chat completions and has no folder of its own. Nothing is dropped
 * or renamed: the operator knows his host, and what it cannot do it will say itself.
 */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const openaiCompatible = openAiFamily({
  id: 'openai-compatible',
  name: 'OpenAI-compatible host',
  docs: 'https://platform.openai.com/docs/api-reference/chat',
  baseUrl: null,
  env: { apiKey: [] },
  needsKey: false,
  // Unknown hosts are taken to bill to the end: draining learns what they bill.
  onCancel: 'bills_on',
  offers,
  embeddings: {},
  habits: { usage: { hiddenReasoning: true } },
});
