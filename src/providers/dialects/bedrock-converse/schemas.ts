/** JSON schemas as Converse's models take them. */
import { isRecord } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';

/** The schema of a tool's input: an object's, and said to be one. Throws CannotSay otherwise. */
export function inputSchema(schema: unknown, param: string): JsonRecord {
  if (schema === undefined || schema === null) return { type: 'object', properties: {} };
  if (!isRecord(schema)) throw new CannotSay(param, 'The schema is not a JSON object.');
  const { type } = schema;
  if (type === undefined) return { type: 'object', ...schema };
  if (type === 'object') return schema;
  throw new CannotSay(param, 'The schema of a tool must have the type "object".');
}

/**
 * Whether every object in it forbids members that it does not name: Claude takes no others for
 * answers that it is held to.
 */
export function isClosed(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isClosed);
  if (!isRecord(schema)) return true;
  const isObject = schema['type'] === 'object' || isRecord(schema['properties']);
  if (isObject && schema['additionalProperties'] !== false) return false;
  return Object.values(schema).every(isClosed);
}
