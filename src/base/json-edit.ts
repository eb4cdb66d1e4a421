/**
 * Changes of top-level members of a JSON object, made in its raw bytes: everything that is not
 * named stays as it was, to the byte. Bodies are never re-encoded (speed.md, 4).
 */
import { roomFor, writeText } from './bytes.ts';
import type { JsonIndex } from './json-index.ts';

export type JsonEdit =
  | { readonly op: 'set'; readonly key: string; readonly json: string }
  | { readonly op: 'remove'; readonly key: string }
  | { readonly op: 'rename'; readonly key: string; readonly to: string };

interface Splice {
  readonly from: number;
  readonly to: number;
  /** JSON text to put there; null to leave nothing. */
  readonly text: string | null;
}

function replacementOf(index: JsonIndex, node: number, edit: JsonEdit): Splice | null {
  if (edit.op === 'set') {
    return { from: index.start(node), to: index.end(node), text: edit.json };
  }
  if (edit.op === 'rename') {
    const text = JSON.stringify(edit.to);
    return { from: index.keyStart(node) - 1, to: index.keyEnd(node) + 1, text };
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
        text: null,
      });
      pending = -1;
    }
    lastKept = node;
  }
  if (pending >= 0) {
    const from = lastKept >= 0 ? index.end(lastKept) : index.keyStart(pending) - 1;
    splices.push({ from, to: index.end(last), text: null });
  }
  return splices;
}

function countMembers(index: JsonIndex): number {
  let members = 0;
  for (let node = index.firstChild(0); node >= 0; node = index.nextChild(0, node)) members += 1;
  return members;
}

function cut(index: JsonIndex, splices: readonly Splice[]): Uint8Array {
  const { bytes } = index;
  const [start, end] = [index.start(0), index.end(0)];
  let room = end - start;
  for (const { text } of splices) room += text === null ? 0 : text.length * UTF8_PER_UNIT_MAX;
  const out = roomFor(room);
  let read = start;
  let written = 0;
  for (const { from, to, text } of splices) {
    if (from > read) {
      out.set(bytes.subarray(read, from), written);
      written += from - read;
    }
    if (text !== null) written = writeText(out, written, text);
    read = to;
  }
  out.set(bytes.subarray(read, end), written);
  return out.subarray(0, written + end - read);
}

/** UTF-8 bytes of a UTF-16 unit, at most. */
const UTF8_PER_UNIT_MAX = 3;

/**
 * The root object with its edits. `set` replaces a member or appends one; `remove` and `rename` of
 * a missing one do nothing. Each key may be edited once.
 */
export function editJson(index: JsonIndex, edits: readonly JsonEdit[]): Uint8Array {
  const splices: Splice[] = [];
  let removed: Set<number> | null = null;
  let appended = '';
  for (const edit of edits) {
    const node = index.member(0, edit.key);
    if (node < 0) {
      if (edit.op === 'set') appended += `,${JSON.stringify(edit.key)}:${edit.json}`;
      continue;
    }
    const replacement = replacementOf(index, node, edit);
    if (replacement === null) removed = (removed ?? new Set()).add(node);
    else splices.push(replacement);
  }
  if (removed !== null) splices.push(...removals(index, removed));
  if (splices.length > 1) splices.sort((a, b) => a.from - b.from);
  if (appended !== '') {
    const isEmpty = countMembers(index) === (removed?.size ?? 0);
    const at = index.end(0) - 1;
    splices.push({ from: at, to: at, text: isEmpty ? appended.slice(1) : appended });
  }
  return cut(index, splices);
}
