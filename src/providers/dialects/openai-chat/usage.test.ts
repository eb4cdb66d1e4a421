/**
 * The family's usage objects, honest and lying, become disjoint buckets that never exceed their
 * totals.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Usage } from '#wire/usage.ts';
import { readUsage, USAGE_TOKENS_MAX } from './usage.ts';
import type { UsageHabits } from './usage.ts';

function read(usage: unknown, habits?: UsageHabits): Usage {
  const reading = readUsage({ usage }, habits);
  if (reading === null) throw new Error('no usage was read');
  return reading;
}

function sumOf(usage: Usage): number {
  return Object.values(usage.buckets).reduce((sum, count) => sum + count, 0);
}

describe('usage of honest hosts', () => {
  it('takes cached, written, audio and image tokens out of the input', () => {
    const usage = read({
      prompt_tokens: 1_000,
      completion_tokens: 300,
      total_tokens: 1_300,
      prompt_tokens_details: {
        cached_tokens: 400,
        cache_write_tokens: 100,
        audio_tokens: 50,
        image_tokens: 20,
      },
      completion_tokens_details: { reasoning_tokens: 200, audio_tokens: 30 },
    });
    expect(usage.buckets).toEqual({
      input: 430,
      cache_read: 400,
      cache_write_5m: 100,
      audio_input: 50,
      image_input: 20,
      output: 70,
      reasoning: 200,
      audio_output: 30,
    });
    expect(usage.flags).toEqual([]);
    expect(usage.source).toBe('upstream');
  });

  it.each([
    ['DeepSeek', { prompt_cache_hit_tokens: 60, prompt_cache_miss_tokens: 40 }],
    ['Moonshot and Together', { cached_tokens: 60 }],
    ['Mistral', { num_cached_tokens: 60 }],
    ['OpenAI', { prompt_tokens_details: { cached_tokens: 60 } }],
  ])('finds the cached tokens where %s writes them', (_host, fields) => {
    const usage = read({ prompt_tokens: 100, completion_tokens: 5, total_tokens: 105, ...fields });
    expect(usage.buckets).toEqual({ input: 40, cache_read: 60, output: 5 });
  });

  it('finds the cache writes of Alibaba', () => {
    const usage = read({
      prompt_tokens: 100,
      completion_tokens: 5,
      prompt_tokens_details: { cached_tokens: 0, cache_creation_input_tokens: 80 },
    });
    expect(usage.buckets).toEqual({ input: 20, cache_write_5m: 80, output: 5 });
  });

  it.each([
    ['at the top', { usage: { prompt_tokens: 7, completion_tokens: 3 } }],
    ['under x_groq', { x_groq: { usage: { prompt_tokens: 7, completion_tokens: 3 } } }],
    ['in the first choice', { choices: [{ usage: { prompt_tokens: 7, completion_tokens: 3 } }] }],
    [
      'under x_groq beside a null',
      {
        usage: null,
        x_groq: { usage: { prompt_tokens: 7, completion_tokens: 3 } },
      },
    ],
  ])('finds the object %s', (_place, body) => {
    expect(readUsage(body)?.buckets).toEqual({ input: 7, output: 3 });
  });

  it('adds reasoning that stands beside the completion, as the total of xAI says', () => {
    const usage = read({
      prompt_tokens: 12,
      completion_tokens: 1,
      total_tokens: 241,
      completion_tokens_details: { reasoning_tokens: 228 },
    });
    expect(usage.buckets).toEqual({ input: 12, output: 1, reasoning: 228 });
    expect(usage.flags).toEqual([]);
  });

  it('reads the searches, citations and reasoning of Perplexity', () => {
    const usage = read(
      {
        prompt_tokens: 19,
        completion_tokens: 498,
        total_tokens: 517,
        citation_tokens: 10_175,
        num_search_queries: 48,
        reasoning_tokens: 95_305,
      },
      { reasoning: 'beside', extraInput: ['citation_tokens'], requests: 'num_search_queries' },
    );
    expect(usage.buckets).toEqual({ input: 10_194, output: 498, reasoning: 95_305, request: 48 });
    expect(usage.flags).toEqual([]);
  });

  it('keeps an explicit zero as zero, and tells it from nothing', () => {
    expect(read({ prompt_tokens: 0, completion_tokens: 0 })).toMatchObject({
      buckets: { input: 0, output: 0 },
      source: 'upstream',
      flags: [],
    });
    expect(readUsage({ usage: null })).toBeNull();
    expect(readUsage({ usage: {} })).toBeNull();
    expect(readUsage({})).toBeNull();
    expect(readUsage('text')).toBeNull();
  });

  it('keeps the native object as it stood', () => {
    const native = { prompt_tokens: 1, completion_tokens: 2, cost: 0.000_31 };
    expect(read(native).native).toBe(native);
  });
});

describe('promise 26: usage that lies', () => {
  it.each([
    ['negative', { prompt_tokens: -5, completion_tokens: 4 }, 'negative_clamped'],
    [
      'cached more than the prompt',
      {
        prompt_tokens: 10,
        completion_tokens: 4,
        prompt_tokens_details: { cached_tokens: 90 },
      },
      'absurd_clamped',
    ],
    [
      'reasoning more than the completion',
      {
        prompt_tokens: 10,
        completion_tokens: 4,
        total_tokens: 14,
        completion_tokens_details: { reasoning_tokens: 11 },
      },
      'absurd_clamped',
    ],
    ['fractions', { prompt_tokens: 10.5, completion_tokens: 4 }, 'absurd_clamped'],
    ['numbers in text', { prompt_tokens: '10', completion_tokens: 4 }, 'malformed'],
    ['words', { prompt_tokens: 'many', completion_tokens: 4 }, 'malformed'],
    [
      'a total that does not add up',
      {
        prompt_tokens: 35,
        completion_tokens: 12,
        total_tokens: 109,
      },
      'inconsistent_total',
    ],
    ['one side only', { prompt_tokens: 10 }, 'missing'],
  ])('is clamped and flagged: %s', (_lie, usage, flag) => {
    const reading = read(usage);
    expect(reading.flags).toContain(flag);
    expect(reading.source).toBe('upstream');
  });

  it.each([
    ['infinite', { prompt_tokens: 1, completion_tokens: Number.POSITIVE_INFINITY }],
    ['beyond belief', { prompt_tokens: 1e15, completion_tokens: 4 }],
    ['no object', 'lots'],
    ['a list', [1, 2]],
    ['words only', { prompt_tokens: 'many', completion_tokens: {} }],
  ])('has to be counted where it tells nothing: %s', (_lie, usage) => {
    const reading = read(usage);
    expect(reading.source).toBe('none');
    expect(reading.flags).not.toEqual([]);
  });

  const anything = fc.oneof(
    fc.integer({ min: -10, max: 5_000 }),
    fc.double(),
    fc.constantFrom(null, undefined, '7', 'x', true, {}, [], 1e300, Number.POSITIVE_INFINITY),
  );
  const lies = fc.record(
    {
      prompt_tokens: anything,
      completion_tokens: anything,
      total_tokens: anything,
      cached_tokens: anything,
      reasoning_tokens: anything,
      prompt_tokens_details: fc.oneof(
        anything,
        fc.record({
          cached_tokens: anything,
          cache_write_tokens: anything,
          audio_tokens: anything,
        }),
      ),
      completion_tokens_details: fc.oneof(
        anything,
        fc.record({ reasoning_tokens: anything, audio_tokens: anything, image_tokens: anything }),
      ),
    },
    { requiredKeys: [] },
  );

  it('never yields a bucket that is negative, broken or above the maximum', () => {
    fc.assert(
      fc.property(lies, (usage) => {
        for (const count of Object.values(readUsage({ usage })?.buckets ?? {})) {
          expect(Number.isSafeInteger(count)).toBe(true);
          expect(count).toBeGreaterThanOrEqual(0);
          expect(Object.is(count, -0)).toBe(false);
          expect(count).toBeLessThanOrEqual(2 * USAGE_TOKENS_MAX);
        }
      }),
    );
  });

  const count = fc.integer({ min: 0, max: 10_000 });

  it('never yields more than the totals, whatever the details claim', () => {
    fc.assert(
      fc.property(
        count,
        count,
        count,
        count,
        count,
        (prompt, completion, cached, audio, thought) => {
          const usage = read({
            prompt_tokens: prompt,
            completion_tokens: completion,
            total_tokens: prompt + completion,
            prompt_tokens_details: { cached_tokens: cached, audio_tokens: audio },
            completion_tokens_details: { reasoning_tokens: thought, audio_tokens: audio },
          });
          expect(sumOf(usage)).toBe(prompt + completion);
        },
      ),
    );
  });

  it('adds up to all three where the total says that reasoning stands beside', () => {
    fc.assert(
      fc.property(
        count,
        count,
        fc.integer({ min: 1, max: 10_000 }),
        (prompt, completion, thought) => {
          const usage = read({
            prompt_tokens: prompt,
            completion_tokens: completion,
            total_tokens: prompt + completion + thought,
            completion_tokens_details: { reasoning_tokens: thought },
          });
          expect(sumOf(usage)).toBe(prompt + completion + thought);
          expect(usage.flags).toEqual([]);
        },
      ),
    );
  });
});
