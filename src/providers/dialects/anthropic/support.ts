/**
 * The Messages dialect as a provider takes it: one codec, adapted to a host by data. Anthropic
 * serves it at its own address, Vertex and Azure host it at theirs.
 */
import type { ChatSupport } from '#providers/provider.ts';
import { readComplaint } from './complaint.ts';
import { decode } from './decode.ts';
import { encode } from './encode.ts';
import { DEFAULT_HABITS, type MessagesHabits } from './habits.ts';
import { streamDecoder } from './stream.ts';

/** What a host does differently from Anthropic's own API; nothing where it does not. */
export function anthropicSupport(habits: Partial<MessagesHabits> = {}): ChatSupport {
  const complete: MessagesHabits = { ...DEFAULT_HABITS, ...habits };
  return {
    dialect: 'anthropic-messages',
    codec: {
      encode: (form, target) => encode(form, target, complete),
      decode,
      readComplaint,
      stream: streamDecoder,
    },
  };
}
