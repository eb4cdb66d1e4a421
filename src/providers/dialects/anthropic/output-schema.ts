/**
 * Brings a JSON schema into the form that structured outputs take: objects closed, few keywords.
 * What cannot be enforced is told to the model in the description, as the official client does.
 */
import { isRecord, listOf, type JsonRecord } from '#providers/json.ts';
import { isRecursive, isRefusedReference } from './schema-references.ts';

type Schema = Record<string, unknown>;

/** Thrown inside and caught below: the schema says what cannot be said so. */
class OpenSchema extends Error {
  override readonly name = 'OpenSchema';
}

const STRING_FORMATS: ReadonlySet<unknown> = new Set([
  'date-time',
  'time',
  'date',
  'duration',
  'email',
  'hostname',
  'uri',
  'ipv4',
  'ipv6',
  'uuid',
]);

const KEPT = ['$ref', 'enum', 'const', 'type', 'title', 'description', 'required'] as const;
const LISTS = ['anyOf', 'allOf'] as const;
const MAPS = ['$defs', 'definitions', 'properties'] as const;

/** Members that constrain nothing. */
const SILENT: ReadonlySet<string> = new Set(['$schema', '$id', 'additionalProperties']);

/** What shows that a schema says anything about the value. */
const SHAPES = ['$ref', 'enum', 'const', 'type', 'anyOf', 'allOf'] as const;

/**
 * The closed form, or null where the schema leaves something open (maps, free objects, no type):
 * that would come out empty. Null as well for what is refused and cannot be said otherwise: a
 * schema that holds itself, references to elsewhere, and references in `allOf`.
 */
export function closeSchema(schema: unknown): JsonRecord | null {
  if (isRecursive(schema)) return null;
  try {
    const closed = close(schema);
    return closed['type'] === 'object' || '$ref' in closed || 'anyOf' in closed ? closed : null;
  } catch (error) {
    if (error instanceof OpenSchema) return null;
    throw error;
  }
}

function close(schema: unknown): Schema {
  if (!isRecord(schema)) throw new OpenSchema();
  const closed: Schema = {};
  const told: string[] = [];
  for (const [key, value] of Object.entries(schema)) {
    if (!closeMember(key, value, { schema, closed }) && !SILENT.has(key)) {
      told.push(`${key}: ${JSON.stringify(value)}`);
    }
  }
  if (closed['type'] === 'object') closeObject(schema, closed);
  if (!SHAPES.some((key) => key in closed)) throw new OpenSchema();
  if (told.length > 0) describe(closed, told);
  return closed;
}

interface Closing {
  readonly schema: JsonRecord;
  readonly closed: Schema;
}

/** Whether the member can be said; then it is. */
function closeMember(key: string, value: unknown, { schema, closed }: Closing): boolean {
  if (isRefusedReference(key, value)) throw new OpenSchema();
  if (isOneOf(KEPT, key) || isEnforced(key, value)) {
    closed[key] = value;
    return true;
  }
  if (isOneOf(MAPS, key) && isRecord(value)) {
    const members = Object.entries(value).map(([name, member]) => [name, close(member)]);
    closed[key] = Object.fromEntries(members);
    return true;
  }
  if (key === 'items' && isRecord(value)) {
    closed['items'] = close(value);
    return true;
  }
  const either = key === 'oneOf' && schema['anyOf'] === undefined;
  if (!either && !isOneOf(LISTS, key)) return false;
  closed[either ? 'anyOf' : key] = listOf(value).map(close);
  return true;
}

function isEnforced(key: string, value: unknown): boolean {
  if (key === 'minItems') return value === 0 || value === 1;
  return key === 'format' && STRING_FORMATS.has(value);
}

function isOneOf(names: readonly string[], name: string): boolean {
  return names.includes(name);
}

function closeObject(schema: JsonRecord, closed: Schema): void {
  const { additionalProperties: more, patternProperties: patterns } = schema;
  const free = !isRecord(schema['properties']) && more !== false;
  if (free || more === true || isRecord(more) || patterns !== undefined) throw new OpenSchema();
  closed['properties'] ??= {};
  closed['additionalProperties'] = false;
}

function describe(closed: Schema, told: readonly string[]): void {
  const before = typeof closed['description'] === 'string' ? `${closed['description']}\n\n` : '';
  closed['description'] = `${before}{${told.join(', ')}}`;
}
