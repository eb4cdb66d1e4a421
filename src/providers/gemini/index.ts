/** The Gemini API of Google AI Studio: keys, no projects. */
import { generateContentAddress, underBase } from '../dialects/gemini/address.ts';
import { readError } from '../dialects/gemini/errors.ts';
import { geminiSupport } from '../dialects/gemini/support.ts';
import { geminiEmbeddings } from '../dialects/gemini-embeddings/gemini-api.ts';
import type {
  CredentialInput,
  Credentials,
  Operation,
  Provider,
  Target,
  UpstreamAddress,
} from '../provider.ts';
import { offers } from './offers.ts';

function address(target: Target, operation: Operation): UpstreamAddress {
  const { model, baseUrl } = target;
  // Tuned models bring their own collection with them.
  const name = model.includes('/') ? model : `models/${model}`;
  const path = name.split('/').map(encodeURIComponent).join('/');
  const place = { baseUrl, rootPath: '/v1beta', path };
  if (operation !== 'embeddings') return generateContentAddress(place, operation);
  return underBase({ ...place, path: `${path}:batchEmbedContents` });
}

function credentials({ secret }: CredentialInput): Credentials {
  return { headers: [['x-goog-api-key', secret]] };
}

export const gemini: Provider = {
  id: 'gemini',
  name: 'Google Gemini',
  docs: 'https://ai.google.dev/api/generate-content',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  env: { apiKey: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'], baseUrl: ['GOOGLE_GEMINI_BASE_URL'] },
  needsKey: true,
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11): not cancellable.
  onCancel: 'bills_on',
  address,
  credentials,
  readError,
  offers,
  chat: geminiSupport(),
  embeddings: geminiEmbeddings,
};
