/**
 * Writes a request of the common form as the body of a response. State stays with the caller, as in
 * chat: nothing is stored unless he asks, and what the model thought comes back encrypted.
 */
import type { ChatForm, OutputFormat, ReasoningEffort } from '#providers/form.ts';
import type { Encoded, Target, Warning } from '#providers/provider.ts';
import { DIALECT as CHAT } from '../openai-chat/content.ts';
import { checkToolOrder } from '../tool-order.ts';
import { encodeInput } from './encode-input.ts';
import { encodeTools } from './encode-tools.ts';
import { RESPONSES } from './native.ts';

type Body = Record<string, unknown>;

/** OpenAI refuses a smaller bound. */
const OUTPUT_TOKENS_LEAST = 16;

/** Throws CannotSay where a message cannot be told; settings are left out with a warning each. */
export function encode(form: ChatForm, target: Target): Encoded {
  const warnings: Warning[] = [];
  // What goes on from a stored response may answer calls that stand in there.
  if (form.continues === undefined) checkToolOrder(form.turns);
  const { sampling } = form;
  warnOfLosses(form, warnings);
  const body: Body = {
    model: target.model,
    input: encodeInput(form.turns, warnings),
    store: form.store === true,
    ...present({
      include: includeOf(form),
      text: encodeText(form),
      reasoning: encodeReasoning(form, warnings),
      max_output_tokens: encodeBound(form.maxOutputTokens, warnings),
      temperature: sampling.temperature,
      top_p: sampling.topP,
      top_logprobs: sampling.topLogprobs,
      stream: form.stream ? true : undefined,
      service_tier: form.serviceTier,
      prompt_cache_key: form.promptCacheKey,
      user: form.endUser,
      metadata: form.metadata,
      ...continuation(form, warnings),
    }),
    ...encodeTools(form),
  };
  const said = addNative(form, body);
  return { body, warnings, said };
}

function present(members: Readonly<Body>): Body {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function dropped(param: string, message: string): Warning {
  return { code: 'dropped', param, message };
}

function includeOf(form: ChatForm): readonly string[] | undefined {
  const include = [
    ...(form.store === true ? [] : ['reasoning.encrypted_content']),
    ...(form.sampling.logprobs === true ? ['message.output_text.logprobs'] : []),
  ];
  return include.length === 0 ? undefined : include;
}

function encodeText({ output, verbosity }: ChatForm): Body | undefined {
  const format = output.kind === 'text' ? {} : { format: formatOf(output) };
  const text = { ...format, ...(verbosity === undefined ? {} : { verbosity }) };
  return Object.keys(text).length === 0 ? undefined : text;
}

function formatOf(output: Exclude<OutputFormat, { kind: 'text' }>): Body {
  if (output.kind === 'json') return { type: 'json_object' };
  const { name, description, schema } = output;
  // Lax unless asked for, as in chat.
  return {
    type: 'json_schema',
    ...present({ name, description, schema }),
    strict: output.strict ?? false,
  };
}

/** Budgets in tokens become the nearest level; upper bounds of each. */
const BUDGETS: readonly (readonly [ReasoningEffort, number])[] = [
  ['low', 4_096],
  ['medium', 16_384],
  ['high', Number.POSITIVE_INFINITY],
];

function encodeReasoning({ reasoning }: ChatForm, warnings: Warning[]): Body | undefined {
  const { budgetTokens, show } = reasoning;
  let { effort } = reasoning;
  if (effort === undefined && budgetTokens !== undefined) {
    effort = BUDGETS.find(([, most]) => budgetTokens <= most)?.[0] ?? 'high';
    const message = `A budget of ${budgetTokens} tokens was sent as the effort "${effort}".`;
    warnings.push({ code: 'emulated', param: 'reasoning', message });
  }
  const summary = show === 'summary' || show === 'full' ? 'auto' : undefined;
  const wish = present({ effort, summary });
  return Object.keys(wish).length === 0 ? undefined : wish;
}

function encodeBound(bound: number | undefined, warnings: Warning[]): number | undefined {
  if (bound === undefined || bound >= OUTPUT_TOKENS_LEAST) return bound;
  const message = `This model takes no bound below ${OUTPUT_TOKENS_LEAST} tokens; that was sent.`;
  warnings.push({ code: 'clamped', param: 'max_completion_tokens', message });
  return OUTPUT_TOKENS_LEAST;
}

function continuation({ continues }: ChatForm, warnings: Warning[]): Body {
  if (continues === undefined) return {};
  const { kind, id } = continues;
  if (kind === 'previous_response_id' || kind === 'conversation') return { [kind]: id };
  warnings.push(dropped(kind, 'This model takes no such state.'));
  return {};
}

/** Members that chat and Responses share, or that clients of chat send for Responses' sake. */
const SHARED: ReadonlySet<string> = new Set([
  'prompt_cache_retention',
  'prompt_cache_options',
  'moderation',
  'truncation',
  'max_tool_calls',
]);

/** Adds them to the body, and returns their names. */
function addNative(form: ChatForm, body: Body): readonly string[] {
  for (const [key, value] of Object.entries(form.native[RESPONSES] ?? {})) body[key] ??= value;
  const shared = Object.entries(form.native[CHAT] ?? {}).filter(([key]) => SHARED.has(key));
  for (const [key, value] of shared) body[key] ??= value;
  return shared.map(([key]) => key);
}

function warnOfLosses(form: ChatForm, warnings: Warning[]): void {
  const { sampling } = form;
  const losses: readonly (readonly [boolean, string, string])[] = [
    [form.choices > 1, 'n', 'This model answers with one choice.'],
    [(sampling.stop?.length ?? 0) > 0, 'stop', 'This model takes no stop sequences.'],
    [sampling.seed !== undefined, 'seed', 'This model takes no seed.'],
    [sampling.topK !== undefined, 'top_k', 'This model has no top_k.'],
    [sampling.logitBias !== undefined, 'logit_bias', 'This model has no logit bias.'],
    [isSet(sampling.frequencyPenalty), 'frequency_penalty', 'This model has no penalties.'],
    [isSet(sampling.presencePenalty), 'presence_penalty', 'This model has no penalties.'],
    [form.modalities.some((each) => each !== 'text'), 'modalities', 'It answers in text only.'],
    [form.audioOutput !== undefined, 'audio', 'This model answers in text only.'],
  ];
  for (const [lost, param, message] of losses) if (lost) warnings.push(dropped(param, message));
}

function isSet(penalty: number | undefined): boolean {
  return penalty !== undefined && penalty !== 0;
}
