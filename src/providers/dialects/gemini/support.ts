/** Gemini's chat as a provider has it: the same dialect on both hosts. */
import type { ChatSupport } from '#providers/provider.ts';
import { readComplaint } from './complaint.ts';
import { decode } from './decode.ts';
import { encode } from './encode.ts';
import type { GeminiHabits } from './encode.ts';
import { streamDecoder } from './stream.ts';

/** For the Gemini API unless said. */
export function geminiSupport(habits: GeminiHabits = { developerApi: true }): ChatSupport {
  return {
    dialect: 'generate-content',
    codec: {
      encode: (form, target) => encode(form, target, habits),
      decode,
      readComplaint,
      stream: streamDecoder,
    },
  };
}
