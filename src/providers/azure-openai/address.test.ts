/** Every form in which operators give Azure's base URL leads to the deployment. */
import { describe, expect, it } from 'vitest';
import { azureAddress } from './address.ts';

function url(baseUrl: string): string {
  const target = { baseUrl, model: 'our dep', region: null, project: null, account: null };
  return azureAddress(target, 'chat').url;
}

describe('the address of a deployment', () => {
  const dated =
    'https://res.openai.azure.com/openai/deployments/our%20dep/chat/completions?api-version=';

  it.each([
    'https://res.openai.azure.com',
    'https://res.openai.azure.com/',
    'https://res.openai.azure.com//',
    'https://res.openai.azure.com/openai',
    'https://res.openai.azure.com/openai/deployments',
    'https://res.openai.azure.com/openai/deployments/our%20dep',
  ])('from %s', (baseUrl) => {
    expect(url(baseUrl)).toBe(`${dated}2024-10-21`);
  });

  it('keeps the version that the operator chose', () => {
    expect(url('https://res.openai.azure.com?api-version=2025-04-01-preview')).toBe(
      `${dated}2025-04-01-preview`,
    );
  });

  it.each(['https://res.openai.azure.com/openai/v1', 'https://res.openai.azure.com/openai/v1/'])(
    'has no deployment and no date in the newer form: %s',
    (baseUrl) => {
      expect(url(baseUrl)).toBe('https://res.openai.azure.com/openai/v1/chat/completions');
    },
  );
});
