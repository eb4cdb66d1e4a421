/**
 * Watches over tool calls while a conversation is written: each result answers a call of the answer
 * before it, each call is answered before the next answer, and ids are such as the upstream takes.
 */
import type { ToolCallPart, ToolResultPart } from '#providers/form.ts';
import { CannotSay } from '#providers/provider.ts';

export interface CallRounds {
  /** The assistant speaks again: all calls before must have been answered. Throws CannotSay. */
  readonly begin: () => void;
  /** The conversation is over; as `begin`. */
  readonly end: () => void;
  /** The id under which a call goes. Throws CannotSay where its round has the id already. */
  readonly ofCall: (call: ToolCallPart) => string;
  /** The id of the call that a result answers. Throws CannotSay where there is none. */
  readonly ofResult: (result: ToolResultPart) => string;
}

interface Call {
  readonly id: string;
  readonly path: string;
  answered: boolean;
}

/**
 * Ids are of letters, digits, `_` and `-` here; other hosts write `functions.f:0`. An id may come
 * again in another round, and does.
 */
export function callRounds(): CallRounds {
  let round = new Map<string, Call>();
  /** Ids under which calls of this round go. */
  let sent = new Set<string>();
  const end = (): void => {
    for (const [id, call] of round) {
      if (call.answered) continue;
      throw new CannotSay(call.path, `The tool call "${id}" must be followed by its result.`);
    }
  };
  return {
    end,
    begin() {
      end();
      round = new Map();
      sent = new Set();
    },
    ofCall(call) {
      const path = call.path ?? 'messages';
      if (round.has(call.id)) {
        throw new CannotSay(path, `Two tool calls of one answer have the id "${call.id}".`);
      }
      const id = legalId(call.id, sent);
      sent.add(id);
      round.set(call.id, { id, path, answered: false });
      return id;
    },
    ofResult(result) {
      const call = round.get(result.callId);
      const path = result.path ?? 'messages';
      if (call === undefined) {
        const message = `No tool call before this result has the id "${result.callId}".`;
        throw new CannotSay(path, message);
      }
      if (call.answered) {
        throw new CannotSay(path, `The tool call "${result.callId}" has a result already.`);
      }
      call.answered = true;
      return call.id;
    },
  };
}

function legalId(id: string, used: ReadonlySet<string>): string {
  const legal = id.replace(/[^\w-]/g, '_') || 'call';
  let free = legal;
  for (let count = 2; used.has(free); count += 1) free = `${legal}_${count}`;
  return free;
}
