/** Digests on Node: synchronous, so that a cached key is recognised without leaving the tick. */
import { createHmac, hash } from 'node:crypto';

import type { Digests } from './digest.ts';

export const nodeDigests = {
  sha256: (text: string): string => hash('sha256', text, 'hex'),
  hmacSha256: (key: string, text: string): string =>
    createHmac('sha256', key).update(text).digest('hex'),
} satisfies Digests;
