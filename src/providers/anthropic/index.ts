/** Anthropic's own API: the home of the Messages dialect, spoken through translation. */
import { anthropicSupport } from '../dialects/anthropic/support.ts';
import { readError } from '../dialects/anthropic/errors.ts';
import type { CredentialInput, Credentials, Provider, Target } from '../provider.ts';
import type { UpstreamAddress } from '../provider.ts';
import { offers } from './offers.ts';

/**
 * The version whose wire the dialect speaks. The one of 2026-10-21 takes no sampling settings from
 * any model (platform.claude.com/docs/en/api/versioning), which callers of older models still use.
 */
const API_VERSION = '2023-06-01';

/** The official SDK takes the host and adds `/v1/messages`; a base URL ending in `/v1` is kept. */
function address(target: Target): UpstreamAddress {
  const url = new URL(target.baseUrl);
  const base = url.pathname.replace(/\/+$/, '');
  url.pathname = base.endsWith('/v1') ? `${base}/messages` : `${base}/v1/messages`;
  return { method: 'POST', url: url.href };
}

function credentials({ secret }: CredentialInput): Credentials {
  return {
    headers: [
      ['x-api-key', secret],
      ['anthropic-version', API_VERSION],
    ],
  };
}

export const anthropic: Provider = {
  id: 'anthropic',
  name: 'Anthropic',
  docs: 'https://platform.claude.com/docs/en/api/messages',
  baseUrl: 'https://api.anthropic.com',
  env: { apiKey: ['ANTHROPIC_API_KEY'], baseUrl: ['ANTHROPIC_BASE_URL'] },
  needsKey: true,
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11): cancellable.
  onCancel: 'stops',
  address,
  credentials,
  readError,
  offers,
  chat: anthropicSupport(),
};
