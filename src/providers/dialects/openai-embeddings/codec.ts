/**
 * OpenAI's embeddings from and to the common form: for requests that are cut because a host takes
 * fewer inputs at once, and for answers in another encoding than the caller's.
 */
import { fromVectorBase64 } from '#base/vector-base64.ts';
import type { EmbeddingInput, EmbeddingsCodec, EmbeddingsForm } from '#providers/embeddings.ts';
import type { ImagePart, TextPart } from '#providers/form.ts';
import { isRecord, listOf, recordOf } from '#providers/json.ts';
import { CannotSay, type Encoded, type Target } from '#providers/provider.ts';
import type { Usage } from '#wire/usage.ts';
import { readComplaint } from '../openai-chat/pass-through.ts';
import { numberReader } from '../openai-chat/usage.ts';
import { adaptMembers, cannotTakeTokens, tellPurpose } from './adapt.ts';
import type { EmbeddingsHabits } from './habits.ts';

export function embeddingsCodec(habits: EmbeddingsHabits): EmbeddingsCodec {
  return {
    encode: (form, target) => encode(form, target, habits),
    decode: (body) => {
      const { data, model } = recordOf(body);
      const vectors = listOf(data)
        .map((element, position) => ({ element: recordOf(element), position }))
        .toSorted((a, b) => indexOf(a) - indexOf(b))
        .map(({ element }) => readVector(element['embedding']));
      const name = typeof model === 'string' ? model : null;
      return { vectors, model: name, usage: readEmbeddingsUsage(body) };
    },
    readComplaint: (body) =>
      // What has data is an answer, whatever else it says.
      isRecord(body) && Array.isArray(body['data']) ? null : readComplaint(body),
  };
}

function encode(form: EmbeddingsForm, target: Target, habits: EmbeddingsHabits): Encoded {
  const purpose = tellPurpose(form.purpose, habits);
  const body: Record<string, unknown> = {
    model: target.model,
    input: form.inputs.map((input) => encodeInput(input, habits)),
    ...(form.dimensions === null ? {} : { dimensions: form.dimensions }),
    ...form.extras,
    ...purpose.members,
  };
  const { removed, renamed, warnings } = adaptMembers(Object.keys(body), habits);
  for (const key of removed) delete body[key];
  for (const [from, to] of renamed) {
    body[to] = body[from];
    delete body[from];
  }
  const said = Object.keys(form.extras);
  return { body, warnings: [...purpose.warnings, ...warnings], said };
}

function encodeInput(input: EmbeddingInput, habits: EmbeddingsHabits): unknown {
  if (input.kind === 'text') return input.text;
  if (input.kind === 'parts') return { content: input.parts.map(encodePart) };
  if (habits.tokens) return input.tokens;
  throw cannotTakeTokens(input.path);
}

function encodePart(part: TextPart | ImagePart): unknown {
  if (part.type === 'text') return { type: 'text', text: part.text };
  const { source } = part;
  if (source.kind === 'file_id') {
    throw new CannotSay(part.path ?? 'input', 'An uploaded file cannot be embedded here.');
  }
  const url = source.kind === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
  return { type: 'image_url', image_url: { url } };
}

function indexOf(place: { readonly element: object; readonly position: number }): number {
  const { index } = recordOf(place.element);
  return typeof index === 'number' ? index : place.position;
}

/** Throws where it is none: the gateway calls the answer malformed. */
function readVector(value: unknown): readonly number[] {
  const vector = typeof value === 'string' ? fromVectorBase64(value) : value;
  if (!Array.isArray(vector) || vector.length === 0) throw new TypeError('not a vector');
  return vector.map((number: unknown) => {
    if (typeof number !== 'number') throw new TypeError('not a number');
    return number;
  });
}

/** The input's tokens; some hosts say the total only, which is the same. Null: nothing was said. */
export function readEmbeddingsUsage(body: unknown): Usage | null {
  const native = recordOf(body)['usage'];
  if (!isRecord(native)) return null;
  const numbers = numberReader();
  const { prompt_tokens: prompt, input_tokens: input, total_tokens: total } = native;
  const tokens = numbers.first(prompt, input, total);
  const flags = [...numbers.flags];
  if (tokens === null) return { buckets: {}, source: 'none', flags, native };
  return { buckets: { input: tokens }, source: 'upstream', flags, native };
}
