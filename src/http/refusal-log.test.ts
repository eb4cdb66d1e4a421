/** What was refused or changed is found in the log by its request id (docs/errors.md). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestGateway, type TestGateway } from '#testing/test-gateway.ts';

let house: TestGateway;
beforeAll(async () => {
  house = await createTestGateway();
});
afterAll(() => house.close());

const CANARY = 'canary of a prompt';
const messages = [{ role: 'user', content: CANARY }];

async function ask(method: string, path: string, asked: { key?: string; body?: unknown } = {}) {
  const { key = house.keys.management, body } = asked;
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const json = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await house.app.request(path, { method, headers, ...json });
  await house.untilSettled();
  const id = response.headers.get('x-request-id');
  const found = house.log.filter(({ fields }) => fields.request_id === id);
  return { status: response.status, found };
}

describe('a line of the log', () => {
  it.each([
    {
      of: 'a model that nobody knows',
      request: ['POST', '/v1/chat/completions', { body: { model: 'nope', messages } }],
      told: { route: '/v1/chat/completions', code: 'model_not_found', field: 'model' },
    },
    {
      of: 'a field of another type',
      request: ['POST', '/v1/embeddings', { body: { model: 7, input: CANARY } }],
      told: { route: '/v1/embeddings', code: 'invalid_type', field: 'model' },
    },
  ] as const)('is there for $of, with the key', async ({ request, told }) => {
    const [method, path, body] = request;
    const { found, status } = await ask(method, path, { ...body, key: house.keys.live });
    expect(found).toEqual([
      {
        level: 'info',
        event: 'refused',
        fields: expect.objectContaining({ ...told, method, status, key_id: expect.any(String) }),
      },
    ]);
    expect(JSON.stringify(found)).not.toContain(CANARY);
  });

  it('names no field that the caller has named', async () => {
    const key = house.keys.live;
    const body = { model: 'at-a', messages, logit_bias: { [CANARY]: 'x' } };
    const { found } = await ask('POST', '/v1/chat/completions', { key, body });
    expect(found).toMatchObject([{ fields: { status: 400, field: 'logit_bias' } }]);
    expect(JSON.stringify(found)).not.toContain(CANARY);
    const named = await ask('POST', '/v1/keys', { body: { name: 'k', [CANARY]: 1 } });
    expect(named.found).toMatchObject([{ event: 'refused', fields: { status: 400 } }]);
    expect(JSON.stringify(named.found)).not.toContain(CANARY);
  });

  it('is there for a management key that asks for an answer', async () => {
    const { found } = await ask('POST', '/v1/chat/completions', { body: { model: 'm', messages } });
    const fields = { status: 403, code: 'permission_denied', key_id: expect.any(String) };
    expect(found).toMatchObject([{ event: 'refused', fields }]);
  });

  it('is there for what management refuses, by its route and not by its path', async () => {
    const wrong = await ask('POST', '/v1/keys', { body: { name: 1 } });
    const unknown = await ask('GET', '/v1/keys/0123456789abcdef');
    const key = await ask('GET', '/v1/keys', { key: 'sk-omx-mgmt-nonsense' });
    const fieldsOf = [wrong, unknown, key].map(({ found }) => found.map(({ fields }) => fields));
    expect(fieldsOf).toMatchObject([
      [{ status: 400, method: 'POST', route: '/v1/keys', field: 'name' }],
      [{ status: 404, method: 'GET', route: '/v1/keys/:hash', key_id: expect.any(String) }],
      [{ status: 401, code: 'invalid_api_key' }],
    ]);
    expect(fieldsOf[2]?.[0]).toMatchObject({ key_id: undefined });
  });

  it('is there for an address that is none', async () => {
    const { found } = await ask('GET', '/v1/nothing-here?secret=1');
    expect(found).toMatchObject([{ event: 'refused', fields: { status: 404, method: 'GET' } }]);
    expect(JSON.stringify(found)).not.toContain('secret');
  });

  it('is there for every change, and for nothing that was only read', async () => {
    const made = await ask('POST', '/v1/keys', { body: { name: 'logged' } });
    const fields = { status: 201, method: 'POST', route: '/v1/keys', key_id: expect.any(String) };
    expect(made.found).toMatchObject([{ level: 'info', event: 'changed', fields }]);
    expect((await ask('GET', '/v1/keys')).found).toEqual([]);
  });
});
