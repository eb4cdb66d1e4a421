/** Which choices of a stream have begun and which have finished, in whatever dialect they came. */
export class ChoiceEnds {
  readonly #open = new Set<number>();
  readonly #finished = new Set<number>();

  /** Some have begun and not finished. */
  get someOpen(): boolean {
    return this.#open.size > 0;
  }

  get finished(): number {
    return this.#finished.size;
  }

  /** What comes after its end does not open it again. */
  begin(choice: number): void {
    if (!this.#finished.has(choice)) this.#open.add(choice);
  }

  finish(choice: number): void {
    this.#finished.add(choice);
    this.#open.delete(choice);
  }
}
