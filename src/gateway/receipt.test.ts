/** A receipt: everything that the contract names, and a cost that anybody can compute again. */
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { generationResponseSchema } from '#wire/generation.ts';
import { errorBody, goodReply, jsonReply } from '#testing/fake-upstream-replies.ts';
import { at, listOf, objectOf, stringOf, type JsonObject } from '#testing/recordings-json.ts';
import { answerWell, createTestGateway, type TestGateway } from '#testing/test-gateway.ts';
import { showReceipt } from './receipt-reading.ts';

let house: TestGateway;
beforeAll(async () => {
  const price = {
    input: '0.15',
    output: '0.6',
    cache_read: '0.0375',
    cache_write_5m: '0.1875',
    reasoning: '1.7',
    request: '0.00000123',
    tiers: [{ above_input_tokens: 1_000, input: '0.3', output: '1.333333333333' }],
  };
  house = await createTestGateway({
    models: {
      priced: { endpoints: [{ provider: 'a', model: 'm', price, context: 2_000_000 }] },
    },
  });
});
afterEach(async () => {
  await house.untilSettled();
  house.fake.on('/a', answerWell);
});
afterAll(() => house.close());

/** `decimal` times ten to the 18th, exactly. */
function atto(decimal: string): bigint {
  const [whole = '', fraction = ''] = decimal.split('.');
  expect(fraction.length).toBeLessThanOrEqual(18);
  return BigInt(whole + fraction.padEnd(18, '0'));
}

/** The cost in nano-dollars from the lines of a receipt, by arithmetic of our own. */
function recompute(receipt: JsonObject): bigint {
  const lines = listOf(at(receipt, 'arithmetic', 'lines'));
  let sum = 0n;
  for (const line of lines) {
    const units = BigInt(Number(at(line, 'units')));
    const exact = (units * atto(stringOf(at(line, 'rate')))) / BigInt(Number(at(line, 'per')));
    expect(exact, JSON.stringify(line)).toBe(atto(stringOf(at(line, 'amount'))));
    sum += exact;
  }
  return (sum + 999_999_999n) / 1_000_000_000n;
}

describe('the arithmetic', () => {
  it('gives the cost, by an independent computation, whatever was used (contract: Answers, arithmetic)', async () => {
    const count = fc.nat({ max: 5_000 });
    await fc.assert(
      fc.asyncProperty(count, count, count, count, async (input, cached, output, reasoning) => {
        const usage = {
          prompt_tokens: input + cached,
          completion_tokens: output + reasoning,
          total_tokens: input + cached + output + reasoning,
          prompt_tokens_details: { cached_tokens: cached },
          completion_tokens_details: { reasoning_tokens: reasoning },
        };
        house.fake.on('/a', () => goodReply('json', { usage }));
        const response = await house.chat({ model: 'priced', max_tokens: 10_000 });
        const body: unknown = await response.json();
        const receipt = await house.receipt(response.headers.get('x-generation-id'));
        const nano = recompute(receipt);
        expect(at(receipt, 'arithmetic', 'price_of_usage_nano_usd')).toBe(String(nano));
        expect(receipt['total_cost']).toBe(Number(nano) / 1e9);
        expect(at(body, 'usage', 'cost')).toBe(receipt['total_cost']);
        expect(at(receipt, 'arithmetic', 'tier')).toBe(input + cached > 1_000 ? 1_000 : null);
        const used = listOf(at(receipt, 'arithmetic', 'lines')).reduce<number>(
          (sum, line) => sum + Number(at(line, 'units')),
          0,
        );
        expect(used).toBe(input + cached + output + reasoning);
      }),
      { numRuns: 25 },
    );
  });
});

