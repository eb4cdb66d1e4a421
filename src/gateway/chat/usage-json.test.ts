/** The `usage` member: what the upstream said stays, lies and gaps are ours, money is exact. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nanoUsd } from '#base/money.ts';
import { objectOf, type JsonObject } from '#testing/recordings-json.ts';
import { inputTokens, outputTokens, type Usage, type UsageBuckets } from '#wire/usage.ts';
import { usageJson } from './usage-json.ts';

const COST = { total: nanoUsd(12_345n), prompt: nanoUsd(2_345n), completions: nanoUsd(10_000n) };

function usage(buckets: UsageBuckets, more: Partial<Usage> = {}): Usage {
  return { buckets, source: 'upstream', flags: [], native: null, ...more };
}

function shown(given: Usage): JsonObject {
  return objectOf(JSON.parse(usageJson({ usage: given, usageText: null, cost: COST })));
}

describe('usage of an honest upstream', () => {
  it('keeps its own members, also those that nobody knows', () => {
    const native = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18, queue_time: 0.05 };
    expect(shown(usage({ input: 11, output: 7 }, { native }))).toMatchObject(native);
  });

  it('gets what it left out, and details are merged member by member (contract: Answers, usage; cost)', () => {
    const native = {
      prompt_tokens: 11,
      completion_tokens: 7,
      prompt_tokens_details: { cached_tokens: 4, mystery: 1 },
      completion_tokens_details: null,
    };
    expect(shown(usage({ input: 7, cache_read: 4, output: 2, reasoning: 5 }, { native }))).toEqual({
      prompt_tokens: 11,
      completion_tokens: 7,
      total_tokens: 18,
      prompt_tokens_details: { cached_tokens: 4, mystery: 1, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 5,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
      cost: 0.000_012_345,
      cost_details: {
        upstream_inference_cost: 0.000_012_345,
        upstream_inference_prompt_cost: 0.000_002_345,
        upstream_inference_completions_cost: 0.000_01,
      },
    });
  });

  it('goes on as it was written where it says all, and not a byte else', () => {
    const usageText = `{ "prompt_tokens":11,"completion_tokens" : 7, "total_tokens":1.8e1,
      "prompt_tokens_details":{"cached_tokens":0}, "completion_tokens_details":{"reasoning_tokens":0} } `;
    const native: unknown = JSON.parse(usageText);
    const told = { usage: usage({ input: 11, output: 7 }, { native }), usageText, cost: COST };
    const text = usageJson(told);
    expect(text.startsWith(usageText.trimEnd().slice(0, -1))).toBe(true);
    expect(JSON.parse(text)).toMatchObject({ total_tokens: 18, cost: 0.000_012_345 });
    const lie = usageJson({ ...told, usage: { ...told.usage, flags: ['absurd_clamped'] } });
    expect(JSON.parse(lie)).toMatchObject({ prompt_tokens_details: { audio_tokens: 0 } });
  });

  it.each(['cost', 'cost_details', 'is_byok', '\\u0063ost'])(
    'is not passed on as it was written where it has %s',
    (member) => {
      const usageText =
        `{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18,"${member}":"theirs",` +
        '"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}';
      const native: unknown = JSON.parse(usageText);
      const given = usage({ input: 11, output: 7 }, { native });
      expect(usageJson({ usage: given, usageText, cost: COST })).not.toContain('theirs');
    },
  );

  it('never shows the cost that the host charges us', () => {
    const native = { prompt_tokens: 1, cost: 99, cost_details: { secret: 1 }, is_byok: true };
    const out = shown(usage({ input: 1 }, { native }));
    expect(out['cost']).toBe(0.000_012_345);
    expect(out).not.toHaveProperty('is_byok');
    expect(JSON.stringify(out)).not.toContain('secret');
  });
});

describe('usage that is not to be believed', () => {
  it('is replaced by what was billed, and the rest stays (promise 26)', () => {
    const native = { prompt_tokens: -5, completion_tokens: 7, total_tokens: 2, queue_time: 1 };
    expect(
      shown(usage({ input: 0, output: 7 }, { native, flags: ['negative_clamped'] })),
    ).toMatchObject({ prompt_tokens: 0, completion_tokens: 7, total_tokens: 7, queue_time: 1 });
  });

  it('is ours where nothing was said', () => {
    const counted = usage({ input: 3, output: 4 }, { source: 'counted', flags: ['missing'] });
    expect(shown(counted)).toMatchObject({
      prompt_tokens: 3,
      completion_tokens: 4,
      total_tokens: 7,
    });
  });

  it('may be anything without an exception, and is JSON with our cost', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (native, honest) => {
        const flags = honest ? [] : (['malformed'] as const);
        const out = shown(usage({ input: 1, output: 2 }, { native, flags }));
        expect(out['cost']).toBe(0.000_012_345);
        const sum = { prompt_tokens: 1, total_tokens: 3 };
        expect(out).toMatchObject(honest ? {} : sum);
      }),
    );
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('pollutes nothing', () => {
    const native: unknown = JSON.parse(
      '{"prompt_tokens":1,"__proto__":{"polluted":1},"prompt_tokens_details":{"__proto__":{"polluted":1}}}',
    );
    void shown(usage({ input: 1 }, { native }));
    void shown(usage({ input: 1 }, { native, flags: ['malformed'] }));
    expect('polluted' in {}).toBe(false);
  });
});

describe('buckets', () => {
  it('stand on one side each', () => {
    const all: UsageBuckets = {
      input: 1,
      cache_read: 2,
      cache_write_5m: 4,
      cache_write_1h: 8,
      audio_input: 16,
      image_input: 32,
      output: 64,
      reasoning: 128,
      audio_output: 256,
      image_output: 512,
      request: 1_024,
    };
    expect(inputTokens(all)).toBe(63);
    expect(outputTokens(all)).toBe(960);
    const details = objectOf(shown(usage(all))['prompt_tokens_details']);
    expect(details).toEqual({ cached_tokens: 2, cache_write_tokens: 12, audio_tokens: 16 });
  });

  it.each([
    [0n, '0'],
    [1n, '0.000000001'],
    [1_000_000_000n, '1'],
    [123_456_789_012_345_678_901n, '123456789012.345678901'],
  ])('cost %d nano-dollars as %s', (amount, text) => {
    const cost = { total: nanoUsd(amount), prompt: nanoUsd(0n), completions: nanoUsd(0n) };
    expect(usageJson({ usage: usage({}), usageText: null, cost })).toContain(
      `"cost":${text},"cost_details"`,
    );
  });
});
