/** JSON schemas as Converse's models take them. */
import { isRecord } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import { isRecursive, isRefusedReference } from '../anthropic/schema-references.ts';
import type { ModelFamily } from './families.ts';

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
 * Whether an answer, or the arguments of a tool, can be held to the schema: no model takes one that
 * holds itself, and Claude has demands of its own.
 */
export function canHold(schema: unknown, family: ModelFamily): boolean {
  return !isRecursive(schema) && (!family.closedSchemas || isClosed(schema));
}

/**
 * Whether every object in it forbids members that it does not name, and references stand where
 * Claude takes them.
 */
function isClosed(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isClosed);
  if (!isRecord(schema)) return true;
  const isObject = schema['type'] === 'object' || isRecord(schema['properties']);
  if (isObject && schema['additionalProperties'] !== false) return false;
  return Object.entries(schema).every(
    ([key, value]) => !isRefusedReference(key, value) && isClosed(value),
  );
}
