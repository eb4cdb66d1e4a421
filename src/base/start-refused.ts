/** The one kind of error that is meant for the operator: its message is all that he is shown. */

/**
 * The start is refused for a reason that the operator can remove. The message says what is wrong
 * and what to do, in whole sentences and without secrets; nobody needs the stack.
 */
export class StartRefused extends Error {
  override readonly name: string = 'StartRefused';
}
