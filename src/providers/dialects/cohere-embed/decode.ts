/** Reads Cohere's vectors: by kind of number, or in a plain list where no kind was asked for. */
import type { Usage, UsageBucket } from '#wire/usage.ts';
import { isRecord, recordOf } from '#providers/json.ts';
import { vectorsOf } from '../embedding-inputs.ts';
import { USAGE_TOKENS_MAX, numberReader } from '../openai-chat/usage.ts';

/** Throws where there are none. */
export function readVectors(body: unknown): readonly (readonly number[])[] {
  const embeddings = recordOf(body)['embeddings'];
  return vectorsOf(isRecord(embeddings) ? embeddings['float'] : embeddings);
}

/** Images are billed by their tokens (v4) or each (v3). */
const UNITS: readonly (readonly [unit: string, bucket: UsageBucket])[] = [
  ['input_tokens', 'input'],
  ['image_tokens', 'image_input'],
  ['images', 'image'],
];

/** `meta.billed_units`; null where the answer has none. */
export function readUsage(body: unknown): Usage | null {
  const native = recordOf(recordOf(body)['meta'])['billed_units'];
  if (!isRecord(native)) return null;
  const numbers = numberReader();
  const counts = UNITS.flatMap(([unit, bucket]) => {
    const count = numbers.read(native[unit]);
    // Of what was not there, nothing is said.
    const isSaid = count !== null && (count > 0 || bucket === 'input');
    return isSaid ? [[bucket, count] as const] : [];
  });
  if (counts.length === 0) return null;
  const buckets = Object.fromEntries(counts);
  const isTrue = counts.every(([, count]) => count < USAGE_TOKENS_MAX);
  return { buckets, source: isTrue ? 'upstream' : 'none', flags: [...numbers.flags], native };
}
