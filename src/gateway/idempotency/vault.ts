/**
 * What idempotency records show to somebody who reads the database: nothing. Names and fingerprints
 * are keyed hashes, answers are encrypted, and the keys for both come from the installation's
 * secret, which the database does not have. WebCrypto alone, so that it is the same on every
 * runtime.
 */
import { concatBytes, toBytes } from '#base/bytes.ts';
import type { RecordClaim } from '#store/idempotency-store.ts';

/** What must be equal for a request to be the same one. */
export interface Fingerprinted {
  readonly method: string;
  readonly path: string;
  readonly body: Uint8Array;
}

export interface Vault {
  /** The record's id, hexadecimal: of one API key's one key, and of no other. */
  recordId(keyId: string, clientKey: string): Promise<string>;
  /** Hexadecimal. */
  fingerprint(request: Fingerprinted): Promise<string>;
  seal(claim: RecordClaim, plain: Uint8Array): Promise<Uint8Array>;
  /** Null where it is not what was sealed for this claim under this secret. */
  open(claim: RecordClaim, sealed: Uint8Array): Promise<Uint8Array | null>;
}

type Bytes = Uint8Array<ArrayBuffer>;

const HASH = 'SHA-256';
const NAMES_INFO = 'omnix idempotency names';
const ANSWERS_INFO = 'omnix idempotency answers';
/** As AES-GCM wants it. */
const NONCE_BYTES = 12;
const HEX_PAIR = /../g;

/** The same bytes in the form that WebCrypto takes; copied only out of shared memory. */
function signable(bytes: Uint8Array): Bytes {
  const { buffer, byteOffset, byteLength } = bytes;
  if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer, byteOffset, byteLength);
  return new Uint8Array(bytes);
}

function toHex(buffer: ArrayBuffer): string {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function fromHex(text: string): Bytes {
  return Uint8Array.from(text.match(HEX_PAIR) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Who moves an answer to another record, or back to an earlier claim, has nothing of it. */
function labelOf({ id, requestId }: RecordClaim): Bytes {
  return signable(toBytes(`${id} ${requestId}`));
}

export function createVault(secret: string): Vault {
  /** Values, and no promises: on Workers those belong to the request that made them. */
  const keys: { root?: CryptoKey; names?: CryptoKey } = {};

  async function derive(
    salt: Bytes,
    info: string,
    usage: { readonly form: AesKeyGenParams | HmacKeyGenParams; readonly uses: KeyUsage[] },
  ): Promise<CryptoKey> {
    const material = signable(toBytes(secret));
    keys.root ??= await crypto.subtle.importKey('raw', material, 'HKDF', false, ['deriveKey']);
    const from = { name: 'HKDF', hash: HASH, salt, info: signable(toBytes(info)) };
    return crypto.subtle.deriveKey(from, keys.root, usage.form, false, usage.uses);
  }

  async function keyedHash(text: string): Promise<string> {
    keys.names ??= await derive(new Uint8Array(0), NAMES_INFO, {
      form: { name: 'HMAC', hash: HASH, length: 256 },
      uses: ['sign'],
    });
    return toHex(await crypto.subtle.sign('HMAC', keys.names, signable(toBytes(text))));
  }

  /** Each record's own: random nonces of one key for all would one day repeat. */
  async function answerKey({ id }: RecordClaim): Promise<CryptoKey> {
    return derive(fromHex(id), ANSWERS_INFO, {
      form: { name: 'AES-GCM', length: 256 },
      uses: ['encrypt', 'decrypt'],
    });
  }

  return {
    recordId: (keyId, clientKey) => keyedHash(`record ${keyId} ${clientKey}`),
    async fingerprint({ method, path, body }) {
      const digest = toHex(await crypto.subtle.digest(HASH, signable(body)));
      // Keyed: a plain digest in the database would confirm a guessed prompt.
      return keyedHash(`request ${method} ${path} ${digest}`);
    },
    async seal(claim, plain) {
      const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
      const by = { name: 'AES-GCM', iv, additionalData: labelOf(claim) };
      const key = await answerKey(claim);
      const sealed = await crypto.subtle.encrypt(by, key, signable(plain));
      return concatBytes([iv, new Uint8Array(sealed)]);
    },
    async open(claim, sealed) {
      const bytes = signable(sealed);
      const iv = bytes.subarray(0, NONCE_BYTES);
      const by = { name: 'AES-GCM', iv, additionalData: labelOf(claim) };
      const key = await answerKey(claim);
      try {
        return new Uint8Array(await crypto.subtle.decrypt(by, key, bytes.subarray(NONCE_BYTES)));
      } catch {
        return null;
      }
    },
  };
}
