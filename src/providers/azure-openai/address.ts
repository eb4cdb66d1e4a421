/**
 * Where a deployment is. Operators give Azure's base URL in several forms: the resource
 * (`https://x.openai.azure.com`), what the SDK makes of it (`/openai`), one deployment
 * (`/openai/deployments/d`), or the newer `/openai/v1`, where the deployment goes as model in the
 * body. A query of the base URL, such as an `api-version`, stays.
 */
import type { Operation, Target, UpstreamAddress } from '../provider.ts';

/**
 * The latest version of the dated API that is generally available (Microsoft's page, 2024-10-21).
 */
const API_VERSION = '2024-10-21';

export function azureAddress(target: Target, operation: Operation): UpstreamAddress {
  const url = new URL(target.baseUrl);
  const base = url.pathname.replace(/\/+$/, '');
  const path = operation === 'embeddings' ? '/embeddings' : '/chat/completions';
  url.pathname = `${deploymentPath(base, target.model)}${path}`;
  const dated = url.pathname.includes('/deployments/');
  if (dated && !url.searchParams.has('api-version')) {
    url.searchParams.set('api-version', API_VERSION);
  }
  return { method: 'POST', url: url.href };
}

function deploymentPath(base: string, model: string): string {
  const deployment = encodeURIComponent(model);
  if (base === '') return `/openai/deployments/${deployment}`;
  if (base.endsWith('/openai')) return `${base}/deployments/${deployment}`;
  if (base.endsWith('/deployments')) return `${base}/${deployment}`;
  return base;
}
