/**
 * Changes of top-level members of a JSON object, made in its raw bytes: everything that is not
 * named stays as it was, to the byte. Bodies are never re-encoded (speed.md, 4).
 */
import { toBytes } from './bytes.ts';
import type { JsonIndex } from './json-index.ts';

export type JsonEdit =
  | { readonly op: 'set'; readonly key: string; readonly json: string }
  | { readonly op: 'remove'; readonly key: string }
  | { readonly op: 'rename'; readonly key: string; readonly to: string };

interface Splice {
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array | null;
}

function replacementOf(index: JsonIndex, node: number, edit: JsonEdit): Splice | null {
  if (edit.op === 'set') {
    return { from: index.start(node), to: index.end(node), bytes: toBytes(edit.json) };
  }
  if (edit.op === 'rename') {
    const bytes = toBytes(JSON.stringify(edit.to));
    return { from: index.keyStart(node) - 1, to: index.keyEnd(node) + 1, bytes };
  }
  return null;
}

/**
 * Cuts members out together with the comma that each leaves behind: up to the next member, or,
 * behind the last one that stays, from that one's end.
 */
function removals(index: JsonIndex, removed: ReadonlySet<number>): Splice[] {
  const splices: Splice[] = [];
  let lastKept = -1;
  let pending = -1;
  let last = -1;
  for (let node = index.firstChild(0); node >= 0; node = index.nextChild(0, node)) {
    last = node;
    if (removed.has(node)) {
      if (pending < 0) pending = node;
      continue;
    }
    if (pending >= 0) {
      splices.push({
        from: index.keyStart(pending) - 1,
        to: index.keyStart(node) - 1,
        bytes: null,
      });
      pending = -1;
    }
    lastKept = node;
  }
  if (pending >= 0) {
    const from = lastKept >= 0 ? index.end(lastKept) : index.keyStart(pending) - 1;
    splices.push({ from, to: index.end(last), bytes: null });
  }
  return splices;
}

function countMembers(index: JsonIndex): number {
  let members = 0;
  for (let node = index.firstChild(0); node >= 0; node = index.nextChild(0, node)) members += 1;
  return members;
}

function cut(index: JsonIndex, splices: readonly Splice[]): Uint8Array[] {
  const { bytes } = index;
  const end = index.end(0);
  const parts: Uint8Array[] = [];
  let at = index.start(0);
  for (const splice of splices) {
    if (splice.from > at) parts.push(bytes.subarray(at, splice.from));
    if (splice.bytes !== null) parts.push(splice.bytes);
    at = splice.to;
  }
  if (at < end) parts.push(bytes.subarray(at, end));
  return parts;
}

/**
 * The root object with its edits, as parts to be sent one after the other; unchanged stretches are
 * views of the original. `set` replaces a member or appends one; `remove` and `rename` of a missing
 * one do nothing. Each key may be edited once.
 */
export function editJson(index: JsonIndex, edits: readonly JsonEdit[]): Uint8Array[] {
  const splices: Splice[] = [];
  const removed = new Set<number>();
  let appended = '';
  for (const edit of edits) {
    const node = index.member(0, edit.key);
    if (node < 0) {
      if (edit.op === 'set') appended += `,${JSON.stringify(edit.key)}:${edit.json}`;
      continue;
    }
    const replacement = replacementOf(index, node, edit);
    if (replacement === null) removed.add(node);
    else splices.push(replacement);
  }
  if (removed.size > 0) splices.push(...removals(index, removed));
  splices.sort((a, b) => a.from - b.from);
  if (appended !== '') {
    const text = countMembers(index) === removed.size ? appended.slice(1) : appended;
    const at = index.end(0) - 1;
    splices.push({ from: at, to: at, bytes: toBytes(text) });
  }
  return cut(index, splices);
}
