/** GET /v1/models with filters, a model's endpoints, and models that are no more. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, listOf, objectOf } from '#testing/recordings-json.ts';
import { createTestGateway, TEST_PRICE, type TestGateway } from '#testing/test-gateway.ts';

let house: TestGateway;
beforeAll(async () => {
  house = await createTestGateway({
    models: {
      cheap: {
        endpoints: [{ provider: 'a', model: 'm', price: { input: '0.1', output: '1' } }],
        context: 4_096,
        capabilities: ['tools', 'sampling'],
      },
      dear: {
        endpoints: [{ provider: 'a', model: 'n', price: TEST_PRICE }],
        context: 200_000,
      },
      'gpt-5': { endpoints: [{ provider: 'a', model: 'o', price: TEST_PRICE }] },
    },
  });
});
afterAll(() => house.close());

async function idsFor(query: string): Promise<readonly unknown[]> {
  const response = await house.get(`/v1/models?${query}`);
  expect(response.status, query).toBe(200);
  const models = listOf(at(await response.json(), 'data')).map(objectOf);
  return models.map(({ id }) => id);
}

describe('a filter', () => {
  it.each([
    ['capability=tools', ['cheap'], ['dear']],
    ['supported_parameters=tools,temperature', ['cheap'], ['dear']],
    ['supported_parameters=max_tokens', ['cheap', 'dear'], []],
    ['max_price=0.1', ['cheap'], ['dear']],
    ['max_price=0.099', [], ['cheap', 'dear']],
    ['context=4096', ['cheap', 'dear'], []],
    ['context=4097', ['dear'], ['cheap']],
    ['input_modalities=text&output_modalities=text', ['cheap', 'dear'], []],
    ['input_modalities=image', [], ['cheap', 'dear']],
    ['q=DEA', ['dear'], ['cheap']],
    ['q=dea%20ar', ['dear'], ['cheap']],
    ['provider=a', ['cheap', 'dear'], ['sandbox/echo']],
    ['provider=nobody', [], ['cheap', 'dear']],
    ['max_price=1&context=100000', ['dear'], ['cheap']],
  ])('%s keeps %j and drops %j', async (query, kept, dropped) => {
    const ids = await idsFor(query);
    expect(ids).toEqual(expect.arrayContaining(kept));
    for (const id of dropped) expect(ids).not.toContain(id);
  });

  it('finds embeddings, and nothing to chat with among them', async () => {
    const ids = await idsFor('available=all&output_modalities=embedding');
    expect(ids).toContain('text-embedding-3-small');
    expect(ids).not.toContain('gpt-5');
    const usable = await idsFor('output_modalities=embedding');
    expect(usable).toContain('sandbox/embedding');
    expect(usable).not.toContain('gpt-5');
  });

  it.each([
    ['colour=red', 'colour'],
    ['max_price=cheap', 'max_price'],
    ['max_price=-1', 'max_price'],
    ['max_price=1e3', 'max_price'],
    ['context=many', 'context'],
    ['output_modalities=smell', 'output_modalities'],
    ['capability=', 'capability'],
    ['capability=tools,,vision', 'capability'],
    [`q=${'x'.repeat(201)}`, 'q'],
    ['available=some', 'available'],
  ])('%s is refused by name', async (query, param) => {
    const response = await house.get(`/v1/models?${query}`);
    expect(response.status).toBe(400);
    expect(at(await response.json(), 'error', 'param')).toBe(param);
  });
});

describe('endpoints of a model', () => {
  it('come alone on their own path, priced per token and with their source', async () => {
    const response = await house.get('/v1/models/cheap/endpoints');
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      data: {
        id: 'cheap',
        architecture: { modality: 'text->text' },
        endpoints: [
          {
            provider_name: 'a',
            model: 'm',
            pricing: { prompt: '0.0000001', completion: '0.000001' },
            price: { input: '0.1', output: '1' },
            price_source: 'config',
            shutdown_date: null,
          },
        ],
      },
    });
    expect((await house.get('/v1/models/nothing/endpoints')).status).toBe(404);
  });
});

describe('the end of a model', () => {
  it('warns from sixty days before the day of the host that would serve it', async () => {
    const warningsOn = async (day: string): Promise<unknown> => {
      const clock = { nowMs: () => Date.parse(day), monotonicMs: () => performance.now() };
      const models = { 'gpt-4o': { endpoints: [{ provider: 'stops', model: 'gpt-4o' }] } };
      const other = await createTestGateway({ models, clock });
      try {
        const response = await other.get('/v1/models/gpt-4o');
        return objectOf(await response.json())['warnings'];
      } finally {
        await other.close();
      }
    };
    expect(await warningsOn('2026-11-14T23:59:59Z')).toBeUndefined();
    expect(await warningsOn('2026-11-15')).toEqual([
      {
        code: 'shutdown',
        message: "The model 'gpt-4o' shuts down on 2027-01-14. Use 'gpt-6-luna' instead.",
      },
    ]);
  });

  it('is told with what its lab recommends', async () => {
    const response = await house.get('/v1/models/gpt-5');
    expect(await response.json()).toMatchObject({
      shutdown_date: '2026-12-11',
      successor: 'gpt-5.6-sol',
    });
  });

  it('refuses a chat with what is no more, and names the successor', async () => {
    const response = await house.chat({
      model: 'gpt-4-turbo',
      messages: [{ role: 'user', content: 'Hi' }],
    });
    expect(response.status).toBe(404);
    expect(at(await response.json(), 'error')).toMatchObject({
      code: 'model_not_found',
      param: 'model',
      message: "The model 'gpt-4-turbo' was shut down on 2026-10-23. Use 'gpt-5.6-sol' instead.",
    });
  });

  it('once it is there, is a 404 that names the successor', async () => {
    for (const name of ['claude-3-opus-20240229', 'anthropic/claude-3-opus-20240229']) {
      const response = await house.get(`/v1/models/${name}`);
      expect(response.status).toBe(404);
      expect(at(await response.json(), 'error', 'message')).toBe(
        "The model 'claude-3-opus-20240229' was shut down on 2026-01-05. Use 'claude-opus-4-8' instead.",
      );
    }
  });
});
