/** Models that OpenAI serves only as responses are reached there; no other model is touched. */
import { describe, expect, it } from 'vitest';
import type { ChatSupport, Target } from '../provider.ts';
import { openai } from './index.ts';
import { offers } from './offers.ts';
import { RESPONSES_ONLY } from './responses-only.ts';

function target(model: string, baseUrl = 'https://api.openai.com/v1'): Target {
  return { baseUrl, model, region: null, project: null, account: null };
}

function supportOf(model: string): ChatSupport {
  const { chat } = openai;
  if (typeof chat !== 'function') throw new Error('one dialect for all models');
  return chat(target(model));
}

describe('OpenAI', () => {
  it('speaks Responses with the models that know nothing else', () => {
    expect(supportOf('o3-pro').dialect).toBe('openai-responses');
    expect(openai.address(target('o3-pro', 'https://proxy.example/v1/?v=2'), 'chat').url).toBe(
      'https://proxy.example/v1/responses?v=2',
    );
    expect(openai.address(target('o3-pro'), 'chat_stream').url).toBe(
      'https://api.openai.com/v1/responses',
    );
  });

  it('passes all others through as before, with one support for all of them', () => {
    const plain = supportOf('gpt-4o');
    expect(plain.passThrough).toBeDefined();
    expect(supportOf('gpt-5.1')).toBe(plain);
    expect(openai.address(target('gpt-5.1'), 'chat').url).toBe(
      'https://api.openai.com/v1/chat/completions',
    );
  });

  it('knows the names that its offers have for such models', () => {
    const named = offers
      .map((offer) => offer.upstreamModel ?? offer.model)
      .filter((id) => /-codex|deep-research|^(?:gpt-[\d.]+|o\d)-pro/.test(id));
    expect(named.filter((id) => !RESPONSES_ONLY.has(id))).toEqual([]);
  });
});
