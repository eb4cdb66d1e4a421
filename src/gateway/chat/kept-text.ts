/**
 * The text that a stream has generated since its upstream last counted, kept small: deltas are a
 * few characters each, and as strings of their own would take ten times their size.
 */

/** So many deltas are joined into one string. */
const PIECES_MAX = 256;

export class KeptText {
  #joined: string[] = [];
  #pieces: string[] = [];

  add(text: string): void {
    if (text === '') return;
    this.#pieces.push(text);
    if (this.#pieces.length < PIECES_MAX) return;
    this.#joined.push(this.#pieces.join(''));
    this.#pieces = [];
  }

  forget(): void {
    if (this.#joined.length > 0) this.#joined = [];
    if (this.#pieces.length > 0) this.#pieces = [];
  }

  text(): string {
    return this.#joined.join('') + this.#pieces.join('');
  }
}
