/**
 * How Vertex knows us. The secret is a service account's JSON (signed by its key and exchanged for
 * a token: https://developers.google.com/identity/protocols/oauth2/service-account), the JSON that
 * `gcloud auth application-default login` leaves behind, an access token, or an API key.
 */
import { importPKCS8, SignJWT } from 'jose';
import { isRecord, numberOf, parseJson, textOf } from '../json.ts';
import type { JsonRecord } from '../json.ts';
import type { CredentialInput, Credentials } from '../provider.ts';

const TOKEN_URL = 'https://oauth2.googleapis.com/token';
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const LIFETIME_SECONDS = 3_600;

/** Throws one clear sentence without the secret where it cannot be used. */
export function vertexCredentials(input: CredentialInput): Credentials | Promise<Credentials> {
  const secret = input.secret.trim();
  if (!secret.startsWith('{')) return { headers: [headerOf(secret)] };
  const account = parseJson(secret);
  if (!isRecord(account)) throw new Error('The Vertex credential is not valid JSON.');
  return exchangeOf(account, input);
}

/** Access tokens of Google begin with `ya29.`, its JWTs with `eyJ`; the rest are API keys. */
function headerOf(secret: string): readonly [string, string] {
  const token = /^(?:Bearer\s+)?((?:ya29\.|eyJ).*)$/s.exec(secret)?.[1];
  return token === undefined ? ['x-goog-api-key', secret] : ['authorization', `Bearer ${token}`];
}

async function exchangeOf(account: JsonRecord, input: CredentialInput): Promise<Credentials> {
  const isUser = account['type'] === 'authorized_user';
  const form = isUser ? refreshForm(account) : await signedForm(account, input);
  return {
    exchange: {
      cacheKey: `google-oauth:${await fingerprint(input.secret)}`,
      url: TOKEN_URL,
      headers: [['content-type', 'application/x-www-form-urlencoded']],
      body: form.toString(),
      read: (body) => readToken(body, input.nowMs),
    },
  };
}

function readToken(
  body: Uint8Array,
  nowMs: number,
): { readonly headers: [[string, string]]; readonly expiresAtMs: number } | null {
  const answer = parseJson(new TextDecoder().decode(body));
  const token = isRecord(answer) ? textOf(answer['access_token']) : undefined;
  if (!isRecord(answer) || token === undefined) return null;
  const lifetimeMs = (numberOf(answer['expires_in']) ?? LIFETIME_SECONDS) * 1_000;
  return {
    headers: [['authorization', `Bearer ${token}`]],
    expiresAtMs: nowMs + lifetimeMs,
  };
}

function memberOf(account: JsonRecord, name: string): string {
  const value = textOf(account[name]);
  if (value === undefined) throw new Error(`The Vertex credential has no "${name}".`);
  return value;
}

function refreshForm(account: JsonRecord): URLSearchParams {
  return new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: memberOf(account, 'client_id'),
    client_secret: memberOf(account, 'client_secret'),
    refresh_token: memberOf(account, 'refresh_token'),
  });
}

async function signedForm(
  account: JsonRecord,
  { nowMs }: CredentialInput,
): Promise<URLSearchParams> {
  const issuer = memberOf(account, 'client_email');
  const key = await readKey(memberOf(account, 'private_key'));
  const keyId = textOf(account['private_key_id']);
  const issuedAt = Math.floor(nowMs / 1_000);
  const assertion = await new SignJWT({ scope: SCOPE })
    .setProtectedHeader({
      alg: 'RS256',
      typ: 'JWT',
      ...(keyId === undefined ? {} : { kid: keyId }),
    })
    .setIssuer(issuer)
    .setAudience(TOKEN_URL)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + LIFETIME_SECONDS)
    .sign(key);
  return new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion,
  });
}

/** Environment variables often carry the line breaks of the key as `\n` in two characters. */
async function readKey(pem: string): Promise<CryptoKey> {
  try {
    return await importPKCS8(pem.replaceAll('\\n', '\n'), 'RS256');
  } catch {
    // What the library says may quote the key.
    throw new Error('The private key of the Vertex credential cannot be read; it must be PKCS #8.');
  }
}

/** The same for the same secret, and tells nothing of it. */
async function fingerprint(secret: string): Promise<string> {
  const bytes = new TextEncoder().encode(secret);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
