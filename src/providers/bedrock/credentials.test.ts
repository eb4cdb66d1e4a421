/**
 * Who we are at Bedrock. Signatures are compared with a second computation, made here with Node's
 * own cryptography, which first has to reproduce a signature that AWS published.
 */
import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CredentialInput } from '../provider.ts';
import { BASE_URL_DEFAULT, bedrockAddress } from './address.ts';
import { bedrockCredentials } from './credentials.ts';

/** The pair of keys in AWS's published test suite. */
const KEY_ID = 'AKIDEXAMPLE';
const SECRET_KEY = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

interface Signed {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly region: string;
  readonly service: string;
  readonly date: string;
}

const sha256 = (data: string | Uint8Array): string =>
  createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Uint8Array, data: string): Uint8Array =>
  createHmac('sha256', key).update(data).digest();

/** Signature Version 4 by its description, for paths that hold nothing but RFC 3986's words. */
function signatureOf({ method, url, headers, body, region, service, date }: Signed): string {
  const { pathname } = new URL(url);
  const path = pathname.split('/').map(encodeURIComponent).join('/');
  const names = Object.keys(headers).toSorted();
  const lines = names.map((name) => `${name}:${headers[name] ?? ''}\n`).join('');
  const canonical = [method, path, '', lines, names.join(';'), sha256(body)].join('\n');
  const day = date.slice(0, 8);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = [region, service, 'aws4_request'].reduce<Uint8Array>(
    (before, step) => hmac(before, step),
    hmac(`AWS4${SECRET_KEY}`, day),
  );
  const signature = Buffer.from(hmac(key, toSign)).toString('hex');
  const credential = `Credential=${KEY_ID}/${scope}`;
  return `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
}

const BODY = new TextEncoder().encode(
  '{"messages":[{"role":"user","content":[{"text":"Zürich"}]}]}',
);
const MODELS = [
  'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
  'arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1',
  "it's (new)*!",
];

function inputOf(secret: string, model = MODELS[0] ?? '', body = BODY): CredentialInput {
  const base = { baseUrl: BASE_URL_DEFAULT, region: 'eu-west-1', project: null, account: null };
  const target = { ...base, model };
  const address = bedrockAddress(target, 'chat_stream');
  return { secret, target, address, body, nowMs: Date.parse('2026-11-20T08:09:10.987Z') };
}

async function headersOf(input: CredentialInput): Promise<ReadonlyMap<string, string>> {
  const credentials = await bedrockCredentials(input);
  if (!('headers' in credentials)) throw new Error('nothing is exchanged here');
  return new Map(credentials.headers);
}

describe('a bearer key', () => {
  it('goes into a header at once', () => {
    expect(bedrockCredentials(inputOf('ABSKexample='))).toEqual({
      headers: [['authorization', 'Bearer ABSKexample=']],
    });
  });
});

describe('an access key', () => {
  it('is checked by a computation that agrees with AWS', () => {
    const vanilla = {
      method: 'POST',
      url: 'https://example.amazonaws.com/',
      headers: { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' },
      body: new Uint8Array(),
      region: 'us-east-1',
      service: 'service',
      date: '20150830T123600Z',
    };
    expect(signatureOf(vanilla)).toMatch(
      /Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b$/,
    );
  });

  it.each([
    ['', MODELS[0]],
    ['', MODELS[1]],
    ['', MODELS[2]],
    ['FwoGZXIvYXdzEXAMPLE==', MODELS[0]],
  ])('signs the request with the session %j for %s', async (token, model) => {
    const secret = [KEY_ID, SECRET_KEY, ...(token === '' ? [] : [token])].join(':');
    const input = inputOf(secret, model);
    const date = '20261120T080910Z';
    const signed = {
      host: 'bedrock-runtime.eu-west-1.amazonaws.com',
      'x-amz-date': date,
      ...(token === '' ? {} : { 'x-amz-security-token': token }),
    };
    const headers = await headersOf(input);
    const { method, url } = input.address;
    const { body } = input;
    const place = { region: 'eu-west-1', service: 'bedrock', date };
    expect(headers.get('authorization')).toBe(
      signatureOf({ method, url, headers: signed, body, ...place }),
    );
    expect(headers.get('x-amz-date')).toBe(date);
    expect(headers.get('x-amz-security-token')).toBe(token === '' ? undefined : token);
  });

  it('covers the body', async () => {
    const secret = `${KEY_ID}:${SECRET_KEY}`;
    const one = await headersOf(inputOf(secret));
    const other = await headersOf(inputOf(secret, MODELS[0], new Uint8Array([123, 125])));
    expect(one.get('authorization')).not.toBe(other.get('authorization'));
  });

  it('signs only its own bytes of a larger buffer, and never sends the secret', async () => {
    const secret = `${KEY_ID}:${SECRET_KEY}`;
    const larger = new Uint8Array(BODY.length + 8).fill(7);
    larger.set(BODY, 4);
    const view = larger.subarray(4, 4 + BODY.length);
    const headers = await headersOf(inputOf(secret, MODELS[0], view));
    expect(headers).toEqual(await headersOf(inputOf(secret)));
    expect(JSON.stringify([...headers])).not.toContain(SECRET_KEY);
  });
});
