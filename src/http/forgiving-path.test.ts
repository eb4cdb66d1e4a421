/** Paths as people type them (contract.md, "Answers"; experience: missing and doubled /v1). */
import fc from 'fast-check';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openRaw, rawExchange, requestBytes } from '#testing/raw-client.ts';
import { at } from '#testing/recordings-json.ts';
import { answerWell, createTestGateway, type TestGateway } from '#testing/test-gateway.ts';
import { meantPath } from './forgiving-path.ts';

let house: TestGateway;
let port: number;
let url: string;
beforeAll(async () => {
  house = await createTestGateway();
  ({ port, url } = await house.listen());
});
afterEach(async () => {
  await house.untilSettled();
  house.fake.on('/a', answerWell);
});
afterAll(() => house.close());

const RESOURCES = new Set(['chat', 'models', 'keys']);
const messages = [{ role: 'user' as const, content: 'Say hello.' }];

describe('a path', () => {
  it.each([
    ['/v1/v1/models', '/v1/models'],
    ['/v1/v1/v1/models/', '/v1/models'],
    ['/v1//models', '/v1/models'],
    ['//v1/models', '/v1/models'],
    ['/models', '/v1/models'],
    ['/models/org/name/', '/v1/models/org/name'],
    ['//chat///completions//', '/v1/chat/completions'],
    ['/health/', '/health'],
    ['/', '/'],
    ['//', '/'],
    ['', ''],
    ['/v1', '/v1'],
    ['/v1/', '/v1'],
    ['/v1/v1', '/v1'],
    ['/v1/v1x/models', '/v1/v1x/models'],
    ['/nothing', '/nothing'],
    ['/modelsx', '/modelsx'],
    ['/v2/models', '/v2/models'],
  ])('%s means %s', (path, meant) => {
    expect(meantPath(path, RESOURCES)).toBe(meant);
  });

  it('that is well formed stays as it is, and what was meant is well formed', () => {
    const words = fc.constantFrom('v1', 'models', 'chat', 'x', '', 'a%2Fb');
    const path = fc.array(words, { maxLength: 7 }).map((parts) => `/${parts.join('/')}`);
    fc.assert(
      fc.property(path, (asked) => {
        const meant = meantPath(asked, RESOURCES);
        expect(meantPath(meant, RESOURCES)).toBe(meant);
        expect(meant).not.toMatch(/\/\/|.\/$|^\/v1\/v1(?:\/|$)/);
        expect(meant.startsWith('/')).toBe(true);
      }),
    );
  });
});

describe('every form of a path is served, and told how it should read', () => {
  const FORMS = [
    '/v1/v1/chat/completions',
    '/v1//chat/completions',
    '//v1/chat/completions/',
    '/chat/completions',
  ];

  it.each(FORMS)(
    'POST %s over a socket, whole and streamed (contract: Answers, forgiving paths; path warning)',
    async (path) => {
      for (const stream of [false, true]) {
        const response = await fetch(`${url}${path}`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${house.keys.live}`,
            'content-type': 'application/json',
          },
          body: JSON.stringify({ model: 'at-a', messages, stream }),
        });
        expect(response.status).toBe(200);
        expect(response.headers.get('warning')).toBe(
          `299 omnix "The path ${path} should read /v1/chat/completions"`,
        );
        expect(response.headers.get('x-generation-id')).toMatch(/^gen_/);
        const text = await response.text();
        expect(text.endsWith('data: [DONE]\n\n')).toBe(stream);
      }
    },
  );

  it.each(FORMS)('POST %s without a socket', async (path) => {
    const response = await house.app.request(path, {
      method: 'POST',
      headers: { authorization: `Bearer ${house.keys.live}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'at-a', messages }),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('warning')).toContain('/v1/chat/completions"');
    await response.text();
  });

  it.each(['/v1/v1/models', '/models/at-a', '/v1//credits', '/key/', '/v1/generation/?id=x'])(
    'GET %s, over a socket and without',
    async (path) => {
      const headers = { authorization: `Bearer ${house.keys.live}` };
      for (const response of [
        await house.app.request(path, { headers }),
        await fetch(`${url}${path}`, { headers }),
      ]) {
        expect(response.headers.get('warning')).toMatch(
          /^299 omnix "The path \S+ should read \/v1\//,
        );
        expect([200, 404]).toContain(response.status);
        expect(await response.text()).not.toContain('unknown_url');
      }
    },
  );

  it('and refused as the well-formed one is', async () => {
    const response = await fetch(`${url}/chat/completions`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(401);
    expect(response.headers.get('warning')).toContain('should read /v1/chat/completions');
    expect((await fetch(`${url}/v1//keys`)).status).toBe(401);
  });

  it('by the official client with a base URL that is slightly wrong', async () => {
    for (const base of ['', '/', '/v1/', '/v1/v1', '//v1']) {
      const client = new OpenAI({
        apiKey: house.keys.live,
        baseURL: `${url}${base}`,
        maxRetries: 0,
      });
      const answer = await client.chat.completions.create({ model: 'at-a', messages });
      expect(answer.choices).toHaveLength(1);
      expect((await client.models.list()).data.length).toBeGreaterThan(0);
    }
  });

  it('but a well-formed one has no warning', async () => {
    const headers = { authorization: `Bearer ${house.keys.live}` };
    for (const path of ['/v1/models', '/v1/models/at-a?x=//', '/health', '/v1/models/a%2F%2Fb']) {
      expect((await fetch(`${url}${path}`, { headers })).headers.has('warning')).toBe(false);
    }
  });

  it.each([
    '/v1//models/%0d%0ax-evil:%201',
    '/v1//models/"quoted"',
    '/v1//models/%C3%BC%FF%u%5c%22',
    `/v1//models/${'x'.repeat(5_000)}`,
  ])('and what is odd in it does no harm: %s', async (path) => {
    const client = await openRaw(port);
    const bytes = requestBytes({
      method: 'GET',
      path,
      headers: [['authorization', `Bearer ${house.keys.live}`]],
    });
    await client.send(bytes);
    const answer = await client.answer();
    expect(answer.status).toBe(404);
    const warning = answer.headers.get('warning') ?? '';
    // None where no route is meant, as by a path with a line break in it.
    expect(warning).toMatch(/^(?:299 omnix "[\x20-\x21\x23-\x5b\x5d-\x7e]+")?$/);
    expect(warning.length).toBeLessThan(500);
    expect(answer.headers.has('x-evil')).toBe(false);
    client.reset();
  });

  it.each(['/v1//models/a\\b', '/v1/models/a\\b'])(
    'and what no URL can be made of is refused in full: %s',
    async (path) => {
      const bytes = requestBytes({ method: 'GET', path });
      const answer = await rawExchange(port, bytes);
      expect(answer.status).toBe(400);
      expect(answer.headers.get('x-request-id')).toMatch(/^req_/);
      expect(answer.headers.get('x-should-retry')).toBe('false');
      const body: unknown = JSON.parse(answer.body.toString());
      expect(at(body, 'error', 'code')).toBe('invalid_request_error');
    },
  );
});
