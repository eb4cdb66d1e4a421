/**
 * Who we are at Bedrock: a bearer key, or an access key that signs each request (Signature Version
 * 4). Both come as one secret: `accessKeyId:secretAccessKey`, with `:sessionToken` behind where the
 * keys are temporary; a text without a colon is a bearer key.
 */
import { AwsV4Signer } from 'aws4fetch';
import type { Awaitable } from '#base/result.ts';
import type { CredentialInput, Credentials, HeaderPairs } from '../provider.ts';
import { signingRegion } from './address.ts';

const SERVICE = 'bedrock';

export function bedrockCredentials(input: CredentialInput): Awaitable<Credentials> {
  const { secret } = input;
  const colon = secret.indexOf(':');
  if (colon < 0) return { headers: [['authorization', `Bearer ${secret}`]] };
  const [accessKeyId = '', secretAccessKey = '', ...token] = secret.split(':');
  return sign(input, { accessKeyId, secretAccessKey, sessionToken: token.join(':') });
}

interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** The headers that prove the request; the hash of the body is part of what is signed. */
async function sign(input: CredentialInput, key: AccessKey): Promise<Credentials> {
  const { address, body, nowMs, target } = input;
  const { sessionToken, ...pair } = key;
  const signer = new AwsV4Signer({
    ...pair,
    ...(sessionToken === '' ? {} : { sessionToken }),
    method: address.method,
    url: address.url,
    body: signable(body),
    service: SERVICE,
    region: signingRegion(target, address),
    datetime: new Date(nowMs).toISOString().replace(/[:-]|\.\d{3}/g, ''),
  });
  const { headers } = await signer.sign();
  const pairs: HeaderPairs = [...headers].map(([name, value]) => [name.toLowerCase(), value]);
  return { headers: pairs };
}

/** The same bytes in the form that WebCrypto takes; copied only out of shared memory. */
function signable(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = body;
  if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer, byteOffset, byteLength);
  return new Uint8Array(body);
}
