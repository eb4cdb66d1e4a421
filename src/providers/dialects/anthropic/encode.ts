/**
 * Writes a request of the common form as a Messages body. What the model or the dialect cannot take
 * is changed or left out with a warning each; what cannot be repaired honestly throws CannotSay.
 */
import type { ChatForm } from '#providers/form.ts';
import { recordOf } from '#providers/json.ts';
import type { Encoded, Target } from '#providers/provider.ts';
import { betasOf } from './betas.ts';
import { limitBreakpoints } from './encode-cache.ts';
import { planOutput, type OutputPlan } from './encode-output.ts';
import { encodePlace, type Block, type EncodePlace } from './encode-place.ts';
import { encodeSampling } from './encode-sampling.ts';
import { isThinking, planThinking, type ThinkingPlan } from './encode-thinking.ts';
import { encodeTools } from './encode-tools.ts';
import { encodeTurns } from './encode-turns.ts';
import type { MessagesHabits } from './habits.ts';
import { OUTPUT_TOKENS_DEFAULT } from './models.ts';
import { nativeIn, present } from './native.ts';

/** Native members that other steps have already put in their place. */
const PLACED: ReadonlySet<string> = new Set(['thinking', 'output_config']);

export function encode(form: ChatForm, target: Target, habits: MessagesHabits): Encoded {
  const place = encodePlace(target, habits);
  const { system: said, messages } = encodeTurns(form.turns, place);
  const output = planOutput(form, place);
  const system = withInstruction(said, output);
  const { tools, choice } = encodeTools(form, output, place);
  const maxTokens = maxTokensOf(form, place);
  const forced = choice?.['type'] === 'any' || choice?.['type'] === 'tool';
  const plan = planThinking(form, { place, maxTokens, forced, messages });
  limitBreakpoints({ tools, system, messages }, place);
  const body: Block = {
    ...encodeHead(form, place),
    max_tokens: maxTokens,
    ...(system.length === 0 ? {} : { system: plainSystem(system) }),
    messages,
    ...(tools.length === 0 ? {} : { tools }),
    ...present({ tool_choice: choice, thinking: plan.thinking }),
    ...encodeSampling(form, isThinking(plan), place),
    ...encodeConfig(form, plan, output),
    ...encodeRest(form, place),
  };
  for (const [key, value] of Object.entries(nativeIn(form))) {
    if (!PLACED.has(key) && key !== '__proto__') body[key] ??= value;
  }
  return withBetas(body, place);
}

/** What hosts put into the body or into the address. */
function encodeHead(form: ChatForm, { habits, target }: EncodePlace): Block {
  return present({
    anthropic_version: habits.bodyVersion ?? undefined,
    model: habits.modelInBody ? target.model : undefined,
    stream: form.stream && habits.streamInBody ? true : undefined,
  });
}

function withInstruction(system: readonly Block[], output: OutputPlan): readonly Block[] {
  const text = output.instruction;
  return text === undefined ? system : [...system, { type: 'text', text }];
}

/** One plain text as a string, as most callers write it. */
function plainSystem(system: readonly Block[]): unknown {
  const [only] = system;
  const plain = system.length === 1 && only !== undefined && Object.keys(only).length === 2;
  return plain && only['type'] === 'text' ? only['text'] : system;
}

/** The bound is mandatory here; without the caller's, all that the model may say. */
function maxTokensOf(form: ChatForm, place: EncodePlace): number {
  const most = place.traits.outputTokensMax;
  const asked = form.maxOutputTokens;
  if (asked === undefined) {
    // A budget must have room for an answer behind it.
    const room = (form.reasoning.budgetTokens ?? 0) + OUTPUT_TOKENS_DEFAULT;
    return most ?? room;
  }
  if (most === null || asked <= most) return asked;
  const message = `This model generates at most ${most} tokens; so many were asked for.`;
  place.warn('clamped', 'max_completion_tokens', message);
  return most;
}

/** `output_config`: the effort, the format, and what only this dialect knows of it. */
function encodeConfig(form: ChatForm, plan: ThinkingPlan, output: OutputPlan): Block {
  const config = present({
    ...recordOf(nativeIn(form)['output_config']),
    effort: plan.effort,
    format: output.format,
  });
  return Object.keys(config).length === 0 ? {} : { output_config: config };
}

function encodeRest(form: ChatForm, place: EncodePlace): Block {
  const { continues, endUser } = form;
  const container = continues?.kind === 'container' ? continues.id : undefined;
  if (continues !== undefined && container === undefined) {
    place.warn('dropped', continues.kind, 'This provider keeps no state between requests.');
  }
  return present({
    metadata: endUser === undefined ? undefined : metadataOf(endUser, place),
    service_tier: serviceTier(form.serviceTier, place),
    container,
  });
}

const USER_ID_CHARS_MAX = 256;
const MAIL_ADDRESS = /[^\s@]@[^\s@]+\.[^\s@]/;
/** Digits in groups, or behind a plus. Digits alone are taken for an id. */
const PHONE_NUMBER = /^(?=.*[+\s().-])\+?[\d\s().-]{7,}$/;

/** Ids that name a person are refused, and so are long ones: the user is left unnamed then. */
function metadataOf(endUser: string, place: EncodePlace): Block | undefined {
  const tooLong = endUser.length > USER_ID_CHARS_MAX;
  if (!tooLong && !MAIL_ADDRESS.test(endUser) && !PHONE_NUMBER.test(endUser)) {
    return { user_id: endUser };
  }
  const why = tooLong
    ? `takes ids of at most ${USER_ID_CHARS_MAX} characters`
    : 'refuses addresses of mail and telephone numbers as ids';
  place.warn('dropped', 'user', `This provider ${why}; send a hash or another opaque id.`);
  return undefined;
}

/** Two tiers of its own; OpenAI's words are brought to the nearer one. */
function serviceTier(tier: string | undefined, place: EncodePlace): string | undefined {
  if (tier === undefined) return undefined;
  const known = tier === 'auto' || tier === 'standard_only';
  if (known && place.habits.serviceTier) return tier;
  if (tier === 'auto') return undefined;
  if (place.habits.serviceTier && (tier === 'default' || tier === 'priority')) {
    const ours = tier === 'default' ? 'standard_only' : 'auto';
    place.warn('emulated', 'service_tier', `This provider calls it "${ours}".`);
    return ours;
  }
  place.warn('dropped', 'service_tier', `This provider has no service tier "${tier}".`);
  return undefined;
}

function withBetas(body: Block, place: EncodePlace): Encoded {
  const { habits, warnings } = place;
  const betas = betasOf(body);
  if (betas.length === 0) return { body, warnings };
  if (habits.betas === 'header') {
    return { body, warnings, headers: [['anthropic-beta', betas.join(',')]] };
  }
  return { body: { ...body, anthropic_beta: betas }, warnings };
}
