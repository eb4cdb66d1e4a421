/**
 * Digests: both variants give the published values, so that a key made on Node is known on Workers.
 */
import { describe, expect, it } from 'vitest';

import { nodeDigests } from './digest.node.ts';
import { webDigests } from './digest.ts';

const VARIANTS = [
  { name: 'node', digests: nodeDigests },
  { name: 'web', digests: webDigests },
];

describe.each(VARIANTS)('digests on $name', ({ digests }) => {
  it('gives the SHA-256 of FIPS 180', async () => {
    expect(await digests.sha256('abc')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('gives the HMAC of RFC 4231, case 2', async () => {
    expect(await digests.hmacSha256('Jefe', 'what do ya want for nothing?')).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });

  it('takes text as UTF-8', async () => {
    expect(await digests.sha256('é😀')).toBe(nodeDigests.sha256('é😀'));
    expect(await digests.hmacSha256('ü', 'é😀')).toBe(nodeDigests.hmacSha256('ü', 'é😀'));
  });
});

describe('digests on node', () => {
  it('answer at once: a cached key must not wait for a tick', () => {
    expect(typeof nodeDigests.sha256('abc')).toBe('string');
  });
});
