/** What was thrown, in words: an error's message, or the thing itself where it is no error. */
export function describeError(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
