/**
 * Arguments of a call that Vertex streams piece by piece, where the caller asked it to: values
 * under JSON paths (`$.recipe.steps[2]`), strings in several pieces. They are put together here and
 * told whole, since chat completions stream JSON text and not values.
 */
import { isRecord, listOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';

/** A path deeper, or an index higher, than any arguments have: not believed. */
const STEPS_MAX = 64;
const INDEX_MAX = 10_000;

type Container = Record<string, unknown> | unknown[];

/** Puts the values of `partialArgs` into `args`. Paths that cannot be read are left out. */
export function addPartialArgs(args: Record<string, unknown>, partials: unknown): void {
  for (const partial of listOf(partials)) {
    if (!isRecord(partial)) continue;
    const steps = readPath(textOf(partial['jsonPath']) ?? '');
    const value = valueOf(partial);
    if (steps !== null && value !== undefined) put(args, steps, value);
  }
}

function valueOf(partial: JsonRecord): unknown {
  if ('nullValue' in partial) return null;
  return partial['stringValue'] ?? partial['numberValue'] ?? partial['boolValue'];
}

/** `$.a[0]['b c']` as its steps; null where it is no such path. */
function readPath(path: string): readonly (string | number)[] | null {
  const steps: (string | number)[] = [];
  const pattern = /\.([^.[\]]+)|\[(\d+)\]|\[(["'])(.*?)\3\]/gy;
  pattern.lastIndex = path.startsWith('$') ? 1 : 0;
  while (pattern.lastIndex < path.length) {
    const match = pattern.exec(path);
    if (match === null || steps.length === STEPS_MAX) return null;
    const [, member, index, , quoted] = match;
    if (index !== undefined && Number(index) > INDEX_MAX) return null;
    steps.push(index === undefined ? (member ?? quoted ?? '') : Number(index));
  }
  return steps.length === 0 || steps.includes('__proto__') ? null : steps;
}

function put(root: Container, steps: readonly (string | number)[], value: unknown): void {
  let place: Container = root;
  for (const [position, step] of steps.slice(0, -1).entries()) {
    let next = get(place, step);
    if (!isContainer(next)) {
      next = typeof steps[position + 1] === 'number' ? [] : {};
      set(place, step, next);
    }
    if (!isContainer(next)) return;
    place = next;
  }
  const last = steps.at(-1) ?? '';
  const before = get(place, last);
  // Pieces of one string come in order, the last of them empty.
  const joined = typeof before === 'string' && typeof value === 'string' ? before + value : value;
  set(place, last, joined);
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

function get(place: Container, step: string | number): unknown {
  if (Array.isArray(place)) return typeof step === 'number' ? place[step] : undefined;
  return Object.hasOwn(place, step) ? place[String(step)] : undefined;
}

function set(place: Container, step: string | number, value: unknown): void {
  if (!Array.isArray(place)) place[String(step)] = value;
  else if (typeof step === 'number') place[step] = value;
}
