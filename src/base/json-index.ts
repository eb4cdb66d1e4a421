/**
 * What a scan of raw JSON leaves behind: the bytes and a tape of nodes, through which members are
 * found, read and spliced without parsing the whole.
 */

export const JSON_OBJECT = 1;
export const JSON_ARRAY = 2;
export const JSON_STRING = 3;
export const JSON_NUMBER = 4;
export const JSON_TRUE = 5;
export const JSON_FALSE = 6;
export const JSON_NULL = 7;

const ZERO = 0x30;
/** A number of so many digits is exact. */
const DIGITS_BY_HAND_MAX = 15;

/** Numbers per node: kind, start, end, key start, key end, first node after its subtree. */
export const STRIDE = 6;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A checked document and the nodes of its upper levels. A node is an offset into the tape; -1 is
 * none.
 */
export class JsonIndex {
  readonly bytes: Uint8Array;
  /** Whether any key of the document is written with an escape. */
  readonly escapedKeys: boolean;
  readonly #tape: readonly number[];

  constructor(bytes: Uint8Array, tape: readonly number[], escapedKeys: boolean) {
    this.bytes = bytes;
    this.#tape = tape;
    this.escapedKeys = escapedKeys;
  }

  readonly root = 0;

  /** A negative index would be looked up as a name, a hundred times slower. */
  #at(index: number): number {
    return index < 0 ? -1 : (this.#tape[index] ?? -1);
  }

  kind(node: number): number {
    return this.#at(node);
  }

  /** Offset of the value's first byte. */
  start(node: number): number {
    return node < 0 ? -1 : this.#at(node + 1);
  }

  /** Offset after the value's last byte. */
  end(node: number): number {
    return node < 0 ? -1 : this.#at(node + 2);
  }

  /** Offset of the key's first byte after its quote; -1 for an element of an array. */
  keyStart(node: number): number {
    return node < 0 ? -1 : this.#at(node + 3);
  }

  keyEnd(node: number): number {
    return node < 0 ? -1 : this.#at(node + 4);
  }

  /** First member or element, or -1. Containers at the index's lowest level show none. */
  firstChild(node: number): number {
    if (node < 0) return -1;
    const child = node + STRIDE;
    return this.#at(node + 5) > child ? child : -1;
  }

  /** Next member or element of `parent` after `node`, or -1. */
  nextChild(parent: number, node: number): number {
    const next = this.#at(node + 5);
    return next < this.#at(parent + 5) ? next : -1;
  }

  /** True if the key of `node`, unescaped, is `name`. */
  keyIs(node: number, name: string): boolean {
    const start = this.keyStart(node);
    const end = this.keyEnd(node);
    if (start < 0) return false;
    const { bytes } = this;
    if (end - start === name.length) {
      let index = 0;
      while (index < name.length && bytes[start + index] === name.charCodeAt(index)) index += 1;
      if (index === name.length) return true;
    }
    return this.escapedKeys && this.key(node) === name;
  }

  /** The key, unescaped. */
  key(node: number): string {
    return this.#unquote(this.keyStart(node) - 1, this.keyEnd(node) + 1);
  }

  /**
   * The member of `node` with this key, or -1. The last one where a nested object repeats it, as
   * JSON.parse.
   */
  member(node: number, name: string): number {
    let found = -1;
    if (node < 0) return found;
    for (let child = this.firstChild(node); child >= 0; child = this.nextChild(node, child)) {
      if (this.keyIs(child, name)) found = child;
    }
    return found;
  }

  /** The value's JSON text. */
  raw(node: number): string {
    return decoder.decode(this.bytes.subarray(this.start(node), this.end(node)));
  }

  /** The unescaped text of a string node; undefined for any other kind. */
  string(node: number): string | undefined {
    return this.kind(node) === JSON_STRING
      ? this.#unquote(this.start(node), this.end(node))
      : undefined;
  }

  /** The value of a number node; undefined for any other kind. */
  number(node: number): number | undefined {
    if (this.kind(node) !== JSON_NUMBER) return undefined;
    const start = this.start(node);
    const end = this.end(node);
    // Most are few digits and nothing else: a call of the decoder costs more than reading them.
    if (end - start > DIGITS_BY_HAND_MAX) return Number(this.raw(node));
    let value = 0;
    for (let at = start; at < end; at += 1) {
      const digit = (this.bytes[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) return Number(this.raw(node));
      value = value * 10 + digit;
    }
    return value;
  }

  #unquote(start: number, end: number): string {
    const inner = this.bytes.subarray(start + 1, end - 1);
    if (!inner.includes(0x5c)) return decoder.decode(inner);
    const text: unknown = JSON.parse(decoder.decode(this.bytes.subarray(start, end)));
    return String(text);
  }
}
