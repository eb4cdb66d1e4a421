/**
 * Models and requests that OpenAI serves only as responses are said as such; nothing else is
 * touched.
 */
import { describe, expect, it } from 'vitest';
import { azureOpenai } from '../azure-openai/index.ts';
import type { ChatSupport, Provider, Target } from '../provider.ts';
import { openai } from './index.ts';
import { offers } from './offers.ts';
import { RESPONSES_ONLY } from './responses-only.ts';

type Body = Readonly<Record<string, unknown>>;

const TOOLS = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];

function target(model: string, baseUrl = 'https://api.openai.com/v1'): Target {
  return { baseUrl, model, region: null, project: null, account: null };
}

function supportOf(model: string, provider: Provider = openai, baseUrl?: string): ChatSupport {
  const { chat } = provider;
  if (typeof chat !== 'function') throw new Error('one dialect for all models');
  return chat(target(model, baseUrl));
}

/** In which dialect a body is said. */
function said(body: Body, support: ChatSupport): ChatSupport {
  const members = {
    has: (key: string) => Object.hasOwn(body, key),
    raw: (key: string) =>
      Object.hasOwn(body, key) ? JSON.stringify(body[key], null, 1) : undefined,
  };
  return support.detour?.(members) ?? support;
}

const dialectOf = (model: string, body: Body): string => said(body, supportOf(model)).dialect;

describe('OpenAI', () => {
  it('speaks Responses with the models that know nothing else', () => {
    const support = supportOf('o3-pro');
    expect(support).toMatchObject({ dialect: 'openai-responses', operation: 'responses' });
    expect(support.passThrough).toBeUndefined();
    const proxy = target('o3-pro', 'https://proxy.example/v1/?v=2');
    expect(openai.address(proxy, 'responses').url).toBe('https://proxy.example/v1/responses?v=2');
  });

  it('passes all others through as before, with one support for all of them', () => {
    const plain = supportOf('gpt-4o');
    expect(plain.passThrough).toBeDefined();
    expect(plain.detour).toBeUndefined();
    for (const model of ['gpt-5.1', 'gpt-35-turbo', 'gpt-5.6-chat-latest', 'gpt-audio-1.5', 'o3']) {
      expect(supportOf(model)).toBe(plain);
    }
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

describe('function tools of models that reason', () => {
  const asked = { tools: TOOLS, reasoning_effort: 'low' };

  it.each(['gpt-5.4', 'gpt-5.4-mini-2026-03-17', 'gpt-5.5', 'gpt-5.6-terra', 'gpt-6-sol'])(
    'go to Responses where an effort is asked for: %s',
    (model) => {
      expect(dialectOf(model, asked)).toBe('openai-responses');
      const legacy = { functions: [{ name: 'f' }], reasoning_effort: 'high' };
      expect(dialectOf(model, legacy)).toBe('openai-responses');
      expect(dialectOf(model, { ...asked, reasoning_effort: 'none' })).toBe('openai-chat');
    },
  );

  it.each([
    ['gpt-5.4', 'openai-chat'],
    ['gpt-5.4-mini', 'openai-chat'],
    ['gpt-5.5-2026-04-23', 'openai-responses'],
    ['gpt-5.6', 'openai-responses'],
    ['gpt-5.10', 'openai-responses'],
    ['gpt-6-astra', 'openai-responses'],
  ])('go where the model takes them by itself: %s, %s', (model, dialect) => {
    expect(dialectOf(model, { tools: TOOLS })).toBe(dialect);
    expect(dialectOf(model, { tools: TOOLS, reasoning_effort: null })).toBe(dialect);
  });

  it.each<Body>([{}, { tools: [] }, { tools: null, functions: null }])(
    'are none in %j, which passes',
    (none) => {
      expect(dialectOf('gpt-5.6', { ...none, reasoning_effort: 'high' })).toBe('openai-chat');
    },
  );

  it.each<Body>([
    { n: 2 },
    { stop: 'END' },
    { stop: ['END'] },
    { logit_bias: { 50256: -100 } },
    { frequency_penalty: 0.5 },
    { presence_penalty: -1 },
    { modalities: ['text', 'audio'] },
    { audio: { voice: 'alloy', format: 'wav' } },
  ])('stay with chat beside what Responses cannot say: %j', (more) => {
    expect(dialectOf('gpt-5.6', { ...asked, ...more })).toBe('openai-chat');
  });

  it('are not kept from Responses by what asks for nothing', () => {
    const idle = { n: 1, stop: null, logit_bias: {}, frequency_penalty: 0, modalities: ['text'] };
    expect(dialectOf('gpt-5.6', { ...asked, ...idle, seed: 7 })).toBe('openai-responses');
  });

  it('go to Responses at Azure too, but for the dated API, which has none', () => {
    const at = (baseUrl: string) => said(asked, supportOf('gpt-5.6-sol', azureOpenai, baseUrl));
    expect(at('https://x.openai.azure.com').dialect).toBe('openai-responses');
    expect(at('https://x.openai.azure.com/openai/v1').dialect).toBe('openai-responses');
    expect(at('https://x.openai.azure.com?api-version=2025-04-01-preview').dialect).toBe(
      'openai-chat',
    );
  });
});
