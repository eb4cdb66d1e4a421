/** What a client may be told, and what it keeps to itself: the key above all. */
import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OmniX, OmniXError, type ClientOptions } from '../typescript/src/index.ts';

const KEY = 'sk-omx-live-canary-of-this-test';
const MANAGEMENT = 'sk-omx-mgmt-canary-of-this-test';

afterEach(() => vi.unstubAllGlobals());
afterEach(() => vi.unstubAllEnvs());

interface Sent {
  readonly url: string;
  readonly headers: Headers;
}

/** A client whose requests go nowhere, and what it sent. */
function recording(options: ClientOptions): { readonly client: OmniX; readonly sent: Sent[] } {
  const sent: Sent[] = [];
  const client = new OmniX({
    ...options,
    fetch: async (url, init) => {
      sent.push({ url, headers: new Headers(init.headers) });
      return Response.json({ object: 'list', data: [] });
    },
  });
  return { client, sent };
}

function refusalOf(options: ClientOptions): string {
  try {
    return inspect(new OmniX(options));
  } catch (error) {
    return error instanceof OmniXError ? inspect(error) : 'another error';
  }
}

describe('a client', () => {
  it('takes a base URL with or without /v1, and in other folders', async () => {
    const cases = [
      ['http://h', 'http://h/v1/models'],
      ['http://h/', 'http://h/v1/models'],
      ['http://h/v1', 'http://h/v1/models'],
      ['http://h/v1//', 'http://h/v1/models'],
      ['https://h:8/gateway/v1/', 'https://h:8/gateway/v1/models'],
    ] as const;
    for (const [baseURL, url] of cases) {
      const { client, sent } = recording({ apiKey: KEY, baseURL });
      await client.models.list();
      expect(sent[0]?.url).toBe(url);
    }
  });

  it('reads key and URL from the environment where it is not told', async () => {
    vi.stubEnv('OMNIX_API_KEY', KEY);
    vi.stubEnv('OMNIX_BASE_URL', 'http://from.environment/v1');
    const { client, sent } = recording({});
    await client.models.list();
    expect(sent[0]?.url).toBe('http://from.environment/v1/models');
    expect(sent[0]?.headers.get('authorization')).toBe(`Bearer ${KEY}`);
    vi.stubEnv('OMNIX_BASE_URL', '');
    const local = recording({});
    await local.client.models.list({ q: 'a b&c' });
    expect(local.sent[0]?.url).toBe('http://127.0.0.1:8787/v1/models?q=a+b%26c');
  });

  it('sends the headers of client and call; its own key counts', async () => {
    const { client, sent } = recording({
      apiKey: `  ${KEY}\n`,
      defaultHeaders: { 'x-one': '1', 'x-two': '1', authorization: 'Bearer other' },
    });
    const headers = { 'x-two': '2' };
    await client.models.list({}, { headers, maxCost: 0.000_000_1 });
    await client.credits.grant(
      { amount_usd: '1', reason: 'x' },
      { headers: { 'Idempotency-Key': 'mine' } },
    );
    const [list, grant] = sent;
    expect(list?.headers.get('x-one')).toBe('1');
    expect(list?.headers.get('x-two')).toBe('2');
    expect(list?.headers.get('authorization')).toBe(`Bearer ${KEY}`);
    expect(list?.headers.get('x-omnix-max-cost')).toBe('0.0000001');
    expect(list?.headers.has('idempotency-key')).toBe(false);
    expect(grant?.headers.get('idempotency-key')).toBe('mine');
  });

  it('writes a ceiling as the gateway reads it', async () => {
    const { client, sent } = recording({ apiKey: KEY });
    const amounts = [5, 0, 0.1, 1e-9, 1e21, Number.NaN, -1, '0.010'] as const;
    for (const maxCost of amounts) await client.models.list({}, { maxCost });
    expect(sent.map(({ headers }) => headers.get('x-omnix-max-cost'))).toEqual([
      '5',
      '0',
      '0.1',
      '0.000000001',
      '1e+21',
      'NaN',
      '-1',
      '0.010',
    ]);
  });

  it('refuses what cannot work', () => {
    vi.stubEnv('OMNIX_API_KEY', '');
    expect(refusalOf({})).toContain('apiKey is missing');
    expect(refusalOf({ apiKey: 'sk-omx-live-ä' })).toContain('characters that no key has');
    for (const baseURL of ['', 'h/v1', 'ftp://h', 'http://u:p@h', 'http://h?x=1', 'http://h#x']) {
      expect(refusalOf({ apiKey: KEY, baseURL })).toContain('baseURL');
    }
    for (const timeout of [0, -1, Number.NaN]) {
      expect(refusalOf({ apiKey: KEY, timeout })).toContain('timeout');
    }
    for (const maxRetries of [-1, 0.5, Number.NaN, Infinity]) {
      expect(refusalOf({ apiKey: KEY, maxRetries })).toContain('maxRetries');
    }
  });
});

describe('a call', () => {
  it('refuses an option that it does not know, before anything is sent', async () => {
    const { client, sent } = recording({ apiKey: KEY });
    const misspelt: object = { maxcost: 0.01 };
    const calling = client.models.list({}, misspelt);
    await expect(calling).rejects.toThrow(/maxcost.*maxCost/);
    expect(sent).toEqual([]);
  });
});

describe('a browser', () => {
  it('gets no client with a management key, and one with an inference key', () => {
    vi.stubGlobal('window', {});
    vi.stubGlobal('document', {});
    expect(refusalOf({ apiKey: MANAGEMENT })).toContain('browser');
    expect(refusalOf({ apiKey: ` ${MANAGEMENT}` })).toContain('browser');
    expect(refusalOf({ apiKey: KEY })).toContain('OmniX {');
  });

  it('is one in its workers too, which have no window', () => {
    vi.stubGlobal('importScripts', () => undefined);
    expect(refusalOf({ apiKey: MANAGEMENT })).toContain('OmniX {');
    vi.stubGlobal('process', undefined);
    expect(refusalOf({ apiKey: MANAGEMENT })).toContain('browser');
  });
});

describe('the key', () => {
  it('stands in nothing that is printed, kept or thrown', async () => {
    const everything = { showHidden: true, depth: 20, getters: true } as const;
    const client = new OmniX({
      apiKey: KEY,
      fetch: async () => Response.json({}, { status: 500 }),
    });
    const told: unknown[] = [client, JSON.stringify(client), Object.entries(client.models)];
    const down = new OmniX({ apiKey: KEY, baseURL: 'http://127.0.0.1:9', maxRetries: 0 });
    for (const work of [
      () => client.models.list({}, { maxRetries: 0 }),
      () => down.models.list(),
      () => down.models.list({}, { signal: AbortSignal.abort() }),
    ]) {
      told.push(await work().catch((error: unknown) => error));
    }
    const headers = { 'x-api-key': `${KEY}\n${KEY}` };
    told.push(await client.models.list({}, { headers }).catch((error: unknown) => error));
    told.push(refusalOf({ apiKey: `${KEY}\u0000` }), refusalOf({ apiKey: `a ${KEY}` }));
    expect(told.map((value) => inspect(value, everything)).join('\n')).not.toContain('canary');
  });
});
