/**
 * Which calls of tools wait for their results while a conversation is read. OpenAI refuses a result
 * without its call and a call without its result, and so does every upstream that would get the
 * translation; so they are refused here, with the path of the one that stands alone.
 */
import { CannotSay } from '#providers/provider.ts';

export interface OpenCall {
  /** What the result names: the caller's id, or the name of a legacy function. */
  readonly key: string;
  /** The id in the common form. */
  readonly id: string;
  readonly name: string;
  readonly path: string;
}

export interface CallBook {
  /** Calls of an assistant's message, in order. */
  open(calls: readonly OpenCall[]): void;
  /** The call that a result answers. `path` is that of the field that names it. */
  answer(key: string, path: string): OpenCall;
  /** Any other message, or the end: nothing may wait. */
  settle(): void;
}

export function callBook(): CallBook {
  /** Several of one key: some hosts give parallel calls the same id. */
  let waiting = new Map<string, OpenCall[]>();
  return {
    open(calls) {
      for (const call of calls) {
        const same = waiting.get(call.key);
        if (same === undefined) waiting.set(call.key, [call]);
        else same.push(call);
      }
    },
    answer(key, path) {
      const same = waiting.get(key);
      const call = same?.shift();
      if (call === undefined) {
        const message = 'This tool result answers no call of the assistant message before it.';
        throw new CannotSay(path, message);
      }
      if (same?.length === 0) waiting.delete(key);
      return call;
    },
    settle() {
      for (const [call] of waiting.values()) {
        if (call === undefined) continue;
        const message = 'This tool call must be followed by a tool message with its result.';
        throw new CannotSay(call.path, message);
      }
      if (waiting.size > 0) waiting = new Map();
    },
  };
}

/** Under which a legacy function's call waits: apart from the ids of tools. */
export function legacyKey(name: string): string {
  return `function ${name}`;
}
