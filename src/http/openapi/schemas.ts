/**
 * Zod's schemas as the document writes them. A schema with an `id` becomes a component and is
 * referred to by it wherever it stands.
 */
import { z } from '#wire/z.ts';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

const PREFIX = '#/components/schemas/';

/** What Zod adds and nobody needs: bounds of what a double keeps, and patterns beside a format. */
function tidy({ jsonSchema }: { readonly jsonSchema: JsonSchema }): void {
  const schema = jsonSchema;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.format !== undefined) delete schema.pattern;
}

/**
 * As a caller may send it. Answers have no defaults and no transformations, so that this is what
 * they look like too.
 */
const OPTIONS = { io: 'input', override: tidy } as const;

/** A schema in which none has an `id`. */
export function toSchema(schema: z.ZodType): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, OPTIONS);
  return $schema === undefined ? {} : rest;
}

/** Every schema that has an `id`, by it. */
export function namedSchemas(): Readonly<Record<string, JsonSchema>> {
  const { schemas } = z.toJSONSchema(z.globalRegistry, { ...OPTIONS, uri: (id) => PREFIX + id });
  const entries = Object.entries(schemas).map(([id, { $schema, $id, ...rest }]) => {
    if ($schema === undefined || $id === undefined) throw new TypeError(`${id} has no head`);
    return [id, rest] as const;
  });
  return Object.fromEntries(entries);
}

/** The reference to a schema. Throws for one that has no `id`. */
export function refOf(schema: z.ZodType): { readonly $ref: string } {
  const id = schema.meta()?.id;
  if (id === undefined) throw new TypeError('the schema of a body needs an id');
  return { $ref: PREFIX + id };
}
