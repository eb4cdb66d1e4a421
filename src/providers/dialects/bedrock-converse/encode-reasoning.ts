/**
 * Writes how much a model is to think. Converse has no word of its own for it: each lab's stands in
 * `additionalModelRequestFields`, and each forbids other settings beside it.
 */
import type { ChatForm, ReasoningEffort } from '#providers/form.ts';
import type { AdaptiveStyle, EffortLevels, ReasoningStyle } from './families.ts';
import type { Block } from './media.ts';
import { warn } from './place.ts';
import type { Place } from './place.ts';

export interface Thinking {
  /** Members of `additionalModelRequestFields`. */
  readonly fields: Block;
  /** The model thinks: Claude then takes no sampling and may not be forced to call a tool. */
  readonly on: boolean;
  /** Nova at its highest level takes no sampling either. */
  readonly bare: boolean;
}

const OFF: Thinking = { fields: {}, on: false, bare: false };

/** Claude's smallest budget. */
const BUDGET_MIN = 1_024;

/** Tokens to think for each level, the same as at Claude's own host. */
const BUDGETS: Readonly<Record<ReasoningEffort, number>> = {
  none: 0,
  minimal: 1_024,
  low: 4_096,
  medium: 16_384,
  high: 32_768,
  xhigh: 49_152,
  max: 65_536,
};

/** Part of the bound that thinking may use where only a level was asked for. */
const BUDGET_SHARE = 0.8;

export interface ThinkingNeeds {
  /** A caller's tool is forced, which outranks thinking where both cannot be. */
  readonly forcedTool: boolean;
  /** A round of tools, or an answer, is to be ended that has no signed reasoning. */
  readonly unsigned: boolean;
}

export function encodeReasoning(form: ChatForm, needs: ThinkingNeeds, place: Place): Thinking {
  const { effort, budgetTokens, adaptive, show } = form.reasoning;
  const asked = effort !== undefined || budgetTokens !== undefined || adaptive === true;
  if (!asked) return OFF;
  const style = place.family.reasoning;
  const wish: Wish = { effort, budgetTokens, maxTokens: form.maxOutputTokens, show };
  switch (style.kind) {
    case 'budget':
      return wish.effort !== 'none' && refusedBeside(needs, place)
        ? OFF
        : withBudget(wish, style.tokensMax, place);
    case 'adaptive':
      return adapt(style, { ...wish, forced: needs.forcedTool }, place);
    case 'nova':
      return forNova(style.levels, wish, place);
    case 'level':
      return withLevel(style, wish, place);
    default:
      if (effort !== 'none') dropped(place, 'This model has no setting for reasoning.');
      return OFF;
  }
}

interface Wish {
  readonly effort: ReasoningEffort | undefined;
  readonly budgetTokens: number | undefined;
  readonly maxTokens: number | undefined;
  readonly show: ChatForm['reasoning']['show'];
}

function paramOf(wish: Wish): string {
  return wish.effort === undefined ? 'reasoning' : 'reasoning_effort';
}

function dropped(place: Place, message: string): void {
  warn(place, 'dropped', { param: 'reasoning_effort', message });
}

/** Claude thinks neither beside a forced tool nor on calls whose reasoning is missing. */
function refusedBeside(needs: ThinkingNeeds, place: Place): boolean {
  if (needs.forcedTool) {
    dropped(place, 'This model cannot think where tool_choice forces a tool.');
    return true;
  }
  if (!needs.unsigned) return false;
  const lost = 'what it is to go on with came back without its reasoning_details';
  dropped(place, `This model cannot go on thinking: ${lost}.`);
  return true;
}