describe('the fields that the contract names', () => {
  it("are all there, also under OpenRouter's names (contract: Answers, receipt; receipt in time; cancelled and streamed)", async () => {
    house.fake.on('/b', answerWell);
    house.fake.on('/a', () => jsonReply(503, errorBody('down', null)));
    const response = await house.chat({ model: 'a-then-b', stream: true });
    await response.text();
    const receipt = await house.receipt(response.headers.get('x-generation-id'));
    expect(generationResponseSchema.safeParse({ data: receipt }).success).toBe(true);
    expect(receipt).toEqual({
      id: response.headers.get('x-generation-id'),
      request_id: response.headers.get('x-request-id'),
      status: 'completed',
      outcome: 'completed',
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      model: 'a-then-b',
      upstream_model: 'model-at-b',
      provider_name: 'b',
      streamed: true,
      cancelled: false,
      finish_reason: 'stop',
      native_finish_reason: 'stop',
      latency: expect.any(Number),
      time_to_first_token: expect.any(Number),
      generation_time: expect.any(Number),
      tokens_prompt: 11,
      tokens_completion: 7,
      native_tokens_prompt: 11,
      native_tokens_completion: 7,
      native_tokens_reasoning: 0,
      native_tokens_cached: 0,
      native_usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
      usage_source: 'upstream',
      usage_flags: [],
      service_tier: null,
      buckets: { input: 11, output: 7 },
      price: {
        version: expect.stringMatching(/^\d{4}-\d\d-\d\d:[0-9a-f]{8}$/),
        source: 'config',
        effective_date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
        list: { input: '1', output: '2', cache_read: '0.1' },
        tiers: [],
      },
      arithmetic: {
        lines: [
          { bucket: 'input', units: 11, rate: '1', per: 1_000_000, amount: '0.000011' },
          { bucket: 'output', units: 7, rate: '2', per: 1_000_000, amount: '0.000014' },
        ],
        tier: null,
        rounded_up_to: '0.000000001',
        price_of_usage_nano_usd: '25000',
      },
      total_cost: 0.000_025,
      usage: 0.000_025,
      waived: null,
      key_metadata: {},
      key_tags: [],
      attempts: [
        { endpoint: 'a/model-at-a', outcome: 'overloaded', status: 503, ms: expect.any(Number) },
        { endpoint: 'b/model-at-b', outcome: 'completed', status: 200, ms: expect.any(Number) },
      ],
      warnings: [],
      is_byok: false,
    });
  });

  it('are there under the id of the request too, and not for others (promise 27)', async () => {
    const response = await house.chat({ model: 'at-a' });
    const id = response.headers.get('x-request-id');
    expect(await house.receipt(id)).toMatchObject({ request_id: id });
    const missing = await house.get('/v1/generation?id=gen_00000000000000000000000000');
    expect(missing.status).toBe(404);
  });

  it("tell our word for a finish and the upstream's own", async () => {
    for (const [native, ours] of [
      ['eos', 'stop'],
      ['max_tokens', 'length'],
      ['abandoned', 'abandoned'],
      ['constructor', 'constructor'],
      ['__proto__', '__proto__'],
    ] as const) {
      house.fake.on('/a', () => goodReply('json', { finish: native }));
      const response = await house.chat({ model: 'at-a' });
      const receipt = await house.receipt(response.headers.get('x-generation-id'));
      expect(receipt).toMatchObject({ native_finish_reason: native, finish_reason: ours });
    }
  });

  it("carry the upstream's usage as it stood, however large its text", async () => {
    const usage = { prompt_tokens: 1, completion_tokens: 1, note: 'n'.repeat(2_000), deep: [{}] };
    house.fake.on('/a', () => goodReply('json', { usage }));
    const response = await house.chat({ model: 'at-a' });
    const receipt = await house.receipt(response.headers.get('x-generation-id'));
    expect(objectOf(receipt['native_usage'])).toEqual(usage);
  });

  it('hold no prompt and no answer (promise 34)', async () => {
    const canary = 'canary-prompt-1234';
    house.fake.on('/a', () => goodReply('json', { pieces: ['canary-answer-1234'] }));
    const messages = [{ role: 'user', content: canary }];
    const response = await house.chat({ model: 'at-a', messages });
    const receipt = await house.receipt(response.headers.get('x-generation-id'));
    expect(JSON.stringify(receipt)).not.toMatch(/canary/);
    expect(JSON.stringify(house.log)).not.toMatch(/canary-(prompt|answer)|sk-/);
  });
});

describe('a receipt of an older form', () => {
  it('that names no price that can be read is shown without arithmetic', () => {
    const detail = {
      model: 'm',
      upstream_model: 'm',
      provider: 'p',
      outcome: 'completed',
      streamed: false,
      latency_ms: 1,
      buckets: {},
      usage_source: 'none',
      attempts: [],
      price: { version: 'v', list: {}, tiers: [], source: 's', effectiveFrom: 'd' },
    };
    expect(objectOf(JSON.parse(showReceipt(JSON.stringify(detail))))['arithmetic']).toBeNull();
  });
});
