/** Cohere: its own v2 chat and embeddings, spoken through translation only. */
import type { Operation, Provider, Target, UpstreamAddress } from '../provider.ts';
import { cohereChat } from '../dialects/cohere-chat/codec.ts';
import { readError } from '../dialects/cohere-chat/errors.ts';
import { cohereEmbeddings } from '../dialects/cohere-embed/support.ts';
import { offers } from './offers.ts';

/** The official SDK takes the host and adds `/v2/...`; a base URL that ends in `/v2` is kept. */
function address(target: Target, operation: Operation): UpstreamAddress {
  const url = new URL(target.baseUrl);
  const base = url.pathname.replace(/\/+$/, '');
  const path = operation === 'embeddings' ? 'embed' : 'chat';
  url.pathname = base.endsWith('/v2') ? `${base}/${path}` : `${base}/v2/${path}`;
  return { method: 'POST', url: url.href };
}

export const cohere: Provider = {
  id: 'cohere',
  name: 'Cohere',
  docs: 'https://docs.cohere.com/reference/chat',
  baseUrl: 'https://api.cohere.com',
  env: { apiKey: ['CO_API_KEY', 'COHERE_API_KEY'], baseUrl: ['CO_API_URL', 'COHERE_BASE_URL'] },
  needsKey: true,
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11): cancellable.
  onCancel: 'stops',
  address,
  credentials: ({ secret }) => ({ headers: [['authorization', `Bearer ${secret}`]] }),
  readError,
  offers,
  chat: cohereChat,
  embeddings: cohereEmbeddings,
};
