/** Digests as a port: Node answers at once, WebCrypto only later, so every result is awaitable. */
import type { Awaitable } from './result.ts';

export interface Digests {
  /** SHA-256 of the text's UTF-8, 64 hexadecimal characters. */
  sha256(text: string): Awaitable<string>;
  /** HMAC-SHA-256 of the text under the key, both as UTF-8, 64 hexadecimal characters. */
  hmacSha256(key: string, text: string): Awaitable<string>;
}

function toHex(bytes: ArrayBuffer): string {
  let text = '';
  for (const byte of new Uint8Array(bytes)) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** The variant for runtimes that have only WebCrypto. */
export const webDigests: Digests = {
  sha256: async (text) =>
    toHex(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))),
  hmacSha256: async (key, text) => {
    const encoder = new TextEncoder();
    const algorithm = { name: 'HMAC', hash: 'SHA-256' };
    const imported = await crypto.subtle.importKey('raw', encoder.encode(key), algorithm, false, [
      'sign',
    ]);
    return toHex(await crypto.subtle.sign('HMAC', imported, encoder.encode(text)));
  },
};
