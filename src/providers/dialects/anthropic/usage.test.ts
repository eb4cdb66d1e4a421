/** Tokens into disjoint buckets: each once, whatever nests in what, and lies told as such. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeUsage, readUsage } from './usage.ts';

function bucketsOf(usage: object): unknown {
  return readUsage({ usage })?.buckets;
}

describe('usage', () => {
  it('keeps what was cached beside the input', () => {
    const usage = {
      input_tokens: 5,
      cache_read_input_tokens: 7,
      cache_creation_input_tokens: 30,
      cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
      output_tokens: 9,
      output_tokens_details: { thinking_tokens: 4 },
      server_tool_use: { web_search_requests: 2 },
    };
    expect(readUsage({ usage })).toEqual({
      buckets: {
        input: 5,
        cache_read: 7,
        cache_write_5m: 10,
        cache_write_1h: 20,
        output: 5,
        reasoning: 4,
      },
      source: 'upstream',
      flags: [],
      native: usage,
    });
  });

  it.each<[string, object, object]>([
    ['an undivided write', {}, { cache_write_5m: 30 }],
    ['a write that grew', { ephemeral_1h_input_tokens: 20 }, { cache_write_1h: 30 }],
    [
      'a write of both kinds that grew',
      { ephemeral_1h_input_tokens: 20, ephemeral_5m_input_tokens: 4 },
      { cache_write_1h: 20, cache_write_5m: 10 },
    ],
  ])('gives %s to the lifetime in use', (_case, division, written) => {
    const usage = { input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 30 };
    const buckets = bucketsOf({ ...usage, cache_creation: division });
    expect(buckets).toEqual({ input: 1, output: 1, ...written });
  });

  it('adds summaries of the conversation, which no total includes', () => {
    const iterations = [
      { type: 'compaction', input_tokens: 100, output_tokens: 10, cache_read_input_tokens: 3 },
      { type: 'message', input_tokens: 1, output_tokens: 1 },
    ];
    const buckets = bucketsOf({ input_tokens: 1, output_tokens: 1, iterations });
    expect(buckets).toEqual({ input: 101, output: 11, cache_read: 3 });
  });

  it.each<[unknown, string, string]>([
    [{ input_tokens: -3, output_tokens: 1 }, 'upstream', 'negative_clamped'],
    [{ input_tokens: 1e30, output_tokens: 1 }, 'none', 'absurd_clamped'],
    [{ input_tokens: 1.5, output_tokens: 1 }, 'upstream', 'absurd_clamped'],
    [{ input_tokens: 'many', output_tokens: 1 }, 'upstream', 'malformed'],
    [{ output_tokens: 1 }, 'upstream', 'missing'],
    ['many', 'none', 'malformed'],
  ])('promise 26: sees through %o', (usage, source, flag) => {
    const read = readUsage({ usage });
    expect(read?.source).toBe(source);
    expect(read?.flags).toContain(flag);
  });

  it('is none where nothing is said', () => {
    expect(readUsage({})).toBeNull();
    expect(readUsage({ usage: {} })).toBeNull();
    expect(readUsage({ usage: null })).toBeNull();
  });

  it('merges what a stream says late over what it said early, but for nothing', () => {
    const merged = mergeUsage(
      { input_tokens: 1, output_tokens: 1, cache_creation: { ephemeral_5m_input_tokens: 2 } },
      { input_tokens: 4, output_tokens: 9, cache_creation: null },
    );
    expect(merged).toMatchObject({ input_tokens: 4, output_tokens: 9 });
    expect(readUsage({ usage: merged })?.buckets).toEqual({
      input: 4,
      output: 9,
      cache_write_5m: 2,
    });
  });

  it('promise 26: never counts below nothing or more than was said', () => {
    const number = fc.oneof(fc.integer({ min: -5, max: 2_000 }), fc.constant(null), fc.string());
    const details = fc.record({ thinking_tokens: number }, { requiredKeys: [] });
    const usage = fc.record(
      { input_tokens: number, output_tokens: number, output_tokens_details: details },
      { requiredKeys: [] },
    );
    const property = fc.property(usage, (native) => {
      const buckets = readUsage({ usage: native })?.buckets ?? {};
      const most = [native.input_tokens, native.output_tokens].map((one) =>
        typeof one === 'number' ? Math.max(0, one) : 0,
      );
      const output = (buckets.output ?? 0) + (buckets.reasoning ?? 0);
      const whole = Object.values(buckets).every((one) => Number.isInteger(one) && one >= 0);
      return whole && (buckets.input ?? 0) === most[0] && output === most[1];
    });
    fc.assert(property);
  });
});
