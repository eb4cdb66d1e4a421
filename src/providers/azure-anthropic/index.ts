/**
 * Claude deployments on Azure (Microsoft Foundry): Anthropic's own wire under a resource's address,
 * with the deployment as model. https://platform.claude.com/docs/en/build-with-claude/
 * claude-in-microsoft-foundry (read 2026-11).
 */
import { anthropicSupport } from '../dialects/anthropic/support.ts';
import { readError } from '../dialects/anthropic/errors.ts';
import type { Provider, Target, UpstreamAddress } from '../provider.ts';
import { offers } from './offers.ts';

/** The version whose wire the dialect speaks; a newer one takes no sampling settings. */
const API_VERSION = '2023-06-01';

/**
 * Operators give the resource (`https://x.services.ai.azure.com`), what the official SDK takes
 * (`.../anthropic`), or that with its version (`.../anthropic/v1`).
 */
function address(target: Target): UpstreamAddress {
  const url = new URL(target.baseUrl);
  const base = url.pathname.replace(/\/+$/, '') || '/anthropic';
  url.pathname = base.endsWith('/v1') ? `${base}/messages` : `${base}/v1/messages`;
  return { method: 'POST', url: url.href };
}

export const azureAnthropic: Provider = {
  id: 'azure-anthropic',
  name: 'Claude on Azure',
  docs: 'https://learn.microsoft.com/en-us/azure/ai-foundry/foundry-models/how-to/use-foundry-models-claude',
  baseUrl: null,
  env: { apiKey: ['ANTHROPIC_FOUNDRY_API_KEY'], baseUrl: ['ANTHROPIC_FOUNDRY_BASE_URL'] },
  needsKey: true,
  // https://openrouter.ai/docs/api-reference/streaming (read 2026-11): cancellable.
  onCancel: 'stops',
  address,
  credentials: ({ secret }) => ({
    headers: [
      ['x-api-key', secret],
      ['anthropic-version', API_VERSION],
    ],
  }),
  readError,
  offers,
  // Capacity is a property of the deployment, not of the request.
  chat: anthropicSupport({ serviceTier: false }),
};
