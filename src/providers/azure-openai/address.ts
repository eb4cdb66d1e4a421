/**
 * Where a deployment is. Operators give Azure's base URL in several forms: the resource
 * (`https://x.openai.azure.com`), what the SDK makes of it (`/openai`), the current API
 * (`/openai/v1`, where the deployment goes as model in the body), or that of one deployment
 * (`/openai/deployments/d`), which is dated. The current one serves every model and needs no date;
 * the reasoning models refuse the dated one before 2024-12-01-preview
 * (github.com/microsoft/semantic-kernel/issues/12268). A query of the base URL stays, and one that
 * names an `api-version` means the dated API.
 */
import type { Operation, Target, UpstreamAddress } from '../provider.ts';

/**
 * The latest version of the dated API that is generally available (Microsoft's page, 2024-10-21).
 */
const API_VERSION = '2024-10-21';

/** What stands in front of Azure often publishes the dated API only. */
const AZURE_HOST = /\.(?:openai|cognitiveservices|services\.ai)\.azure\.(?:com|us|cn)$/;

/** In both APIs. */
const PATHS: Readonly<Record<Operation, string>> = {
  chat: '/chat/completions',
  chat_stream: '/chat/completions',
  responses: '/responses',
  embeddings: '/embeddings',
};

export function azureAddress(target: Target, operation: Operation): UpstreamAddress {
  const { url, dated } = locate(target);
  url.pathname += PATHS[operation];
  if (dated && !url.searchParams.has('api-version')) {
    url.searchParams.set('api-version', API_VERSION);
  }
  return { method: 'POST', url: url.href };
}

export function isDated(target: Target): boolean {
  return locate(target).dated;
}

function locate({ baseUrl, model }: Target): { readonly url: URL; readonly dated: boolean } {
  const url = new URL(baseUrl);
  const base = url.pathname.replace(/\/+$/, '');
  const root = base === '' ? '/openai' : base;
  const deployment = encodeURIComponent(model);
  const takesDate = url.searchParams.has('api-version') || !AZURE_HOST.test(url.hostname);
  if (root.endsWith('/deployments')) url.pathname = `${root}/${deployment}`;
  else if (!root.endsWith('/openai')) url.pathname = root;
  else if (takesDate) {
    url.pathname = `${root}/deployments/${deployment}`;
  } else url.pathname = `${root}/v1`;
  return { url, dated: url.pathname.includes('/deployments/') };
}
