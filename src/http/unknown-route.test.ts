/** A 404 for an address tells its caller how to go on. */
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at } from '#testing/recordings-json.ts';
import { createTestGateway, type TestGateway } from '#testing/test-gateway.ts';

let house: TestGateway;
beforeAll(async () => {
  house = await createTestGateway();
});
afterAll(() => house.close());

async function messageAt(method: string, path: string): Promise<string> {
  const response = await house.app.request(path, { method });
  expect(response.status).toBe(404);
  const body: unknown = await response.json();
  expect(at(body, 'error', 'code')).toBe('unknown_url');
  return String(at(body, 'error', 'message'));
}

describe('an address where nothing is', () => {
  it.each(['/v1/nothing', '/nothing', '/v2/models', '/v1', '/v1/responsesx'])(
    '%s: where the routes are described',
    async (path) => {
      expect(await messageAt('GET', path)).toContain('GET /docs shows its routes.');
    },
  );

  it.each([
    '/v1/responses',
    '/v1/responses/resp_1/input_items',
    '/responses',
    '/v1/v1/messages',
    '/v1/messages/count_tokens?beta=true',
    '/v1/completions',
    '/v1beta/models/gemini-2.5-flash:generateContent',
  ])('%s: not served yet, and what is in its place', async (path) => {
    const message = await messageAt('POST', path);
    expect(message).toContain('is not served yet. Use POST /v1/chat/completions. GET /docs ');
  });

  it.each(['/v1/images/generations', '/v1/audio/speech', '/v1/batches', '/v1/organization/users'])(
    '%s: not served yet',
    async (path) => {
      expect(await messageAt('POST', path)).toMatch(/is not served yet\. GET \/docs shows what is/);
    },
  );

  it.each(['/api/v1/chat/completions', '/api/v1/key'])('%s: without /api', async (path) => {
    expect(await messageAt('POST', path)).toContain('The API is at /v1 here: leave out /api.');
  });

  it.each([
    ['/v1/chat/completions', 'chat/completions'],
    ['/v1/embeddings', 'embeddings'],
    ['/chat/completions', 'chat/completions'],
  ])('a base URL that ends in %s: it is to end in /v1', async (base, route) => {
    const message = await messageAt('POST', `${base}/${route}`);
    expect(message).toContain(`Clients add /${route} to their base URL: let that end in /v1.`);
  });

  it('says the same through the official client', async () => {
    const { app, keys } = house;
    const client = new OpenAI({
      apiKey: keys.live,
      baseURL: 'http://omnix.test/v1',
      maxRetries: 0,
      fetch: async (url, init) => app.request(new Request(url, init)),
    });
    const refused = client.responses.create({ model: 'at-a', input: 'hi' });
    await expect(refused).rejects.toThrow(OpenAI.NotFoundError);
    await expect(refused).rejects.toThrow('is not served yet');
  });
});
