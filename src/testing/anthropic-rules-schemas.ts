/**
 * Which JSON schemas answers cannot be held to at Claude's and Bedrock's hosts, as their pages on
 * structured outputs have it: the part of the fakes' rules that looks into schemas.
 */
import { at, isObject, listOf, stringOf } from './recordings-json.ts';

/** More steps than any schema of a test has from its root to a leaf. */
const STEPS_MAX = 60;

/** Null where the schema holds itself nowhere. */
export function recursionFault(schema: unknown): string | null {
  return isEndless(schema, schema, 0) ? 'Recursive schemas are not supported' : null;
}

/** Null where Claude takes the schema. */
export function schemaFault(schema: unknown): string | null {
  return recursionFault(schema) ?? allOfFault(schema);
}

/** Puts what references mean in their place, and sees whether that ends. */
function isEndless(node: unknown, root: unknown, steps: number): boolean {
  if (steps > STEPS_MAX) return true;
  const ref = stringOf(at(node, '$ref'));
  const meant = ref === '' ? [] : [at(root, ...ref.split('/').slice(1))];
  return [...innerOf(node), ...meant].some((inner) => isEndless(inner, root, steps + 1));
}

function allOfFault(node: unknown): string | null {
  const isFault = listOf(at(node, 'allOf')).some((one) => at(one, '$ref') !== undefined);
  if (isFault) return 'allOf with $ref is not supported';
  for (const inner of innerOf(node)) {
    const fault = allOfFault(inner);
    if (fault !== null) return fault;
  }
  return null;
}

function innerOf(node: unknown): readonly unknown[] {
  return isObject(node) ? Object.values(node) : listOf(node);
}
