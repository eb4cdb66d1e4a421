/**
 * Repeated keys of a JSON object's top level: the bytes and the policy would disagree on which of
 * the two counts.
 */
import type { JsonIndex } from './json-index.ts';

function sameKey(index: JsonIndex, a: number, b: number): boolean {
  const startA = index.keyStart(a);
  const startB = index.keyStart(b);
  const length = index.keyEnd(a) - startA;
  if (length !== index.keyEnd(b) - startB) return false;
  for (let offset = 0; offset < length; offset += 1) {
    if (index.bytes[startA + offset] !== index.bytes[startB + offset]) return false;
  }
  return true;
}

/** Above this, comparing in pairs would be quadratic: names go into a set. */
const PAIRWISE_MEMBERS_MAX = 48;

function findRepeatedName(index: JsonIndex): number {
  const seen = new Set<string>();
  for (let node = index.firstChild(0); node >= 0; node = index.nextChild(0, node)) {
    if (seen.size === seen.add(index.key(node)).size) return node;
  }
  return -1;
}

/** A member of the root object whose key stands there before it, or -1. Compared unescaped. */
export function findRepeatedKey(index: JsonIndex): number {
  let members = 0;
  for (let node = index.firstChild(0); node >= 0; node = index.nextChild(0, node)) {
    if (index.escapedKeys || members === PAIRWISE_MEMBERS_MAX) return findRepeatedName(index);
    let before = index.firstChild(0);
    while (before !== node && !sameKey(index, node, before)) before = index.nextChild(0, before);
    if (before !== node) return node;
    members += 1;
  }
  return -1;
}
