/** The family's translation from and to the common form, for one host's habits. */
import type { ChatCodec } from '#providers/provider.ts';
import { decode } from './decode.ts';
import { encode } from './encode.ts';
import type { ChatHabits } from './habits.ts';
import { streamDecoder } from './stream.ts';

export function chatCodec(habits: ChatHabits): ChatCodec {
  return {
    encode: (form, target) => encode(form, target, habits),
    decode: (body) => decode(body, habits),
    stream: () => streamDecoder(habits),
  };
}
