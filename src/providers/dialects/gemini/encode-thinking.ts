/**
 * How much to think, in the words of the model's generation: a budget in tokens before Gemini 3, a
 * level since. Levels become about the budgets that Google's own OpenAI-compatible endpoint gives
 * them (https://ai.google.dev/gemini-api/docs/openai, read 2026-11).
 */
import type { ReasoningEffort, ReasoningWish } from '#providers/form.ts';
import type { Warning } from '#providers/provider.ts';
import { present } from './native.ts';
import type { Thinking, ThinkingLevel } from './models.ts';

/** Where the caller said it; chat completions know one field for all of it. */
const PARAM = 'reasoning_effort';

const EFFORT_BUDGETS: Readonly<Record<ReasoningEffort, number>> = {
  none: 0,
  minimal: 512,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 32_768,
  max: 32_768,
};

const EFFORT_LEVELS: Readonly<Record<ReasoningEffort, ThinkingLevel>> = {
  none: 'MINIMAL',
  minimal: 'MINIMAL',
  low: 'LOW',
  medium: 'MEDIUM',
  high: 'HIGH',
  xhigh: 'HIGH',
  max: 'HIGH',
};

/** Upper bounds in tokens of what is sent as a level where the caller said a budget. */
const BUDGET_LEVELS: readonly (readonly [ThinkingLevel, number])[] = [
  ['MINIMAL', 0],
  ['LOW', 4_096],
  ['MEDIUM', 16_384],
  ['HIGH', Number.POSITIVE_INFINITY],
];

const ORDER: readonly ThinkingLevel[] = ['MINIMAL', 'LOW', 'MEDIUM', 'HIGH'];

/** `thinkingConfig`; undefined where the caller wishes nothing. */
export function encodeThinking(
  wish: ReasoningWish,
  thinking: Thinking,
  warnings: Warning[],
): Readonly<Record<string, unknown>> | undefined {
  if (thinking.by === 'none') {
    const wants = wish.effort !== 'none' && wish.budgetTokens !== 0;
    const asks = (wish.effort ?? wish.budgetTokens ?? wish.adaptive) !== undefined;
    if (asks && wants) warn(warnings, 'dropped', 'This model takes no wishes about its reasoning.');
    return undefined;
  }
  const amount =
    thinking.by === 'budget'
      ? { thinkingBudget: budgetOf(wish, thinking, warnings) }
      : { thinkingLevel: levelOf(wish, thinking.levels, warnings) };
  const config = present({ ...amount, includeThoughts: shows(wish) });
  return Object.keys(config).length === 0 ? undefined : config;
}

/** Who asks for reasoning in any words wants to read it, unless he says otherwise. */
function shows(wish: ReasoningWish): boolean | undefined {
  if (wish.show !== undefined) return wish.show !== 'none';
  if (wish.effort === 'none' || wish.budgetTokens === 0) return undefined;
  return wish.effort !== undefined || wish.budgetTokens !== undefined || wish.adaptive === true
    ? true
    : undefined;
}

function budgetOf(
  wish: ReasoningWish,
  limits: Thinking & { readonly by: 'budget' },
  warnings: Warning[],
): number | undefined {
  const { effort, budgetTokens } = wish;
  const wanted = budgetTokens ?? (effort === undefined ? undefined : EFFORT_BUDGETS[effort]);
  // -1: as much as the model sees fit.
  if (wanted === undefined) return wish.adaptive === true ? -1 : undefined;
  if (wanted < 0 || (wanted === 0 && limits.off)) return wanted === 0 ? 0 : -1;
  const budget = Math.min(Math.max(wanted, limits.min), limits.max);
  const isOwnNumber = budgetTokens !== undefined || wanted === 0;
  if (budget !== wanted && isOwnNumber) {
    warn(warnings, 'clamped', `This model thinks with ${limits.min} to ${limits.max} tokens.`);
  }
  return budget;
}

function levelOf(
  wish: ReasoningWish,
  levels: readonly ThinkingLevel[],
  warnings: Warning[],
): ThinkingLevel | undefined {
  const { effort, budgetTokens } = wish;
  if (effort !== undefined) {
    const level = nearest(EFFORT_LEVELS[effort], levels);
    if (level.toLowerCase() !== effort) {
      warn(
        warnings,
        'clamped',
        `This model has no level "${effort}"; it was asked for "${level}".`,
      );
    }
    return level;
  }
  // Any number below zero leaves it to the model.
  if (budgetTokens === undefined || budgetTokens < 0) return undefined;
  const wanted = BUDGET_LEVELS.find(([, most]) => budgetTokens <= most)?.[0] ?? 'HIGH';
  const level = nearest(wanted, levels);
  warn(
    warnings,
    'emulated',
    `A budget of ${budgetTokens} tokens was sent as the level "${level}".`,
  );
  return level;
}

/** The level itself, or the next higher one that the model has. */
function nearest(level: ThinkingLevel, levels: readonly ThinkingLevel[]): ThinkingLevel {
  const from = ORDER.indexOf(level);
  return levels.find((candidate) => ORDER.indexOf(candidate) >= from) ?? levels.at(-1) ?? level;
}

function warn(warnings: Warning[], code: Warning['code'], message: string): void {
  warnings.push({ code, param: PARAM, message });
}
