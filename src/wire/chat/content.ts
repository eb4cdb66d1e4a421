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
  z.looseObject({ type: z.literal('text'), text: z.string() }).meta({ id: 'TextPart' }),
  z
    .looseObject({ type: z.literal('image_url'), image_url: imageAddressSchema })
    .meta({ id: 'ImagePart', description: 'An image: an https address or a data URL.' }),
  z
    .looseObject({
      type: z.literal('input_audio'),
      input_audio: z.looseObject({
        data: z.string().describe('Base64.'),
        format: z.string().nullish(),
      }),
    })
    .meta({ id: 'AudioPart' }),
  z
    .looseObject({
      type: z.literal('file'),
      file: z.looseObject({
        file_data: z.string().nullish().describe('A data URL.'),
        file_id: z.string().nullish(),
        filename: z.string().nullish(),
      }),
    })
    .meta({ id: 'FilePart' }),
  z.looseObject({ type: z.literal('refusal'), refusal: z.string() }).meta({ id: 'RefusalPart' }),
] as const;

/** Types of parts that are checked field by field; every other type is a host's own. */
const KNOWN_PART_TYPES: ReadonlySet<string> = new Set(
  knownPartSchemas.map((schema) => schema.shape.type.value),
);

const hostPartSchema = z
  .looseObject({
    type: z
      .string()
      .refine((type) => !KNOWN_PART_TYPES.has(type), { abort: true })
      .meta({ not: { enum: [...KNOWN_PART_TYPES] } }),
  })
  .meta({
    id: 'HostPart',
    description: 'A part that only some provider knows; passed on as it is.',
  });

export const contentPartSchema = z
  .union([z.discriminatedUnion('type', knownPartSchemas), hostPartSchema])
  .meta({ id: 'ContentPart' });

/** A message's content. Null stands where a host lets it stand: upstreams judge. */
export const contentSchema = z
  .union([z.string(), z.array(contentPartSchema), z.null()])
  .meta({ id: 'MessageContent', description: 'Text, or parts.' });
