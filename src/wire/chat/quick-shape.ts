/**
 * Small checks over the raw index of a JSON body, and the means to combine them. A check says
 * true only when it is sure; false means "let Zod decide". Where an object repeats a key the last
 * one counts, as for JSON.parse; keys with escapes are left to Zod.
 */
import {
  JSON_ARRAY,
  JSON_FALSE,
  JSON_NULL,
  JSON_OBJECT,
  JSON_STRING,
  JSON_TRUE,
  type JsonIndex,
} from '#base/json-index.ts';

export type Check = (index: JsonIndex, node: number) => boolean;

const BACKSLASH = 0x5c;
/** `{}` or `[]`. */
const EMPTY_LENGTH = 2;

export const isString: Check = (index, node) => index.kind(node) === JSON_STRING;
export const isObject: Check = (index, node) => index.kind(node) === JSON_OBJECT;
export const isNull: Check = (index, node) => index.kind(node) === JSON_NULL;

export const isBoolean: Check = (index, node) => {
  const kind = index.kind(node);
  return kind === JSON_TRUE || kind === JSON_FALSE;
};

/** Any finite number: JSON can write larger ones than JavaScript holds. */
export const isNumber: Check = (index, node) => Number.isFinite(index.number(node));

export function numberWithin(min: number, max: number): Check {
  return (index, node) => {
    const value = index.number(node);
    return value !== undefined && value >= min && value <= max;
  };
}

export function wholeWithin(min: number, max: number): Check {
  return (index, node) => {
    const value = index.number(node);
    return value !== undefined && Number.isInteger(value) && value >= min && value <= max;
  };
}

export function either(...checks: readonly Check[]): Check {
  return (index, node) => {
    for (const check of checks) if (check(index, node)) return true;
    return false;
  };
}

export function orNull(check: Check): Check {
  return either(isNull, check);
}

/** The string's bytes are exactly `text`, written without escapes. `text` is ASCII. */
function stringIs(index: JsonIndex, node: number, text: string): boolean {
  const start = index.start(node) + 1;
  if (!isString(index, node) || index.end(node) - 1 - start !== text.length) return false;
  for (let at = 0; at < text.length; at += 1) {
    if (index.bytes[start + at] !== text.charCodeAt(at)) return false;
  }
  return true;
}

/** A container whose content stands in the index: not cut off at its lowest level. */
function isIndexed(index: JsonIndex, node: number): boolean {
  return index.firstChild(node) >= 0 || index.end(node) - index.start(node) === EMPTY_LENGTH;
}

export function arrayOf(check: Check, min = 0, max = Number.MAX_SAFE_INTEGER): Check {
  return (index, node) => {
    if (index.kind(node) !== JSON_ARRAY || !isIndexed(index, node)) return false;
    let items = 0;
    for (let item = index.firstChild(node); item >= 0; item = index.nextChild(node, item)) {
      items += 1;
      if (items > max || !check(index, item)) return false;
    }
    return items >= min;
  };
}

type KeyTable = ReadonlyMap<number, readonly (readonly [key: string, check: Check])[]>;

/** Keys by their length: most members then need one comparison, or none. */
function toKeyTable(fields: Readonly<Record<string, Check>>): KeyTable {
  const table = new Map<number, (readonly [string, Check])[]>();
  for (const [key, check] of Object.entries(fields)) {
    const row = table.get(key.length) ?? [];
    row.push([key, check]);
    table.set(key.length, row);
  }
  return table;
}

function isPlainKey(index: JsonIndex, node: number): boolean {
  const end = index.keyEnd(node);
  for (let at = index.keyStart(node); at < end; at += 1) {
    if (index.bytes[at] === BACKSLASH) return false;
  }
  return true;
}

function memberFits(index: JsonIndex, node: number, table: KeyTable): boolean {
  const row = table.get(index.keyEnd(node) - index.keyStart(node));
  if (row === undefined) return true;
  for (const known of row) if (index.keyIs(node, known[0])) return known[1](index, node);
  return true;
}

/**
 * An object with at least the `required` members; known members fit their checks, others are
 * free.
 */
export function objectOf(
  fields: Readonly<Record<string, Check>>,
  required: readonly string[] = [],
): Check {
  const table = toKeyTable(fields);
  return (index, node) => {
    if (!isObject(index, node) || !isIndexed(index, node)) return false;
    for (let at = index.firstChild(node); at >= 0; at = index.nextChild(node, at)) {
      if (!isPlainKey(index, at) || !memberFits(index, at, table)) return false;
    }
    for (const key of required) if (index.member(node, key) < 0) return false;
    return true;
  };
}

/** An object told apart by the string in `tag`. `otherwise` takes tags that are in no variant. */
export function taggedBy(
  tag: string,
  variants: Readonly<Record<string, Check>>,
  otherwise: Check = () => false,
): Check {
  const known = Object.entries(variants);
  return (index, node) => {
    if (!isObject(index, node)) return false;
    const value = index.member(node, tag);
    if (value < 0 || !isString(index, value)) return false;
    for (const variant of known) {
      if (stringIs(index, value, variant[0])) return variant[1](index, node);
    }
    return !hasEscape(index, value) && otherwise(index, node);
  };
}

function hasEscape(index: JsonIndex, node: number): boolean {
  return index.bytes.subarray(index.start(node), index.end(node)).includes(BACKSLASH);
}

/**
 * A string of 1 to `bytesMax` bytes that has no escape and ends in none of the `suffixes`
 * (ASCII).
 */
export function plainName(bytesMax: number, suffixes: readonly string[]): Check {
  return (index, node) => {
    const length = index.end(node) - index.start(node) - 2;
    if (!isString(index, node) || length < 1 || length > bytesMax) return false;
    return !hasEscape(index, node) && !suffixes.some((suffix) => endsIn(index, node, suffix));
  };
}

function endsIn(index: JsonIndex, node: number, suffix: string): boolean {
  const from = index.end(node) - 1 - suffix.length;
  if (from <= index.start(node)) return false;
  for (let at = 0; at < suffix.length; at += 1) {
    if (index.bytes[from + at] !== suffix.charCodeAt(at)) return false;
  }
  return true;
}
