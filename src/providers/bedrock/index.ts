/**
 * Amazon Bedrock. Models of many labs behind one shape, Converse, and embedders each behind one of
 * its own; a host per region; streams in binary frames. A request may be signed or carry a key.
 */
import { bedrockConverse } from '../dialects/bedrock-converse/codec.ts';
import { readError } from '../dialects/bedrock-converse/errors.ts';
import { bedrockEmbeddings } from '../dialects/bedrock-embeddings/families.ts';
import type { Provider } from '../provider.ts';
import { BASE_URL_DEFAULT, bedrockAddress } from './address.ts';
import { bedrockCredentials } from './credentials.ts';
import { offers } from './offers.ts';

export const bedrock: Provider = {
  id: 'bedrock',
  name: 'Amazon Bedrock',
  docs: 'https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html',
  // With a region, the host of that region (`address.ts`).
  baseUrl: BASE_URL_DEFAULT,
  // The second holds an access key, as `accessKeyId:secretAccessKey[:sessionToken]`.
  env: {
    apiKey: ['AWS_BEARER_TOKEN_BEDROCK', 'AWS_BEDROCK_ACCESS_KEY'],
    region: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
  },
  needsKey: true,
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11): not cancellable.
  onCancel: 'bills_on',
  address: bedrockAddress,
  credentials: bedrockCredentials,
  readError,
  offers,
  chat: bedrockConverse,
  embeddings: bedrockEmbeddings,
};
