/** A page of another origin: what its browser asks first, and what its scripts may read. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestGateway, type TestGateway } from '#testing/test-gateway.ts';

const ORIGIN = 'https://page.example';
let house: TestGateway;
let url: string;
beforeAll(async () => {
  house = await createTestGateway();
  ({ url } = await house.listen());
});
afterAll(() => house.close());

const ECHO = { model: 'sandbox/echo', messages: [{ role: 'user', content: 'hi' }] };

function post(path: string, body: object, headers: Readonly<Record<string, string>> = {}) {
  const json = { 'content-type': 'application/json', authorization: `Bearer ${house.keys.test}` };
  return fetch(`${url}${path}`, {
    method: 'POST',
    headers: { ...json, ...headers },
    body: JSON.stringify(body),
  });
}

describe('a page of another origin', () => {
  it.each(['/v1/chat/completions', '/v1/embeddings', '/v1/keys', '/chat/completions'])(
    'may ask before it sends: %s',
    async (path) => {
      const response = await fetch(`${url}${path}`, {
        method: 'OPTIONS',
        headers: {
          origin: ORIGIN,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization, x-stainless-os',
        },
      });
      expect(response.status).toBe(204);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(response.headers.get('access-control-allow-methods')).toContain('POST');
      expect(response.headers.get('access-control-allow-headers')).toContain('x-stainless-os');
      expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    },
  );

  it.each([
    ['an answer', '/v1/chat/completions', ECHO, 200],
    ['a stream', '/v1/chat/completions', { ...ECHO, stream: true }, 200],
    ['a refusal', '/v1/chat/completions', { model: 'no' }, 400],
    ['a path read as it was meant', '/chat/completions', ECHO, 200],
    ['what a key may not do', '/v1/keys', { name: 'a' }, 403],
    ['what is not there', '/v1/nothing', {}, 404],
  ])('reads %s, and whose it was', async (_name, path, body, status) => {
    const response = await post(path, body, { origin: ORIGIN });
    await response.text();
    expect(response.status).toBe(status);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-expose-headers')).toContain('x-request-id');
  });

  it('is not spoken of where nobody comes from one', async () => {
    const response = await post('/v1/chat/completions', ECHO);
    await response.text();
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    const options = await fetch(`${url}/v1/models`, { method: 'OPTIONS' });
    expect(options.headers.get('access-control-allow-origin')).toBeNull();
  });
});
