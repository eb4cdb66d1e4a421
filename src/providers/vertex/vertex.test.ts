/** Vertex: its addresses, its credentials (no error may tell the secret), and Claude on it. */
import { decodeJwt, decodeProtectedHeader, exportPKCS8, generateKeyPair, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import type { CredentialInput, Credentials, Target } from '../provider.ts';
import { readForm } from '../dialects/openai-chat/read-form.ts';
import { vertex } from './index.ts';

function targetOf(more: Partial<Target> = {}): Target {
  const baseUrl = 'https://aiplatform.googleapis.com';
  const model = 'gemini-3.6-flash';
  return { baseUrl, model, region: null, project: 'our-project', account: null, ...more };
}

describe('the address', () => {
  it.each<[string, Partial<Target>, 'chat' | 'chat_stream', string]>([
    [
      'without a region is global',
      {},
      'chat',
      'https://aiplatform.googleapis.com/v1beta1/projects/our-project/locations/global/publishers/google/models/gemini-3.6-flash:generateContent',
    ],
    [
      'of a region is on its host',
      { region: 'europe-west4' },
      'chat_stream',
      'https://europe-west4-aiplatform.googleapis.com/v1beta1/projects/our-project/locations/europe-west4/publishers/google/models/gemini-3.6-flash:streamGenerateContent?alt=sse',
    ],
    [
      'of several regions has a host of another form',
      { region: 'eu', model: 'claude-sonnet-4-5@20250929' },
      'chat',
      'https://aiplatform.eu.rep.googleapis.com/v1/projects/our-project/locations/eu/publishers/anthropic/models/claude-sonnet-4-5%4020250929:rawPredict',
    ],
    [
      'of Claude streams by another method',
      { region: 'us-east5', model: 'publishers/anthropic/models/claude-opus-4-6' },
      'chat_stream',
      'https://us-east5-aiplatform.googleapis.com/v1/projects/our-project/locations/us-east5/publishers/anthropic/models/claude-opus-4-6:streamRawPredict',
    ],
    [
      'without a project is that of the express mode',
      { project: null },
      'chat',
      'https://aiplatform.googleapis.com/v1beta1/publishers/google/models/gemini-3.6-flash:generateContent',
    ],
    [
      'of a gate before it stays there',
      { baseUrl: 'https://gate.example/vertex/', region: 'us-east5' },
      'chat',
      'https://gate.example/vertex/projects/our-project/locations/us-east5/publishers/google/models/gemini-3.6-flash:generateContent',
    ],
  ])('%s', (_case, target, operation, url) => {
    expect(vertex.address(targetOf(target), operation)).toEqual({ method: 'POST', url });
  });
});

const NOW = Date.parse('2026-11-18T11:00:00Z');

async function credentials(secret: string): Promise<Credentials> {
  const target = targetOf();
  const address = vertex.address(target, 'chat');
  const input: CredentialInput = { secret, target, address, body: new Uint8Array(), nowMs: NOW };
  return await vertex.credentials(input);
}

async function exchangeOf(
  account: object,
): Promise<Extract<Credentials, { exchange: unknown }>['exchange']> {
  const made = await credentials(JSON.stringify(account));
  if (!('exchange' in made)) throw new Error('nothing is exchanged');
  return made.exchange;
}

describe('the credential', () => {
  it('is a key or a token as it stands', async () => {
    const key = { headers: [['x-goog-api-key', 'AIza-key']] };
    expect(await credentials('AIza-key\n')).toEqual(key);
    const token = { headers: [['authorization', 'Bearer ya29.token']] };
    expect(await credentials('ya29.token')).toEqual(token);
    expect(await credentials('Bearer ya29.token')).toEqual(token);
  });

  it('of a service account signs itself, and is exchanged for a token', async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    const pem = await exportPKCS8(privateKey);
    const account = {
      type: 'service_account',
      client_email: 'robot@our-project.iam.gserviceaccount.com',
      private_key: pem.replaceAll('\n', '\\n'),
      private_key_id: 'key-1',
    };
    const exchange = await exchangeOf(account);
    expect(exchange.url).toBe('https://oauth2.googleapis.com/token');
    const form = new URLSearchParams(exchange.body);
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const assertion = form.get('assertion') ?? '';
    await jwtVerify(assertion, publicKey, { currentDate: new Date(NOW) });
    expect(decodeProtectedHeader(assertion)).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'key-1' });
    expect(decodeJwt(assertion)).toEqual({
      iss: account.client_email,
      aud: exchange.url,
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      iat: NOW / 1_000,
      exp: NOW / 1_000 + 3_600,
    });
    expect((await exchangeOf(account)).cacheKey).toBe(exchange.cacheKey);
    expect((await exchangeOf({ ...account, private_key_id: 'key-2' })).cacheKey).not.toBe(
      exchange.cacheKey,
    );
    expect(exchange.cacheKey).not.toContain('robot');
  });

  it('of a user is refreshed', async () => {
    const account = {
      type: 'authorized_user',
      client_id: 'c',
      client_secret: 's',
      refresh_token: 'r',
    };
    const { body } = await exchangeOf(account);
    expect(body).toBe('grant_type=refresh_token&client_id=c&client_secret=s&refresh_token=r');
  });

  it('reads the token, and nothing from what is none', async () => {
    const account = {
      type: 'authorized_user',
      client_id: 'c',
      client_secret: 's',
      refresh_token: 'r',
    };
    const { read } = await exchangeOf(account);
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    expect(
      read(bytes('{"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"}')),
    ).toEqual({
      headers: [['authorization', 'Bearer ya29.x']],
      expiresAtMs: NOW + 3_599_000,
    });
    for (const text of ['', '[]', '{"error":"invalid_grant"}'])
      expect(read(bytes(text))).toBeNull();
  });

  it.each([
    ['is cut off', '{"type":"service_account","private_key":"canary'],
    ['has no key', '{"type":"service_account","client_email":"canary@x"}'],
    ['has no address', '{"type":"service_account","private_key":"canary"}'],
    [
      'has a key of another form',
      '{"client_email":"a@b","private_key":"-----BEGIN RSA PRIVATE KEY-----\\ncanary\\n-----END RSA PRIVATE KEY-----"}',
    ],
    [
      'has a broken key',
      '{"client_email":"a@b","private_key":"-----BEGIN PRIVATE KEY-----\\ncanary\\n-----END PRIVATE KEY-----"}',
    ],
  ])('that %s is refused in one sentence without the secret', async (_case, secret) => {
    const failure = await credentials(secret).catch((error: unknown) => String(error));
    expect(failure).toMatch(/^Error: The [^\n]+\.$/);
    expect(failure).not.toContain('canary');
  });
});

describe('Claude', () => {
  it('is spoken to in its own dialect, without a model in the body', () => {
    const target = targetOf({ model: 'claude-sonnet-4-5@20250929' });
    const chat = typeof vertex.chat === 'function' ? vertex.chat(target) : vertex.chat;
    expect(chat?.dialect).toBe('anthropic-messages');
    const form = readForm({
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
      max_tokens: 9,
    });
    const body = chat?.codec.encode(form, target).body;
    expect(body).toMatchObject({ anthropic_version: 'vertex-2023-10-16', max_tokens: 9 });
    expect(body).not.toHaveProperty('model');
  });

  it('and Gemini are told apart by the name', () => {
    const target = targetOf({ model: 'publishers/google/models/gemini-3.6-flash' });
    const chat = typeof vertex.chat === 'function' ? vertex.chat(target) : vertex.chat;
    expect(chat?.dialect).toBe('generate-content');
  });
});
