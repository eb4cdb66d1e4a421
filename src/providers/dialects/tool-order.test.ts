/** Calls and results that stand alone are refused by their path; everything else goes on. */
import { describe, expect, it } from 'vitest';
import type { Part, Turn } from '#providers/form.ts';
import { CannotSay } from '#providers/provider.ts';
import { checkToolOrder } from './tool-order.ts';

const call = (id: string): Part => ({
  type: 'tool_call',
  id,
  name: 'f',
  arguments: '{}',
  format: 'json',
});
const calls = (...ids: readonly string[]): Turn => ({ role: 'assistant', parts: ids.map(call) });
const result = (callId: string): Turn => ({
  role: 'tool',
  parts: [{ type: 'tool_result', callId, content: [] }],
});
const user: Turn = { role: 'user', parts: [{ type: 'text', text: 'Hi' }] };

function pathOf(turns: readonly Turn[]): string | null {
  try {
    checkToolOrder(turns);
    return null;
  } catch (error) {
    if (error instanceof CannotSay) return error.param;
    throw error;
  }
}

describe('tool calls and results', () => {
  it('pass in any order after their calls, also where a host repeats an id', () => {
    expect(pathOf([user, calls('a', 'b'), result('b'), result('a'), user])).toBeNull();
    expect(pathOf([user, calls('a', 'a'), result('a'), result('a')])).toBeNull();
    expect(pathOf([user, calls('a'), result('a'), calls('a'), result('a')])).toBeNull();
  });

  it('are refused where a result answers nothing', () => {
    expect(pathOf([user, result('a')])).toBe('messages[1]');
    expect(pathOf([user, calls('a'), result('a'), result('a')])).toBe('messages[3]');
    expect(pathOf([user, calls('a'), result('b')])).toBe('messages[2]');
  });

  it('are refused where a call is never answered, by the path of the call', () => {
    expect(pathOf([user, calls('a', 'b'), result('a'), user])).toBe('messages[1].tool_calls[1]');
    expect(pathOf([user, calls('a')])).toBe('messages[1].tool_calls[0]');
    const named: Turn = { role: 'assistant', parts: [{ ...call('a'), path: 'input[4]' }] };
    expect(pathOf([named, user])).toBe('input[4]');
  });
});
