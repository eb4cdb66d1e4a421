/** Every form in which operators give Azure's base URL leads to the deployment. */
import { describe, expect, it } from 'vitest';
import type { Operation } from '../provider.ts';
import { azureAddress, isDated } from './address.ts';

function url(baseUrl: string, operation: Operation = 'chat'): string {
  const target = { baseUrl, model: 'our dep', region: null, project: null, account: null };
  const address = azureAddress(target, operation).url;
  expect(isDated(target)).toBe(address.includes('/deployments/'));
  return address;
}

describe('the address of a deployment', () => {
  const current = 'https://res.openai.azure.com/openai/v1';
  const dated =
    'https://res.openai.azure.com/openai/deployments/our%20dep/chat/completions?api-version=';

  it.each([
    'https://res.openai.azure.com',
    'https://res.openai.azure.com/',
    'https://res.openai.azure.com//',
    'https://res.openai.azure.com/openai',
    'https://res.openai.azure.com/openai/v1',
    'https://res.openai.azure.com/openai/v1/',
  ])('is that of the current API, which serves every model, from %s', (baseUrl) => {
    expect(url(baseUrl)).toBe(`${current}/chat/completions`);
    expect(url(baseUrl, 'chat_stream')).toBe(`${current}/chat/completions`);
    expect(url(baseUrl, 'responses')).toBe(`${current}/responses`);
    expect(url(baseUrl, 'embeddings')).toBe(`${current}/embeddings`);
  });

  it.each([
    'https://res.openai.azure.com/openai/deployments',
    'https://res.openai.azure.com/openai/deployments/our%20dep',
  ])('is dated where the deployment stands in the path: %s', (baseUrl) => {
    expect(url(baseUrl)).toBe(`${dated}2024-10-21`);
  });

  it.each(['https://res.openai.azure.com', 'https://res.openai.azure.com/openai/'])(
    'is dated, by the version that the operator chose: %s',
    (baseUrl) => {
      expect(url(`${baseUrl}?api-version=2025-04-01-preview`)).toBe(`${dated}2025-04-01-preview`);
    },
  );

  it.each(['https://apim.azure-api.net/openai', 'https://gateway.example.com/team/openai'])(
    'is dated behind what publishes it under a host of its own: %s',
    (baseUrl) => {
      const path = '/deployments/our%20dep/chat/completions?api-version=2024-10-21';
      expect(url(baseUrl)).toBe(`${baseUrl}${path}`);
      expect(url(`${baseUrl}/v1`)).toBe(`${baseUrl}/v1/chat/completions`);
    },
  );

  it('is what another gateway says it is', () => {
    expect(url('https://gate.example/azure/v1?team=1')).toBe(
      'https://gate.example/azure/v1/chat/completions?team=1',
    );
  });
});
