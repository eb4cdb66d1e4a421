/** Vertex AI of Google Cloud: Gemini, and Claude in its own dialect, told apart by their names. */
import { readError as readMessagesError } from '../dialects/anthropic/errors.ts';
import { anthropicSupport } from '../dialects/anthropic/support.ts';
import { readError as readGoogleError } from '../dialects/gemini/errors.ts';
import { geminiSupport } from '../dialects/gemini/support.ts';
import { vertexEmbeddings } from '../dialects/gemini-embeddings/vertex.ts';
import { isRecord, parseJson, recordOf } from '../json.ts';
import type { Provider, UpstreamError, UpstreamErrorInput } from '../provider.ts';
import { isClaude, vertexAddress } from './address.ts';
import { vertexCredentials } from './credentials.ts';
import { offers } from './offers.ts';

const geminiChat = geminiSupport({ developerApi: false });

/**
 * The model stands in the address and the version in the body, as the official client has it
 * (@anthropic-ai/vertex-sdk); media by address and service tiers are Anthropic's own API only.
 */
const claudeChat = anthropicSupport({
  modelInBody: false,
  bodyVersion: 'vertex-2023-10-16',
  nativeOutput: false,
  mediaUrls: false,
  serviceTier: false,
});

/** Claude's refusals come in its own envelope, those of the platform in Google's. */
function readError(input: UpstreamErrorInput): UpstreamError {
  const body = parseJson(new TextDecoder().decode(input.body));
  const isMessages = isRecord(body) && typeof recordOf(body['error'])['type'] === 'string';
  return isMessages ? readMessagesError(input) : readGoogleError(input);
}

export const vertex: Provider = {
  id: 'vertex',
  name: 'Google Vertex AI',
  docs: 'https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference',
  baseUrl: 'https://aiplatform.googleapis.com',
  env: {
    apiKey: ['GOOGLE_VERTEX_CREDENTIALS', 'GOOGLE_VERTEX_API_KEY'],
    baseUrl: ['GOOGLE_VERTEX_BASE_URL'],
    region: ['GOOGLE_CLOUD_LOCATION', 'GOOGLE_VERTEX_LOCATION'],
    project: ['GOOGLE_CLOUD_PROJECT', 'GOOGLE_VERTEX_PROJECT'],
  },
  needsKey: true,
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11): not cancellable.
  onCancel: 'bills_on',
  address: vertexAddress,
  credentials: vertexCredentials,
  readError,
  offers,
  chat: (target) => (isClaude(target) ? claudeChat : geminiChat),
  embeddings: vertexEmbeddings,
};
