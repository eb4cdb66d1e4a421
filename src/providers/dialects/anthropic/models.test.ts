/** The same model is known under every name that its hosts give it, and unknown ones do no harm. */
import { describe, expect, it } from 'vitest';
import { traitsOf } from './models.ts';

describe('traits of a model', () => {
  it.each([
    'claude-opus-4-5',
    'claude-opus-4-5-20251101',
    'claude-opus-4-5@20251101',
    'anthropic/claude-opus-4.5',
    'us.anthropic.claude-opus-4-5-20251101-v1:0',
  ])('are the same for %s', (model) => {
    expect(traitsOf(model)).toBe(traitsOf('claude-opus-4-5'));
  });

  it.each<[string, number | null, string]>([
    ['claude-3-opus-20240229', 4_096, 'none'],
    ['claude-3-5-haiku-latest', 8_192, 'none'],
    ['claude-3-7-sonnet-latest', 64_000, 'budget'],
    ['claude-opus-4-20250514', 32_000, 'budget'],
    ['claude-sonnet-4-0', 64_000, 'budget'],
    ['claude-sonnet-4-6', 64_000, 'both'],
    ['claude-opus-4-8', 128_000, 'adaptive'],
    ['claude-sonnet-5-20260630', 128_000, 'adaptive'],
    ['claude-haiku-5-5', 128_000, 'adaptive'],
    ['claude-next-9', 128_000, 'adaptive'],
    ['my-deployment', null, 'budget'],
  ])('of %s bound its output and say how it thinks', (model, most, thinking) => {
    expect(traitsOf(model)).toMatchObject({ outputTokensMax: most, thinking });
  });

  it('tell generations with like names apart', () => {
    expect(traitsOf('claude-fable-5')).toMatchObject({ quiet: 'never', forcedTools: true });
    expect(traitsOf('claude-fable-5-1')).toMatchObject({ quiet: 'never', forcedTools: false });
    expect(traitsOf('claude-opus-5')).toMatchObject({ quiet: 'disabled', forcedTools: true });
    expect(traitsOf('claude-opus-5-5')).toMatchObject({ quiet: 'never', forcedTools: false });
    expect(traitsOf('claude-sonnet-5-5')).toMatchObject({ quiet: 'between_tools' });
  });
});
