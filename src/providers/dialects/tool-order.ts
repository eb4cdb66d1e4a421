/**
 * The order that upstreams demand of tool calls and their results: every result answers a call of
 * the assistant's turn before it, and every call is answered before anybody speaks again. Checked
 * before a request leaves, so that the caller reads which message is at fault, in his own words.
 */
import type { Turn } from '#providers/form.ts';
import { CannotSay } from '#providers/provider.ts';

/** Calls that wait for their results: the paths of those of one id, which some hosts repeat. */
type Waiting = ReadonlyMap<string, string[]>;

/** Throws CannotSay with the path of the first call or result that stands alone. */
export function checkToolOrder(turns: readonly Turn[]): void {
  let waiting: Waiting = new Map();
  for (const [index, turn] of turns.entries()) {
    const path = turn.path ?? `messages[${index}]`;
    const results = turn.parts.filter((part) => part.type === 'tool_result');
    if (results.length === 0) refuseUnanswered(waiting);
    for (const { callId } of results) {
      if (waiting.get(callId)?.shift() !== undefined) continue;
      throw new CannotSay(path, `No tool call before this result has the id "${callId}".`);
    }
    if (turn.role === 'assistant') waiting = callsOf(turn, path);
  }
  refuseUnanswered(waiting);
}

function callsOf(turn: Turn, path: string): Waiting {
  const calls = turn.parts.filter((part) => part.type === 'tool_call');
  const waiting = new Map<string, string[]>();
  for (const [index, call] of calls.entries()) {
    const at = call.path ?? `${path}.tool_calls[${index}]`;
    const same = waiting.get(call.id);
    if (same === undefined) waiting.set(call.id, [at]);
    else same.push(at);
  }
  return waiting;
}

function refuseUnanswered(waiting: Waiting): void {
  for (const [id, [path]] of waiting) {
    if (path === undefined) continue;
    throw new CannotSay(path, `The tool call "${id}" must be followed by its result.`);
  }
}
