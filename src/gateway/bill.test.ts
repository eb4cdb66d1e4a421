/** What an ended request comes to: believed as far as it can be true, counted where nobody said. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBytes } from '#base/bytes.ts';
import { buildCatalog } from '#catalog/catalog.ts';
import { compilePrice } from '#catalog/pricing.ts';
import { providers } from '#providers/registry.ts';
import type { PriceList } from '#wire/price.ts';
import { inputTokens, outputTokens, type Usage, type UsageBuckets } from '#wire/usage.ts';
import { believe, billCancelled, billComplete, waive } from './bill.ts';
import { readChatRequest } from './chat/read-request.ts';
import { buildDirectory } from './directory.ts';
import type { ConfiguredProvider } from './make-endpoints.ts';
import { planRequest, type Candidate } from './plan.ts';
import { loadEncodingModule } from './tokens-module.ts';
import { createTokenCounter } from './tokens.ts';

const HOST: ConfiguredProvider = {
  name: 'host',
  provider: providers.openai,
  baseUrl: 'http://127.0.0.1:1/v1',
  secrets: ['k'],
  region: null,
  project: null,
  account: null,
  headers: [],
  priority: 0,
  timeoutMs: null,
  book: 'live',
};
const CALLER = {
  keyId: 'key_1',
  kind: 'live',
  name: 'k',
  organizationId: 'org_1',
  limit: null,
  models: null,
  providers: null,
  metadata: null,
  tags: null,
} as const;
const MESSAGES = [{ role: 'user', content: 'one two three' }];

interface Limits {
  readonly context: number | null;
  readonly maxOutput: number | null;
  readonly n?: number;
  readonly limit?: number;
  readonly list?: PriceList;
}

function planned({ context, maxOutput, n = 1, limit, list }: Limits) {
  const catalog = buildCatalog({ models: [], offers: {} });
  if (!catalog.ok) throw new Error('no catalog');
  const sheet = { tiers: [], source: 'test', effectiveFrom: '2026-01-01' };
  const price = { ...sheet, list: list ?? { input: '1', output: '2' } };
  expect(compilePrice(price).ok).toBe(true);
  const model = { id: 'm', alias: null, context: null, maxOutput: null, capabilities: null };
  const endpoints = [{ provider: 'host', model: 'm', price, context, maxOutput }];
  const { directory, faults } = buildDirectory({
    catalog: catalog.value,
    providers: [HOST],
    models: [{ ...model, endpoints }],
  });
  expect(faults).toEqual([]);
  const body = { model: 'm', n, max_tokens: limit, messages: MESSAGES };
  const request = readChatRequest(toBytes(JSON.stringify(body)));
  const [candidate] = planRequest(directory, CALLER, request).candidates;
  return { candidate, counting: { request, tokens: createTokenCounter(loadEncodingModule) } };
}

function candidateOf(limits: Limits): Candidate {
  return planned(limits).candidate;
}

function said(buckets: UsageBuckets, more: Partial<Usage> = {}): Usage {
  return { buckets, source: 'upstream', flags: [], native: null, ...more };
}

const PLAIN = { inputs: 1, inputRounds: () => 1 };

describe('usage beyond what the model can do (promise 26, complaint 3)', () => {
  const candidate = candidateOf({ context: 1_000, maxOutput: 100 });

  it('is clamped to context and maximum output, and flagged', () => {
    const usage = believe(said({ input: 5_000, output: 900 }), candidate, PLAIN);
    expect(usage).toMatchObject({
      buckets: { input: 1_000, output: 100 },
      flags: ['absurd_clamped'],
    });
  });

  it('is believed where the host runs tools, and reads its input again after each', () => {
    const ask = (more: object) =>
      readChatRequest(toBytes(JSON.stringify({ model: 'm', messages: MESSAGES, ...more })));
    const much = said({ input: 2_500 });
    const search = ask({ tools: [{ type: 'web_search_20250305', name: 'web_search' }] });
    expect(believe(much, candidate, search)).toBe(much);
    expect(believe(much, candidate, ask({ web_search_options: {} }))).toBe(much);
    const own = ask({ tools: [{ type: 'function', function: { name: 'f' } }] });
    expect(believe(much, candidate, own).buckets.input).toBe(1_000);
    const lie = believe(said({ input: 1_000_000 }), candidate, search);
    expect(lie).toMatchObject({ buckets: { input: 64_000 }, flags: ['absurd_clamped'] });
  });

  it('loses the plain tokens first, and the cached ones last', () => {
    const input = believe(
      said({ input: 300, cache_read: 900, cache_write_5m: 50 }),
      candidate,
      PLAIN,
    );
    expect(input.buckets).toEqual({ input: 50, cache_read: 900, cache_write_5m: 50 });
    const cached = believe(said({ input: 300, cache_read: 9_000 }), candidate, PLAIN);
    expect(cached.buckets).toEqual({ input: 0, cache_read: 1_000 });
  });

  it('allows each choice its own maximum', () => {
    const two = candidateOf({ context: 1_000, maxOutput: 100, n: 2 });
    expect(believe(said({ input: 1, output: 200 }), two, PLAIN).flags).toEqual([]);
    expect(believe(said({ input: 1, output: 201 }), two, PLAIN).buckets.output).toBe(200);
  });

  it('may be as long as the caller asked for, where the catalog knows of less', () => {
    const asked = candidateOf({ context: 1_000, maxOutput: 100, limit: 250 });
    const long = said({ output: 250 });
    expect(believe(long, asked, PLAIN)).toBe(long);
    expect(believe(said({ output: 251 }), asked, PLAIN).buckets.output).toBe(250);
    const less = candidateOf({ context: 1_000, maxOutput: 100, limit: 50 });
    expect(believe(said({ output: 100 }), less, PLAIN).flags).toEqual([]);
  });

  it('lets reasoning stand beside a full answer, up to the context (Perplexity)', () => {
    expect(believe(said({ output: 100, reasoning: 1_000 }), candidate, PLAIN).flags).toEqual([]);
    const lie = believe(said({ output: 100, reasoning: 1_001 }), candidate, PLAIN);
    expect(lie).toMatchObject({ buckets: { reasoning: 1_000 }, flags: ['absurd_clamped'] });
  });

  it('is bounded by the context where nobody says how long an answer may be, and by what is common', () => {
    const open = candidateOf({ context: 1_000, maxOutput: null });
    expect(believe(said({ output: 4_000 }), open, PLAIN).buckets.output).toBe(1_000);
    const unknown = candidateOf({ context: null, maxOutput: null });
    const usage = said({ input: 1e9, output: 1e9, request: 1e9 });
    const most = { input: 1_048_576, output: 131_072, request: 1_000 };
    expect(believe(usage, unknown, PLAIN)).toMatchObject({
      buckets: most,
      flags: ['absurd_clamped'],
    });
  });

  it('never grows, never falls below zero, and is flagged exactly when it changed', () => {
    const count = fc.nat({ max: 3_000 });
    const buckets = fc.record(
      {
        input: count,
        cache_read: count,
        cache_write_1h: count,
        image_input: count,
        output: count,
        reasoning: count,
        audio_output: count,
        request: count,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(buckets, (given) => {
        const usage = believe(said(given), candidate, PLAIN);
        expect(inputTokens(usage.buckets)).toBe(Math.min(inputTokens(given), 1_000));
        expect(outputTokens(usage.buckets)).toBeLessThanOrEqual(1_100);
        expect(usage.buckets.request ?? 0).toBe(Math.min(given.request ?? 0, 1_000));
        for (const [bucket, kept] of Object.entries(usage.buckets)) {
          expect(kept).toBeGreaterThanOrEqual(0);
          expect(kept).toBeLessThanOrEqual(
            Object.entries(given).find(([key]) => key === bucket)?.[1] ?? 0,
          );
        }
        const changed = JSON.stringify(usage.buckets) !== JSON.stringify(given);
        expect(usage.flags).toEqual(changed ? ['absurd_clamped'] : []);
      }),
    );
  });

  it('is flagged once, beside what was flagged before', () => {
    const usage = said({ input: 9_999 }, { flags: ['absurd_clamped', 'repeated'] });
    expect(believe(usage, candidate, PLAIN).flags).toEqual(['repeated', 'absurd_clamped']);
  });
});

const answer = (usage: Usage | null, finish: string | null = 'stop', text = '') => ({
  usage,
  finish,
  producedText: () => text,
});

describe('a complete answer', () => {
  const { candidate, counting } = planned({ context: 1_000, maxOutput: 100 });

  it('costs its usage, each side by itself', async () => {
    const bill = await billComplete(candidate, answer(said({ input: 10, output: 5 })), counting);
    expect(bill).toMatchObject({
      cost: { total: 20_000n, prompt: 10_000n, completions: 10_000n },
      waived: null,
    });
  });

  it('is counted where nobody counted (rule 7)', async () => {
    const text = 'four five six seven';
    const bill = await billComplete(candidate, answer(null, 'stop', text), counting);
    expect(bill.usage).toMatchObject({ source: 'counted', flags: ['missing'] });
    expect(bill.usage.buckets.output).toBe(await counting.tokens.count(text));
    expect(bill.usage.buckets.input).toBeGreaterThanOrEqual(3);
    expect(bill.usage.buckets.input).toBeLessThan(20);
  });

  it('is free where it is an error or nothing at all, and says so (promise 11)', async () => {
    const failed = await billComplete(candidate, answer(said({ input: 10 }), 'error'), counting);
    expect(failed).toMatchObject({ waived: 'failed', cost: { total: 0n } });
    const empty = await billComplete(candidate, answer(said({ input: 10 }), null), counting);
    expect(empty).toMatchObject({ waived: 'empty', cost: { total: 0n } });
    const stopped = await billComplete(candidate, answer(said({ input: 10 })), counting);
    expect(stopped).toMatchObject({ waived: null, cost: { total: 10_000n } });
  });

  it('costs cache reads at their own price, once (complaint 6)', async () => {
    const list = { input: '1', output: '2', cache_read: '0.1', reasoning: '3' };
    const cached = planned({ context: null, maxOutput: null, list });
    const usage = said({ input: 10, cache_read: 100, output: 1, reasoning: 1 });
    const bill = await billComplete(cached.candidate, answer(usage), cached.counting);
    expect(bill.cost).toEqual({ total: 25_000n, prompt: 20_000n, completions: 5_000n });
  });
});

describe('a cancelled request', () => {
  const { candidate, counting } = planned({ context: 1_000, maxOutput: 100 });

  it('costs what the upstream still said, as far as it can be true', async () => {
    const bill = await billCancelled(candidate, answer(said({ input: 10, output: 5e6 })), counting);
    expect(bill).toMatchObject({ cost: { total: 210_000n }, usage: { source: 'upstream' } });
  });

  it("else what was produced, counted, which is nobody's fault", async () => {
    const bill = await billCancelled(candidate, answer(null, null, 'one two'), counting);
    expect(bill.usage).toMatchObject({ source: 'counted', flags: [], buckets: { output: 2 } });
    const none = await billCancelled(candidate, null, counting);
    expect(none.usage.buckets.output).toBe(0);
    expect(none.cost.total).toBeGreaterThan(0n);
  });
});

describe('the prompt, counted', () => {
  it('takes tools that have a parameter named url or data as text', async () => {
    const { counting, candidate } = planned({ context: null, maxOutput: null });
    const count = async (name: string): Promise<number> => {
      const parameters = { type: 'object', properties: { [name]: { type: 'string' } } };
      const tools = [{ type: 'function', function: { name: 'f', parameters } }];
      const body = { model: 'm', messages: MESSAGES, tools };
      const request = readChatRequest(toBytes(JSON.stringify(body)));
      const bill = await billCancelled(candidate, null, { ...counting, request });
      return bill.usage.buckets.input ?? 0;
    };
    expect(await count('url')).toBe(await count('place'));
  });

  it('takes media at a usual size and not their bytes as text', async () => {
    const { counting, candidate } = planned({ context: null, maxOutput: null });
    const url = `data:image/png;base64,${'A'.repeat(100_000)}`;
    const content = [{ type: 'image_url', image_url: { url } }];
    const body = { model: 'm', messages: [{ role: 'user', content }] };
    const request = readChatRequest(toBytes(JSON.stringify(body)));
    const bill = await billCancelled(candidate, null, { ...counting, request });
    expect(bill.usage.buckets.input).toBeGreaterThan(700);
    expect(bill.usage.buckets.input).toBeLessThan(900);
  });
});

describe('what is waived', () => {
  it('is shown and not charged', () => {
    const usage = said({ input: 10 });
    expect(waive(usage, 'failed')).toMatchObject({ usage, cost: { total: 0n }, waived: 'failed' });
  });
});
