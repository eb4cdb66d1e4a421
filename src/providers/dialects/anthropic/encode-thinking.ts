/**
 * Writes how much the model is to think: a budget in tokens, its own judgement with a level of
 * effort, or not at all, whichever the model knows; and keeps to what thinking forbids.
 */
import type { ChatForm, ReasoningEffort, ReasoningWish } from '#providers/form.ts';
import { isRecord, recordOf } from '#providers/json.ts';
import type { Block, EncodePlace } from './encode-place.ts';
import type { Message } from './encode-turns.ts';
import { nativeIn } from './native.ts';

export interface ThinkingPlan {
  readonly thinking?: Block;
  readonly effort?: ReasoningEffort;
}

export interface ThinkingScene {
  readonly place: EncodePlace;
  readonly maxTokens: number;
  /** A call is demanded, which a budget of thinking forbids. */
  readonly forced: boolean;
  readonly messages: readonly Message[];
}

const PARAM = 'reasoning';

/** The least budget that is accepted. */
const BUDGET_TOKENS_MIN = 1_024;

/** Levels as budgets in tokens, and back: a budget is the first level that reaches it. */
const BUDGETS: readonly (readonly [ReasoningEffort, number])[] = [
  ['minimal', BUDGET_TOKENS_MIN],
  ['low', 4_096],
  ['medium', 16_384],
  ['high', 32_768],
  ['xhigh', 49_152],
  ['max', 65_536],
];

const LEVELS: readonly ReasoningEffort[] = BUDGETS.map(([level]) => level);

/** Part of the bound that thinking may use where only a level was asked for. */
const BUDGET_SHARE = 0.8;

export function planThinking(form: ChatForm, scene: ThinkingScene): ThinkingPlan {
  const { place } = scene;
  const native = nativeIn(form);
  const plan = 'thinking' in native ? ownPlan(form, native['thinking']) : wishPlan(form, scene);
  const { effort } = plan;
  if (effort === undefined) return plan;
  const nearest = nearestEffort(effort, place);
  if (nearest === null) {
    const { effort: _effort, ...rest } = plan;
    place.warn('dropped', PARAM, 'This model has no levels of effort.');
    return rest;
  }
  if (nearest !== effort) {
    place.warn('clamped', PARAM, `This model does not know the level; "${nearest}" was sent.`);
  }
  return { ...plan, effort: nearest };
}

/** A caller of this dialect said it in its own words, or said an effort and nothing of thinking. */
function ownPlan(form: ChatForm, thinking: unknown): ThinkingPlan {
  const { effort } = form.reasoning;
  return {
    ...(isRecord(thinking) ? { thinking: { ...thinking } } : {}),
    ...(effort === undefined || effort === 'none' ? {} : { effort }),
  };
}

function wishPlan(form: ChatForm, scene: ThinkingScene): ThinkingPlan {
  const wish = form.reasoning;
  const { place } = scene;
  const { traits } = place;
  if (wish.effort === 'none' || wish.budgetTokens === 0) return quietPlan(place);
  const asked =
    wish.effort !== undefined || wish.budgetTokens !== undefined || wish.adaptive === true;
  if (!asked) return {};
  if (traits.thinking === 'none') {
    place.warn('dropped', PARAM, 'This model does not think before it answers.');
    return {};
  }
  const byBudget =
    traits.thinking === 'budget' || (traits.thinking === 'both' && wish.budgetTokens !== undefined);
  return byBudget ? budgetPlan(form, scene) : adaptivePlan(wish, place);
}

function quietPlan(place: EncodePlace): ThinkingPlan {
  const { quiet, thinksUnasked } = place.traits;
  if (!thinksUnasked) return {};
  if (quiet !== 'never') return { thinking: { type: quiet } };
  place.warn('ignored', PARAM, 'This model always thinks before it answers.');
  return {};
}

