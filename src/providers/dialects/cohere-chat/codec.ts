/** Cohere's v2 chat as a dialect: both directions, for Cohere and for hosts that speak like it. */
import type { ChatSupport } from '#providers/provider.ts';
import { decode } from './decode.ts';
import { encode } from './encode.ts';
import { readComplaint } from './finish.ts';
import { streamDecoder } from './stream.ts';

export const cohereChat: ChatSupport = {
  dialect: 'cohere-chat',
  codec: { encode, decode, readComplaint, stream: streamDecoder },
};
