/**
 * What a chat message holds: text, or parts. Known parts are checked down to the field, so that a
 * wrong type is refused with its path; parts that only some host knows are passed on as they are.
 */
import { z } from '../z.ts';

/** `{url, detail}` as OpenAI writes it; a bare address as Mistral also takes it. */
const imageAddressSchema = z.union([
  z.string(),
  z.looseObject({ url: z.string(), detail: z.string().nullish() }),
]);

const knownPartSchemas = [
  z.looseObject({ type: z.literal('text'), text: z.string() }),
  z.looseObject({ type: z.literal('image_url'), image_url: imageAddressSchema }),
  z.looseObject({
    type: z.literal('input_audio'),
    input_audio: z.looseObject({ data: z.string(), format: z.string().nullish() }),
  }),
  z.looseObject({
    type: z.literal('file'),
    file: z.looseObject({
      file_data: z.string().nullish(),
      file_id: z.string().nullish(),
      filename: z.string().nullish(),
    }),
  }),
  z.looseObject({ type: z.literal('refusal'), refusal: z.string() }),
] as const;

/** Types of parts that are checked field by field; every other type is a host's own. */
const KNOWN_PART_TYPES: ReadonlySet<string> = new Set(
  knownPartSchemas.map((schema) => schema.shape.type.value),
);

const hostPartSchema = z.looseObject({
  type: z.string().refine((type) => !KNOWN_PART_TYPES.has(type), { abort: true }),
});

export const contentPartSchema = z.union([
  z.discriminatedUnion('type', knownPartSchemas),
  hostPartSchema,
]);

/** A message's content. Null stands where a host lets it stand: upstreams judge. */
export const contentSchema = z.union([z.string(), z.array(contentPartSchema), z.null()]);
