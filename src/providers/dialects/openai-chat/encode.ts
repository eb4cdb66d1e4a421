/**
 * Writes a request of the common form as a chat completions body. It is written in OpenAI's own
 * words first and then adapted to the host by the same edits as a body that passes through, so that
 * what a host refuses is known in one place.
 */
import type { ChatForm, OutputFormat, ReasoningEffort, Tool, ToolChoice } from '#providers/form.ts';
import type { BodyEdit, BodyMembers, ChatCodec, Target, Warning } from '#providers/provider.ts';
import { parseJson } from '#providers/json.ts';
import { DIALECT } from './content.ts';
import { encodeTurns } from './encode-turns.ts';
import type { ChatHabits } from './habits.ts';
import { passThrough } from './pass-through.ts';

type Body = Record<string, unknown>;

/**
 * The body, with the host's model id in it, and a warning for everything that could not be said.
 */
export function encode(
  form: ChatForm,
  target: Target,
  habits: ChatHabits,
): ReturnType<ChatCodec['encode']> {
  const warnings: Warning[] = [];
  const body: Body = {
    model: target.model,
    messages: encodeTurns(form.turns, habits, warnings),
    ...encodeTools(form, warnings),
    ...encodeOutput(form),
    ...encodeSampling(form, habits, warnings),
    ...encodeReasoning(form, warnings),
    ...present({
      max_completion_tokens: form.maxOutputTokens,
      n: form.choices > 1 ? form.choices : undefined,
      stream: form.stream ? true : undefined,
      service_tier: form.serviceTier,
      store: form.store,
      prompt_cache_key: form.promptCacheKey,
      user: form.endUser,
      metadata: form.metadata,
    }),
  };
  if (form.continues !== undefined) {
    warnings.push(dropped(form.continues.kind, 'This provider keeps no state between requests.'));
  }
  for (const [key, value] of Object.entries(form.native[DIALECT] ?? {})) body[key] ??= value;
  const adaptation = passThrough(habits).adapt(membersOf(body), target);
  for (const edit of adaptation.edits) apply(body, edit);
  return { body, warnings: [...warnings, ...adaptation.warnings] };
}

/** A warning about something that the form says and the dialect or host cannot. */
function dropped(param: string, message: string): Warning {
  return { code: 'dropped', param, message };
}

/** Only the members that are there. */
function present(members: Readonly<Record<string, unknown>>): Body {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function membersOf(body: Readonly<Body>): BodyMembers {
  return {
    has: (key) => Object.hasOwn(body, key),
    raw: (key) => (Object.hasOwn(body, key) ? JSON.stringify(body[key]) : undefined),
  };
}

function apply(body: Body, edit: BodyEdit): void {
  if (edit.op === 'set') {
    body[edit.key] = parseJson(edit.json);
    return;
  }
  if (edit.op === 'rename') body[edit.to] = body[edit.key];
  delete body[edit.key];
}

function encodeTools(form: ChatForm, warnings: Warning[]): Body {
  const tools = form.tools.flatMap((tool) => encodeTool(tool, warnings));
  const search = form.tools.find((tool) => tool.kind === 'hosted' && tool.tool === 'web_search');
  return present({
    tools: tools.length === 0 ? undefined : tools,
    tool_choice: form.toolChoice === undefined ? undefined : encodeToolChoice(form.toolChoice),
    parallel_tool_calls: form.parallelToolCalls,
    web_search_options: search?.kind === 'hosted' ? (search.config ?? {}) : undefined,
  });
}

function encodeTool(tool: Tool, warnings: Warning[]): readonly Body[] {
  if (tool.kind === 'function') {
    const { name, description, parameters, strict } = tool;
    return [{ type: 'function', function: present({ name, description, parameters, strict }) }];
  }
  if (tool.kind === 'custom') {
    const { name, description, grammar } = tool;
    const format = grammar === undefined ? undefined : { type: 'grammar', grammar };
    return [{ type: 'custom', custom: present({ name, description, format }) }];
  }
  if (tool.tool !== 'web_search') {
    warnings.push(dropped('tools', `Chat completions have no hosted tool "${tool.tool}".`));
  }
  return [];
}

function encodeToolChoice(choice: ToolChoice): unknown {
  if (choice.mode === 'one') {
    if (choice.kind === 'custom') return { type: 'custom', custom: { name: choice.name } };
    return { type: 'function', function: { name: choice.name } };
  }
  if (choice.mode !== 'among') return choice.mode;
  const tools = choice.names.map((name) => ({ type: 'function', function: { name } }));
  const mode = choice.required ? 'required' : 'auto';
  return { type: 'allowed_tools', allowed_tools: { mode, tools } };
}

function encodeOutput(form: ChatForm): Body {
  const textOnly = form.modalities.every((modality) => modality === 'text');
  return present({
    response_format: encodeFormat(form.output),
    modalities: textOnly ? undefined : form.modalities,
    audio: form.audioOutput,
    verbosity: form.verbosity,
  });
}

function encodeFormat(output: OutputFormat): unknown {
  if (output.kind === 'text') return undefined;
  if (output.kind === 'json') return { type: 'json_object' };
  const { name, description, schema, strict } = output;
  return { type: 'json_schema', json_schema: present({ name, description, schema, strict }) };
}

function encodeSampling(form: ChatForm, habits: ChatHabits, warnings: Warning[]): Body {
  const { sampling } = form;
  if (sampling.topK !== undefined && !habits.topK) {
    warnings.push(dropped('top_k', 'This provider has no top_k.'));
  }
  return present({
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: habits.topK ? sampling.topK : undefined,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    seed: sampling.seed,
    stop: sampling.stop,
    logit_bias: sampling.logitBias,
    logprobs: sampling.logprobs,
    top_logprobs: sampling.topLogprobs,
  });
}

/** Budgets in tokens become the nearest level; upper bounds of each, in tokens. */
const EFFORT_BUDGETS: readonly (readonly [ReasoningEffort, number])[] = [
  ['none', 0],
  ['minimal', 1_024],
  ['low', 4_096],
  ['medium', 16_384],
  ['high', Number.POSITIVE_INFINITY],
];

function encodeReasoning(form: ChatForm, warnings: Warning[]): Body {
  const { effort, budgetTokens, encrypted } = form.reasoning;
  if (encrypted === true) {
    warnings.push(dropped('reasoning', 'Chat completions return no encrypted reasoning.'));
  }
  if (effort !== undefined) return { reasoning_effort: effort };
  if (budgetTokens === undefined) return {};
  const level = EFFORT_BUDGETS.find(([, most]) => budgetTokens <= most)?.[0] ?? 'high';
  const message = `A budget of ${budgetTokens} tokens was sent as reasoning_effort "${level}".`;
  warnings.push({ code: 'emulated', param: 'reasoning', message });
  return { reasoning_effort: level };
}
