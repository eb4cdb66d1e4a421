/**
 * Google's older schemas (a subset of OpenAPI 3.0: upper-case types, `nullable`, numbers as text)
 * as JSON Schema, which the common form speaks.
 */
import { isRecord, listOf } from '#providers/json.ts';
import { camelOf } from './camel.ts';

const DEPTH_MAX = 64;
const COUNTS = new Set(['minItems', 'maxItems', 'minLength', 'maxLength']);

/** The schema itself where it is none that we know. Members of other meaning stay as they are. */
export function fromOpenApi(schema: unknown, depth = 0): unknown {
  if (!isRecord(schema) || depth > DEPTH_MAX) return schema;
  const { type, nullable, ...rest } = camelOf(schema);
  const json: Record<string, unknown> = {};
  const name = typeof type === 'string' ? type.toLowerCase() : type;
  if (name !== undefined && name !== 'type_unspecified') {
    json['type'] = nullable === true && typeof name === 'string' ? [name, 'null'] : name;
  }
  for (const [key, value] of Object.entries(rest)) json[key] = readMember(key, value, depth + 1);
  return json;
}

function readMember(key: string, value: unknown, depth: number): unknown {
  if (key === 'items' || key === 'additionalProperties') return fromOpenApi(value, depth);
  if (key === 'anyOf' || key === 'prefixItems') {
    return listOf(value).map((schema) => fromOpenApi(schema, depth));
  }
  if (key === 'properties' && isRecord(value)) {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([name, schema]) => [name, fromOpenApi(schema, depth)]));
  }
  const isCount = COUNTS.has(key) && typeof value === 'string' && /^\d+$/.test(value);
  return isCount ? Number(value) : value;
}
