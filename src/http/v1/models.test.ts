/** GET /v1/models: what a key can use, under every spelling of an id. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, listOf, objectOf } from '#testing/recordings-json.ts';
import { createTestGateway, TEST_PRICE, type TestGateway } from '#testing/test-gateway.ts';
import { perToken } from './model-view.ts';

let house: TestGateway;
beforeAll(async () => {
  const endpoint = { provider: 'a', model: 'm', price: TEST_PRICE };
  house = await createTestGateway({
    models: {
      'org/deep/name': { endpoints: [endpoint], context: 4_096, max_output: 512 },
      'odd name%': { endpoints: [endpoint], capabilities: ['tools'] },
      fast: { alias: ['at-a', 'at-b'] },
    },
  });
});
afterAll(() => house.close());

async function list(path: string, key = house.keys.live) {
  const response = await house.get(path, key);
  expect(response.status).toBe(200);
  return listOf(at(await response.json(), 'data')).map(objectOf);
}
const idsOf = (models: readonly { readonly [key: string]: unknown }[]) =>
  models.map(({ id }) => id);

describe('the list (experience 5)', () => {
  it('is what the official client reads (contract: Answers, GET /v1/models)', async () => {
    const page = await house.client.models.list();
    const ids = page.data.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(['at-a', 'org/deep/name', 'fast', 'sandbox/echo']));
    for (const model of page.data) {
      expect(model).toMatchObject({ object: 'model', created: expect.any(Number) });
      expect(typeof model.owned_by).toBe('string');
    }
  });

  it('shows a test key the sandbox only, and no alias of anything else (contract: Answers, GET /v1/models)', async () => {
    const ids = idsOf(await list('/v1/models', house.keys.test));
    expect(ids.length).toBeGreaterThan(0);
    expect(ids.filter((id) => !String(id).startsWith('sandbox/'))).toEqual([]);
  });

  it('shows the whole catalog on request, each with whether it can be used (contract: Answers, whole catalog)', async () => {
    const all = await list('/v1/models?available=all');
    const find = (id: string) => all.find((model) => model['id'] === id);
    expect(find('at-a')).toMatchObject({ available: true });
    expect(find('sonar-pro')).toMatchObject({ available: false });
    const forTest = await list('/v1/models?available=all', house.keys.test);
    expect(forTest.find(({ id }) => id === 'fast')).toMatchObject({ available: false });
    expect((await house.get('/v1/models?available=some')).status).toBe(400);
  });

  it('is private', async () => {
    const { headers } = await house.get('/v1/models');
    expect(headers.get('cache-control')).toBe('private, no-store');
    expect(headers.get('vary')).toBe('authorization');
    expect(headers.get('x-request-id')).toMatch(/^req_/);
  });

  it('tells prices per token as strings, exactly', async () => {
    const [found] = (await list('/v1/models')).filter(({ id }) => id === 'at-a');
    expect(found).toMatchObject({
      pricing: { prompt: '0.000001', completion: '0.000002', input_cache_read: '0.0000001' },
      providers: ['a'],
    });
  });
});

describe('what the operator says of a model', () => {
  it('is shown as its capabilities (contract: Config file, capabilities of a model)', async () => {
    const models = await list('/v1/models?capability=tools');
    const found = models.find(({ id }) => id === 'odd name%');
    expect(found).toMatchObject({ capabilities: ['tools'] });
    expect(idsOf(models)).not.toContain('at-a');
  });
});

describe('one model', () => {
  it.each(['org/deep/name', 'org%2Fdeep%2Fname', 'org%2fdeep/name'])(
    'is found with its slashes raw or escaped: %s (contract: Answers, slashes)',
    async (spelled) => {
      const response = await house.get(`/v1/models/${spelled}`);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({
        id: 'org/deep/name',
        context_length: 4_096,
        endpoints: [{ provider_name: 'a', model: 'm', price: TEST_PRICE }],
      });
    },
  );

  it('is found by the official client, whatever its name', async () => {
    for (const id of ['at-a', 'org/deep/name', 'odd name%']) {
      expect(await house.client.models.retrieve(id)).toMatchObject({ id });
    }
  });

  it('is the same that the list shows, an alias too', async () => {
    for (const listed of await list('/v1/models')) {
      const id = encodeURIComponent(String(listed['id']));
      const shown = objectOf(await (await house.get(`/v1/models/${id}`)).json());
      const { endpoints: _endpoints, ...same } = shown;
      expect(same).toEqual(listed);
    }
  });

  it('that is unknown, or not for this key, is a 404 with a suggestion', async () => {
    const response = await house.get('/v1/models/at-aa');
    expect(response.status).toBe(404);
    expect(at(await response.json(), 'error', 'message')).toContain("'at-a'");
    for (const id of ['at-a', 'fast']) {
      const foreign = await house.get(`/v1/models/${id}`, house.keys.test);
      expect(foreign.status).toBe(404);
      expect(at(await foreign.json(), 'error', 'message')).not.toMatch(/Did you mean 'at-a'/);
    }
  });

  it.each(['%E0%A4%A', '%', '%zz', 'at-a%00', '..%2f..', '%C0%AF'])(
    '%s is a 404 and nothing worse (promise 36)',
    async (spelled) => {
      expect((await house.get(`/v1/models/${spelled}`)).status).toBe(404);
    },
  );

  it('needs a key', async () => {
    expect((await house.app.request('/v1/models/at-a')).status).toBe(401);
  });
});

describe('dollars per million as dollars per token', () => {
  it.each([
    [undefined, '0'],
    ['0', '0'],
    ['1', '0.000001'],
    ['0.15', '0.00000015'],
    ['2500000', '2.5'],
    ['12000000', '12'],
    ['0.0375', '0.0000000375'],
  ])('%s is %s', (million, token) => {
    expect(perToken(million)).toBe(token);
  });

  it('is exact for any decimal', () => {
    const digits = fc.stringMatching(/^\d{1,9}$/);
    fc.assert(
      fc.property(digits, digits, (whole, fraction) => {
        const token = perToken(`${whole}.${fraction}`);
        const [head = '', tail = ''] = token.split('.');
        const scaled = BigInt(head + tail.padEnd(15, '0'));
        expect(scaled).toBe(BigInt(whole + fraction.padEnd(9, '0')));
        expect(token).toMatch(/^(0|[1-9]\d*)(\.\d*[1-9])?$/);
      }),
    );
  });
});
