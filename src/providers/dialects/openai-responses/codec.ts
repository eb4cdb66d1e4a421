/**
 * OpenAI's Responses as an upstream of chat: for what OpenAI serves nowhere else. Not a door; one
 * of this dialect would pass bodies through.
 */
import type { ChatSupport } from '#providers/provider.ts';
import { decode } from './decode.ts';
import { encode } from './encode.ts';
import { readComplaint } from './finish.ts';
import { streamDecoder } from './stream.ts';

export const openAiResponses: ChatSupport = {
  dialect: 'openai-responses',
  operation: 'responses',
  codec: { encode, decode, readComplaint, stream: streamDecoder },
};
