/** Translation from and to Converse and ConverseStream. */
import type { ChatSupport } from '#providers/provider.ts';
import { decode } from './decode.ts';
import { encode } from './encode.ts';
import { readComplaint } from './finish.ts';
import { streamDecoder } from './stream.ts';

export const bedrockConverse: ChatSupport = {
  dialect: 'bedrock-converse',
  framing: 'aws-event-stream',
  codec: { encode, decode, readComplaint, stream: streamDecoder },
};
