/**
 * Where a model of Bedrock is: a host per region, the model in the path, and another path where
 * the answer streams or is vectors. The id may be a model's, a profile's or an ARN: it is encoded
 * whole.
 */
import type { Operation, Target, UpstreamAddress } from '../provider.ts';

const REGION_DEFAULT = 'us-east-1';
export const BASE_URL_DEFAULT = `https://bedrock-runtime.${REGION_DEFAULT}.amazonaws.com`;

const PUBLIC_HOST = /^(bedrock-runtime(?:-fips)?)\.([a-z0-9-]+)\.(amazonaws\.com(?:\.cn)?)$/;

const ACTIONS: Readonly<Record<Operation, string>> = {
  chat: 'converse',
  chat_stream: 'converse-stream',
  // Never asked for: Bedrock is spoken to in Converse.
  responses: 'converse',
  embeddings: 'invoke',
};

/** The target's region chooses among Amazon's own hosts; an operator's own host stays. */
export function bedrockAddress(target: Target, operation: Operation): UpstreamAddress {
  const url = new URL(target.baseUrl);
  const own = PUBLIC_HOST.exec(url.hostname);
  if (own !== null && target.region !== null) {
    const domain = target.region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
    url.hostname = `${own[1] ?? ''}.${target.region}.${domain}`;
  }
  const base = url.pathname.replace(/\/+$/, '');
  url.pathname = `${base}/model/${encodeModel(target.model)}/${ACTIONS[operation]}`;
  return { method: 'POST', url: url.href };
}

/** Also what `encodeURIComponent` leaves and a signature does not. */
function encodeModel(model: string): string {
  return encodeURIComponent(model).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The region that a signature names: the target's, else the host's, else the default. */
export function signingRegion(target: Target, address: UpstreamAddress): string {
  if (target.region !== null) return target.region;
  const host = new URL(address.url).hostname;
  return /bedrock-runtime(?:-fips)?\.([a-z]{2}[a-z0-9-]+-\d)\./.exec(host)?.[1] ?? REGION_DEFAULT;
}
