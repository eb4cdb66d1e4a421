/**
 * Which of OpenAI's two dialects a model is spoken to in, at OpenAI and at Azure. Most take chat,
 * some only Responses; and the reasoning models from gpt-5.4 on refuse function tools in chat while
 * they reason: "To use function tools, use /v1/responses or set reasoning_effort to 'none'".
 */
import { openAiResponses } from '../dialects/openai-responses/codec.ts';
import type { BodyMembers, ChatSupport } from '../provider.ts';
import { RESPONSES_ONLY } from './responses-only.ts';

/**
 * What chat says and Responses cannot, with the values that ask for nothing. A body that asks for
 * one stays with chat: where the host refuses it there, another may take it. A seed is only ever a
 * hint, and is left out with a warning.
 */
const SAID_IN_CHAT_ONLY: Readonly<Record<string, readonly string[]>> = {
  n: ['1'],
  stop: ['[]', '""'],
  logit_bias: ['{}'],
  frequency_penalty: ['0', '0.0'],
  presence_penalty: ['0', '0.0'],
  modalities: ['["text"]'],
  audio: [],
};

/** Chosen once for each model, so that all of a kind share one support. */
export function openAiSpeech(chat: ChatSupport): (model: string) => ChatSupport {
  const ifAsked: ChatSupport = { ...chat, detour: (body) => detour(body, false) };
  const always: ChatSupport = { ...chat, detour: (body) => detour(body, true) };
  return (model) => {
    if (RESPONSES_ONLY.has(model)) return openAiResponses;
    if (REASONS_IF_ASKED.test(model)) return ifAsked;
    return REASONS_UNASKED.test(model) ? always : chat;
  };
}

/** gpt-5.4 reasons only where an effort is named: without one it takes tools (recordings). */
const REASONS_IF_ASKED = /^gpt-5\.4(?!\d)(?!.*-chat)/;

/**
 * Later ones reason by themselves. gpt-5.5: github.com/jeffdafoe/llm-memory-api/pull/178; gpt-5.6:
 * github.com/BerriAI/litellm/pull/34569; gpt-6: github.com/onyx-dot-app/onyx/issues/15008. Those of
 * chat do not reason.
 */
const REASONS_UNASKED = /^gpt-(?:5\.(?:[5-9]|\d\d)|[6-9])(?!\d)(?!.*-chat)/;

function detour(body: BodyMembers, reasonsUnasked: boolean): ChatSupport | null {
  if (!body.has('tools') && !body.has('functions')) return null;
  const effort = body.raw('reasoning_effort')?.trim() ?? 'null';
  if (effort === '"none"' || (effort === 'null' && !reasonsUnasked)) return null;
  const bound = Object.entries(SAID_IN_CHAT_ONLY).some(([key, idle]) => asks(body, key, idle));
  if (bound || !(asks(body, 'tools', ['[]']) || asks(body, 'functions', ['[]']))) return null;
  return openAiResponses;
}

function asks(body: BodyMembers, key: string, idle: readonly string[]): boolean {
  if (!body.has(key)) return false;
  const said = body.raw(key)?.replaceAll(/\s/g, '') ?? 'null';
  return said !== 'null' && !idle.includes(said);
}
