/**
 * Writes a request of the common form as a body of Cohere's v2 chat. Ranges and exclusions are
 * those of docs.cohere.com (reference/chat and reference/errors, read 2026-11).
 */
import type { ChatForm, OutputFormat, Tool } from '#providers/form.ts';
import { listOf } from '#providers/json.ts';
import type { Encoded, Target, Warning } from '#providers/provider.ts';
import { encodeTurns } from './encode-turns.ts';
import { COHERE } from './native.ts';
import { encodeSampling } from './sampling.ts';
import { encodeThinking } from './thinking.ts';
import { encodeTools } from './tools.ts';

type Body = Record<string, unknown>;

/** Throws CannotSay where a message cannot be told to Cohere; settings go with a warning. */
export function encode(form: ChatForm, target: Target): Encoded {
  const warnings: Warning[] = [];
  const { messages, documents } = encodeTurns(form.turns, warnings);
  const { members: native, said } = nativeMembers(form);
  const cited = [...listOf(native['documents']), ...documents];
  warnOfLosses(form, warnings);
  const body: Body = {
    model: target.model,
    messages,
    ...encodeTools(form, warnings),
    ...encodeFormat(form, cited.length > 0, warnings),
    ...encodeSampling(form, warnings),
    ...encodeThinking(form.reasoning, warnings),
    ...(form.maxOutputTokens === undefined ? {} : { max_tokens: form.maxOutputTokens }),
    ...(form.stream ? { stream: true } : {}),
    ...native,
    ...(cited.length === 0 ? {} : { documents: cited }),
  };
  return { body, warnings, said };
}

/**
 * Members that only Cohere knows. They come from a door of its own dialect, or from a chat body in
 * which the caller wrote them beside OpenAI's.
 */
const COHERE_MEMBERS: ReadonlySet<string> = new Set([
  'documents',
  'citation_options',
  'safety_mode',
  'strict_tools',
  'thinking',
  'priority',
  'raw_prompting',
]);

/** The members, and the names of those that stood in a body of another dialect. */
function nativeMembers(form: ChatForm): { members: Body; said: readonly string[] } {
  const members: Body = { ...form.native[COHERE] };
  const others = Object.entries(form.native)
    .filter(([dialect]) => dialect !== COHERE)
    .flatMap(([, fields]) => Object.entries(fields))
    .filter(([key]) => COHERE_MEMBERS.has(key));
  for (const [key, value] of others) members[key] ??= value;
  return { members, said: others.map(([key]) => key) };
}

function dropped(param: string, message: string): Warning {
  return { code: 'dropped', param, message };
}

function encodeFormat(form: ChatForm, cites: boolean, warnings: Warning[]): Body {
  const { output } = form;
  if (output.kind === 'text') return {};
  if (form.tools.some((tool) => tool.kind === 'function') || cites) {
    const message = 'Cohere takes no response format beside tools or documents.';
    warnings.push(dropped('response_format', message));
    return {};
  }
  return { response_format: formatOf(output) };
}

function formatOf(output: Exclude<OutputFormat, { kind: 'text' }>): Body {
  if (output.kind === 'json') return { type: 'json_object' };
  return { type: 'json_object', json_schema: output.schema };
}

/** Everything that Cohere has no word for, each as the caller's field and the reason. */
function warnOfLosses(form: ChatForm, warnings: Warning[]): void {
  const losses: readonly (readonly [boolean, string, string])[] = [
    [form.choices > 1, 'n', 'Cohere answers with one choice.'],
    [form.parallelToolCalls === false, 'parallel_tool_calls', 'Cohere may call tools in parallel.'],
    [form.modalities.some((each) => each !== 'text'), 'modalities', 'Cohere answers in text only.'],
    [form.audioOutput !== undefined, 'audio', 'Cohere answers in text only.'],
    [form.verbosity !== undefined, 'verbosity', 'Cohere has no verbosity setting.'],
    [form.serviceTier !== undefined, 'service_tier', 'Cohere has no service tiers.'],
    [form.store === true, 'store', 'Cohere does not store completions.'],
    [form.promptCacheKey !== undefined, 'prompt_cache_key', 'Cohere caches by itself.'],
    [form.endUser !== undefined, 'user', 'Cohere takes no id of the end user.'],
    [form.metadata !== undefined, 'metadata', 'Cohere takes no metadata.'],
    [form.sampling.logitBias !== undefined, 'logit_bias', 'Cohere has no logit bias.'],
    [(form.sampling.topLogprobs ?? 0) > 0, 'top_logprobs', 'Cohere tells no other tokens.'],
  ];
  for (const [lost, param, message] of losses) if (lost) warnings.push(dropped(param, message));
  if (form.continues !== undefined) {
    warnings.push(dropped(form.continues.kind, 'Cohere keeps no state between requests.'));
  }
  for (const tool of form.tools) warnOfTool(tool, warnings);
}

function warnOfTool(tool: Tool, warnings: Warning[]): void {
  if (tool.kind === 'hosted') {
    warnings.push(dropped('tools', `Cohere has no hosted tool "${tool.tool}".`));
  }
  if (tool.kind === 'custom') {
    const message = `Cohere knows functions only; the custom tool "${tool.name}" was left out.`;
    warnings.push(dropped('tools', message));
  }
}