function withBudget(wish: Wish, tokensMax: number | null, place: Place): Thinking {
  const { effort, budgetTokens } = wish;
  const bound = wish.maxTokens ?? tokensMax ?? Number.POSITIVE_INFINITY;
  const level = BUDGETS[effort ?? 'medium'];
  const exact = effort === undefined ? budgetTokens : undefined;
  const wanted = exact ?? Math.min(level, Math.floor(bound * BUDGET_SHARE));
  if (level === 0 || exact === 0) return OFF;
  const budget = Math.min(Math.max(wanted, BUDGET_MIN), bound - 1);
  if (budget < BUDGET_MIN) {
    const message = `This model thinks for ${BUDGET_MIN} tokens or not at all: the limit is too low.`;
    dropped(place, message);
    return OFF;
  }
  if (exact !== undefined && budget !== exact) {
    const message = `The budget was set to ${budget} tokens, within the limits of model and answer.`;
    warn(place, 'clamped', { param: 'reasoning', message });
  }
  return { fields: { thinking: { type: 'enabled', budget_tokens: budget } }, on: true, bare: true };
}

function adapt(
  style: AdaptiveStyle,
  wish: Wish & { readonly forced: boolean },
  place: Place,
): Thinking {
  const { effort, budgetTokens } = wish;
  if (effort === 'none' || (effort === undefined && budgetTokens === 0)) return hush(style, place);
  if (refusedBeside({ forcedTool: wish.forced, unsigned: false }, place)) return OFF;
  if (effort === undefined && budgetTokens !== undefined && style.budgets) {
    return withBudget(wish, style.tokensMax, place);
  }
  const level = effort ?? (budgetTokens === undefined ? undefined : nearestLevel(wish, place));
  const word = level === undefined ? undefined : style.levels[level];
  const fields = { thinking: { type: 'adaptive', ...displayOf(style, wish) } };
  if (word === undefined) return { fields, on: true, bare: true };
  return { fields: { ...fields, output_config: { effort: word } }, on: true, bare: true };
}

function displayOf({ hidesThoughts }: AdaptiveStyle, { show }: Wish): Block {
  if (show === 'none') return { display: 'omitted' };
  return hidesThoughts || show !== undefined ? { display: 'summarized' } : {};
}

/** Turns thinking off where the model thinks without being asked. */
function hush({ quiet }: AdaptiveStyle, place: Place): Thinking {
  if (quiet === null) return OFF;
  if (quiet !== 'never') return { ...OFF, fields: { thinking: { type: quiet } } };
  const message = 'This model always thinks before it answers.';
  warn(place, 'ignored', { param: 'reasoning_effort', message });
  return OFF;
}

/** A budget as the nearest level that is not below it, and said so. */
function nearestLevel(wish: Wish, place: Place): ReasoningEffort {
  const tokens = wish.budgetTokens ?? 0;
  if (tokens <= 0) return 'none';
  const steps = ['minimal', 'low', 'medium', 'high'] as const;
  const level = steps.find((step) => tokens <= BUDGETS[step]) ?? 'high';
  const message = `A budget of ${tokens} tokens was sent as the effort "${level}".`;
  warn(place, 'emulated', { param: 'reasoning', message });
  return level;
}

function levelOf(wish: Wish, place: Place): ReasoningEffort {
  if (wish.effort !== undefined) return wish.effort;
  return wish.budgetTokens === undefined ? 'medium' : nearestLevel(wish, place);
}

function forNova(levels: EffortLevels, wish: Wish, place: Place): Thinking {
  const word = levels[levelOf(wish, place)];
  if (word === undefined) return OFF;
  const highest = word === levels.high;
  // At its highest level this family refuses a limit; a limit is money and stays.
  const clamped = highest && wish.maxTokens !== undefined;
  if (clamped) {
    const message =
      'This model reasons at its highest level only without max_tokens; sent as medium.';
    warn(place, 'clamped', { param: paramOf(wish), message });
  }
  const effort = clamped ? levels.medium : word;
  const fields = { reasoningConfig: { type: 'enabled', maxReasoningEffort: effort } };
  return { fields, on: false, bare: highest && !clamped };
}

type LevelStyle = Extract<ReasoningStyle, { kind: 'level' }>;

function withLevel(style: LevelStyle, wish: Wish, place: Place): Thinking {
  const word = style.levels[levelOf(wish, place)];
  return word === undefined ? OFF : { ...OFF, fields: { [style.member]: word } };
}
