/**
 * A recorded stream, sent once for each byte boundary: its bytes come in two writes that meet
 * there, and the answer must be the same each time.
 */
import type { Pairs, Reply } from './fake-upstream.ts';
import type { JsonObject } from './recordings-json.ts';
import { askPlainly, type Rig } from './recordings-replay.ts';

const CUTS_AT_ONCE = 8;
const CUT_PAUSE_MS = 5;
const SHOWN = 10;

export interface CutStream {
  /** Of the fake's paths. */
  readonly prefix: string;
  readonly headers: Pairs;
  readonly bytes: Buffer;
  /** What the caller asks. */
  readonly request: JsonObject;
  /** What is wrong with the text of an answer. */
  judge(text: string): string[];
}

export async function replayCuts(
  rig: Rig,
  stream: CutStream,
): Promise<{ readonly cuts: number; readonly unequal: readonly string[] }> {
  const { bytes, headers } = stream;
  const state = { asked: 0, served: 0 };
  rig.fake.on(stream.prefix, (): Reply => {
    state.served += 1;
    return [
      { do: 'head', status: 200, headers },
      { do: 'write', bytes: bytes.subarray(0, state.served) },
      { do: 'wait', ms: CUT_PAUSE_MS },
      { do: 'write', bytes: bytes.subarray(state.served) },
      { do: 'end' },
    ];
  });
  const unequal: string[] = [];
  const worker = async () => {
    while (state.asked < bytes.length - 1) {
      state.asked += 1;
      const cut = state.asked;
      const text = await askPlainly(rig, stream.request);
      const differences = stream.judge(text);
      if (!text.endsWith('data: [DONE]\n\n')) differences.push('no [DONE] at the end');
      if (differences.length > 0) unequal.push(`request ${cut}: ${differences.join('; ')}`);
    }
  };
  await Promise.all(Array.from({ length: CUTS_AT_ONCE }, worker));
  return { cuts: state.served, unequal: unequal.slice(0, SHOWN) };
}
