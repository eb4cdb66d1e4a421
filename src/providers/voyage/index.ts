/** Voyage AI: embeddings alone, in OpenAI's form under some names of its own. */
import { readError } from '../dialects/openai-chat/errors.ts';
import { underBase } from '../dialects/openai-chat/family.ts';
import { openAiEmbeddings } from '../dialects/openai-embeddings/support.ts';
import type { Provider } from '../provider.ts';
import { offers } from './offers.ts';

export const voyage: Provider = {
  id: 'voyage',
  name: 'Voyage AI',
  docs: 'https://docs.voyageai.com/reference/embeddings-api',
  baseUrl: 'https://api.voyageai.com/v1',
  env: { apiKey: ['VOYAGE_API_KEY'] },
  needsKey: true,
  onCancel: 'bills_on',
  address: ({ baseUrl }) => ({ method: 'POST', url: underBase(baseUrl, '/embeddings') }),
  credentials: ({ secret }) => ({ headers: [['authorization', `Bearer ${secret}`]] }),
  readError,
  offers,
  // docs.voyageai.com/reference/embeddings-api (read 2026-11). What it does not know it refuses.
  embeddings: openAiEmbeddings({
    inputsMax: 1_000,
    renames: { dimensions: 'output_dimension' },
    drops: { user: 'Voyage AI takes no name of the end user.' },
    // Numbers are what it sends unless asked; the word for them it does not know.
    formats: ['base64'],
    purpose: { field: 'input_type', words: { query: 'query', document: 'document' } },
    tokens: false,
  }),
};