function adaptivePlan(wish: ReasoningWish, place: EncodePlace): ThinkingPlan {
  const { traits } = place;
  const thinking: Block = { type: 'adaptive' };
  if (wish.show === 'none') thinking['display'] = 'omitted';
  else if (traits.hidesThoughts || wish.show !== undefined) thinking['display'] = 'summarized';
  if (wish.budgetTokens === undefined) {
    return { thinking, ...(wish.effort === undefined ? {} : { effort: wish.effort }) };
  }
  const budget = wish.budgetTokens;
  const effort = BUDGETS.find(([, most]) => budget <= most)?.[0] ?? 'max';
  place.warn('emulated', PARAM, `A budget of ${budget} tokens was sent as effort "${effort}".`);
  return { thinking, effort };
}

function budgetPlan(form: ChatForm, scene: ThinkingScene): ThinkingPlan {
  const { place, maxTokens } = scene;
  const wish = form.reasoning;
  const off = whyNoBudget(scene);
  if (off !== null) {
    place.warn('dropped', PARAM, off);
    return {};
  }
  const budget = wish.budgetTokens ?? budgetOf(wish.effort ?? 'medium', maxTokens);
  const clamped = Math.max(BUDGET_TOKENS_MIN, Math.min(budget, maxTokens - 1));
  if (clamped !== budget && wish.budgetTokens !== undefined) {
    const message = `The budget must be at least 1024 and below the bound; ${clamped} was sent.`;
    place.warn('clamped', PARAM, message);
  }
  if (wish.adaptive === true && wish.effort === undefined && wish.budgetTokens === undefined) {
    place.warn('emulated', PARAM, `This model thinks by a budget; ${clamped} tokens were sent.`);
  }
  const thinking: Block = { type: 'enabled', budget_tokens: clamped };
  if (wish.show === 'none' && place.traits.efforts.length > 0) thinking['display'] = 'omitted';
  return { thinking };
}

function budgetOf(effort: ReasoningEffort, maxTokens: number): number {
  const budget = BUDGETS.find(([level]) => level === effort)?.[1] ?? BUDGET_TOKENS_MIN;
  return Math.min(budget, Math.floor(maxTokens * BUDGET_SHARE));
}

/** Why thinking by a budget would be refused; null where it would not. */
function whyNoBudget(scene: ThinkingScene): string | null {
  if (scene.forced) return 'This model cannot think where a tool call is demanded.';
  if (scene.maxTokens <= BUDGET_TOKENS_MIN) {
    return 'Thinking needs a bound of more than 1024 tokens.';
  }
  if (goesOnWithoutThought(scene.messages)) {
    return 'What began without signed thinking, here or in calls of tools, must end without.';
  }
  return null;
}

const THOUGHTS: ReadonlySet<unknown> = new Set(['thinking', 'redacted_thinking']);

/**
 * Whether the model is to go on with what does not begin with thinking, be it a loop of tool calls
 * or an answer: because another wrote it, or because its thoughts came unsigned.
 */
function goesOnWithoutThought(messages: readonly Message[]): boolean {
  const last = messages.at(-1);
  if (last?.role !== 'assistant' && !isOnlyResults(last)) return false;
  let first: Message | undefined;
  for (const message of messages.toReversed()) {
    if (message.role === 'assistant') first = message;
    else if (message.role === 'user' && !isOnlyResults(message)) break;
  }
  return first !== undefined && !THOUGHTS.has(first.content[0]?.['type']);
}

function isOnlyResults(message: Message | undefined): boolean {
  if (message?.role !== 'user') return false;
  return message.content.some((block) => block['type'] === 'tool_result');
}

/** The level itself, or the nearest that the model knows; null where it knows none. */
function nearestEffort(effort: ReasoningEffort, place: EncodePlace): ReasoningEffort | null {
  const { efforts } = place.traits;
  if (efforts.length === 0) return null;
  if (efforts.includes(effort)) return effort;
  const wanted = LEVELS.indexOf(effort);
  const distance = (level: ReasoningEffort): number => Math.abs(LEVELS.indexOf(level) - wanted);
  return efforts.reduce((best, level) => (distance(level) < distance(best) ? level : best));
}

/** Whether the model will think by this plan, as far as it forbids other settings. */
export function isThinking(plan: ThinkingPlan): boolean {
  const type = recordOf(plan.thinking)['type'];
  return type === 'enabled' || type === 'adaptive';
}
