/** Writes how much to think as Cohere's `thinking`: on or off, with a budget in tokens. */
import type { ReasoningEffort, ReasoningWish } from '#providers/form.ts';
import type { Warning } from '#providers/provider.ts';

/**
 * Budgets that stand for a level. `high` and above are without one: Cohere's own OpenAI-compatible
 * address takes only `none` and `high`, as off and on.
 */
const BUDGETS: ReadonlyMap<ReasoningEffort, number> = new Map<ReasoningEffort, number>([
  ['minimal', 1_024],
  ['low', 4_096],
  ['medium', 16_384],
]);

export function encodeThinking(wish: ReasoningWish, warnings: Warning[]): Record<string, unknown> {
  const { effort, budgetTokens, adaptive } = wish;
  if (effort === 'none' || (effort === undefined && budgetTokens === 0)) {
    return { thinking: { type: 'disabled' } };
  }
  if (budgetTokens !== undefined && budgetTokens > 0) return enabled(budgetTokens);
  if (effort === undefined) return adaptive === true ? enabled() : {};
  const budget = BUDGETS.get(effort);
  if (effort !== 'high') {
    const how = budget === undefined ? 'thinking without a budget' : `a budget of ${budget} tokens`;
    const message = `The effort "${effort}" was sent as ${how}.`;
    warnings.push({ code: 'emulated', param: 'reasoning_effort', message });
  }
  return enabled(budget);
}

function enabled(budget?: number): Record<string, unknown> {
  const tokens = budget === undefined ? {} : { token_budget: budget };
  return { thinking: { type: 'enabled', ...tokens } };
}
