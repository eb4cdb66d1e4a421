/**
 * References in JSON schemas, as far as they keep an answer from being held to one: a grammar is
 * made of such a schema, and those of Claude and of Bedrock know no recursion.
 */

/**
 * Whether members and references lead back to a place that they started from. Keeps its way in a
 * list of its own: a long chain of references would exhaust the stack.
 */
export function isRecursive(schema: unknown): boolean {
  const done = new Map<object, boolean>();
  const way = [schema];
  while (way.length > 0) {
    const node = way.at(-1);
    if (typeof node !== 'object' || node === null) {
      way.pop();
    } else if (done.has(node)) {
      done.set(node, true);
      way.pop();
    } else {
      done.set(node, false);
      const next = nextOf(node, schema);
      if (next.some((one) => done.get(one) === false)) return true;
      // One by one: very many arguments of a call exhaust the stack.
      for (const one of next) way.push(one);
    }
  }
  return false;
}

/** Whether Claude refuses a schema for this member: a reference to elsewhere, or one in `allOf`. */
export function isRefusedReference(key: string, value: unknown): boolean {
  if (key === '$ref') return typeof value === 'string' && !value.startsWith('#');
  return key === 'allOf' && Array.isArray(value) && JSON.stringify(value).includes('"$ref":');
}

/** The objects in a node, and what it refers to. */
function nextOf(node: object, schema: unknown): readonly object[] {
  const members: readonly unknown[] = Object.values(node);
  return [...members, referred(node, schema)].filter(
    (one) => typeof one === 'object' && one !== null,
  );
}

/** What a node refers to within the schema; undefined where there is nothing. */
function referred(node: object, schema: unknown): unknown {
  const ref = memberOf(node, '$ref');
  if (typeof ref !== 'string' || !/^#(?:\/|$)/.test(ref)) return undefined;
  const steps = ref.split('/').slice(1).map(stepOf);
  return steps.reduce<unknown>((found, step) => memberOf(found, step), schema);
}

function memberOf(holder: unknown, name: string): unknown {
  if (typeof holder !== 'object' || holder === null) return undefined;
  return Object.getOwnPropertyDescriptor(holder, name)?.value;
}

function stepOf(text: string): string {
  return decoded(text).replaceAll('~1', '/').replaceAll('~0', '~');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
