/**
 * The chat door's way in: a chat completions body, checked before by `wire/chat/request.ts`,
 * becomes a request of the common form. Only for upstreams of another dialect; for those of this
 * one the caller's bytes pass.
 */
import type { ChatForm, Turn } from '#providers/form.ts';
import { isRecord, numberOf, otherMembers, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import type { Warning } from '#providers/provider.ts';
import { DIALECT, nativeOf } from './content.ts';
import { cacheLast, readTurns } from './read-form-turns.ts';
import { isLegacyTool, readToolChoice, readTools } from './read-form-tools.ts';
import {
  readAudioOutput,
  readMetadata,
  readModalities,
  readOutput,
  readReasoning,
  readSampling,
  readVerbosity,
} from './read-form-settings.ts';

/** Members that the form has a word for, or that the gateway itself acts upon. */
const MEMBERS = new Set([
  'model',
  'models',
  'usage',
  'messages',
  'stream',
  'stream_options',
  'temperature',
  'top_p',
  'top_k',
  'frequency_penalty',
  'presence_penalty',
  'seed',
  'stop',
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'n',
  'max_tokens',
  'max_completion_tokens',
  'reasoning_effort',
  'reasoning',
  'include_reasoning',
  'thinking',
  'verbosity',
  'response_format',
  'modalities',
  'audio',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'functions',
  'function_call',
  'web_search_options',
  'service_tier',
  'store',
  'prompt_cache_key',
  'metadata',
  'user',
  'safety_identifier',
  'cache_control',
]);

type Draft = { -readonly [Key in keyof ChatForm]: ChatForm[Key] };

/**
 * The request in the common form. Throws CannotSay with the path of what no upstream would take.
 * Members without a word stay in `native`; `unsaid` tells which.
 */
export function readForm(body: JsonRecord): ChatForm {
  const form: Draft = {
    turns: cacheWhole(readTurns(body['messages']), body),
    tools: readTools(body),
    output: readOutput(body['response_format']),
    modalities: readModalities(body['modalities']),
    reasoning: readReasoning(body),
    sampling: readSampling(body),
    choices: numberOf(body['n']) ?? 1,
    stream: body['stream'] === true,
    native: nativeOf(otherMembers(body, MEMBERS)) ?? {},
  };
  addAnswerWishes(form, body);
  addAccountWishes(form, body);
  return form;
}

function addAnswerWishes(form: Draft, body: JsonRecord): void {
  const toolChoice = readToolChoice(body);
  const audioOutput = readAudioOutput(body['audio']);
  const verbosity = readVerbosity(body['verbosity']);
  const most = numberOf(body['max_completion_tokens']) ?? numberOf(body['max_tokens']);
  const parallel = body['parallel_tool_calls'];
  if (toolChoice !== undefined) form.toolChoice = toolChoice;
  if (audioOutput !== undefined) form.audioOutput = audioOutput;
  if (verbosity !== undefined) form.verbosity = verbosity;
  if (most !== undefined) form.maxOutputTokens = most;
  if (typeof parallel === 'boolean') form.parallelToolCalls = parallel;
  // The legacy form has room for one call only.
  else if (wantsFunctionCall(form)) form.parallelToolCalls = false;
}

function addAccountWishes(form: Draft, body: JsonRecord): void {
  const serviceTier = textOf(body['service_tier']);
  const promptCacheKey = textOf(body['prompt_cache_key']);
  const metadata = readMetadata(body['metadata']);
  const endUser = textOf(body['safety_identifier']) ?? textOf(body['user']);
  if (serviceTier !== undefined) form.serviceTier = serviceTier;
  if (typeof body['store'] === 'boolean') form.store = body['store'];
  if (promptCacheKey !== undefined) form.promptCacheKey = promptCacheKey;
  if (metadata !== undefined) form.metadata = metadata;
  if (endUser !== undefined) form.endUser = endUser;
}

/** Anthropic's hint on the request as a whole: cache up to its end. */
function cacheWhole(turns: readonly Turn[], body: JsonRecord): readonly Turn[] {
  const last = turns.at(-1);
  if (last === undefined || !isRecord(body['cache_control'])) return turns;
  const hint = { cache_control: body['cache_control'] };
  return [...turns.slice(0, -1), { ...last, parts: cacheLast(last.parts, hint, 'body') }];
}

/**
 * Whether the caller offers legacy `functions` only, and so must be answered with `function_call`
 * (`AnswerId.functionCall`).
 */
export function wantsFunctionCall(form: ChatForm): boolean {
  return (
    form.tools.some(isLegacyTool) &&
    form.tools.every((tool) => isLegacyTool(tool) || tool.kind === 'hosted')
  );
}

/**
 * A warning for every member of the body that another dialect has no word for. For targets that do
 * not speak this one.
 */
export function unsaid(form: ChatForm): readonly Warning[] {
  const members = Object.entries(form.native[DIALECT] ?? {});
  return members
    .filter(([, value]) => value !== false && value !== '' && !isEmpty(value))
    .map(([param]) => {
      const message = 'This provider has no such setting.';
      return { code: 'dropped', param, message };
    });
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
