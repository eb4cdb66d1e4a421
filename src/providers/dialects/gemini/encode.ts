/** Writes a request of the common form as a body of generateContent. */
import type { ChatForm, SamplingWish } from '#providers/form.ts';
import { isRecord, textOf } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import type { Encoded, Target, Warning } from '#providers/provider.ts';
import { encodeThinking } from './encode-thinking.ts';
import { encodeTools } from './encode-tools.ts';
import { encodeTurns } from './encode-turns.ts';
import { traitsOf } from './models.ts';
import type { ModelTraits } from './models.ts';
import { GOOGLE, present } from './native.ts';

type Json = Record<string, unknown>;

/** What the two hosts of Gemini differ in. */
export interface GeminiHabits {
  /** Uploads lie under the base URL, and calls of hosted tools are told and taken back. */
  readonly developerApi: boolean;
}

/** How many stop sequences Google takes. */
const STOPS_MAX = 5;

/**
 * The body, and a warning for everything that could not be said. The model stands in the address.
 * Throws CannotSay.
 */
export function encode(form: ChatForm, target: Target, habits: GeminiHabits): Encoded {
  const warnings: Warning[] = [];
  const traits = traitsOf(target.model);
  const { developerApi } = habits;
  const turns = encodeTurns(form.turns, {
    traits,
    takesHostedCalls: developerApi,
    filesUrl: developerApi ? target.baseUrl : null,
    warnings,
  });
  const announcesHostedCalls = developerApi && traits.combinesTools;
  const body: Json = {
    ...turns,
    ...encodeTools(form, { announcesHostedCalls, warnings }),
    ...present({
      generationConfig: encodeGeneration(form, traits, warnings),
      serviceTier: encodeTier(form, warnings),
    }),
  };
  warnOfRest(form, warnings);
  addNative(body, form);
  return { body, warnings };
}

function encodeGeneration(form: ChatForm, traits: ModelTraits, warnings: Warning[]): unknown {
  const config = present({
    ...encodeSampling(form.sampling, warnings),
    maxOutputTokens: form.maxOutputTokens,
    candidateCount: form.choices > 1 ? form.choices : undefined,
    ...encodeOutput(form, traits),
    ...encodeModalities(form, warnings),
    thinkingConfig: encodeThinking(form.reasoning, traits.thinking, warnings),
  });
  return Object.keys(config).length === 0 ? undefined : config;
}

function encodeSampling(sampling: SamplingWish, warnings: Warning[]): Json {
  const { stop, logprobs, topLogprobs } = sampling;
  if (sampling.logitBias !== undefined) {
    warnings.push(dropped('logit_bias', 'This provider has no logit bias.'));
  }
  if (stop !== undefined && stop.length > STOPS_MAX) {
    const message = `This provider takes ${STOPS_MAX} stop sequences; the rest were left out.`;
    warnings.push({ code: 'clamped', param: 'stop', message });
  }
  return {
    temperature: sampling.temperature,
    topP: sampling.topP,
    topK: sampling.topK,
    frequencyPenalty: sampling.frequencyPenalty,
    presencePenalty: sampling.presencePenalty,
    seed: sampling.seed,
    stopSequences: stop === undefined || stop.length === 0 ? undefined : stop.slice(0, STOPS_MAX),
    responseLogprobs: logprobs === true ? true : undefined,
    logprobs: logprobs === true ? topLogprobs : undefined,
  };
}

function encodeOutput({ output, tools }: ChatForm, traits: ModelTraits): Json {
  if (output.kind === 'text') return {};
  const hasTools = tools.some((tool) => tool.kind === 'function');
  if (hasTools && !traits.combinesTools) {
    const message = 'This model does not take functions and a format of its answer together.';
    throw new CannotSay('response_format', message);
  }
  const json = { responseMimeType: 'application/json' };
  return output.kind === 'json' ? json : { ...json, responseJsonSchema: output.schema };
}

function encodeModalities({ modalities, audioOutput }: ChatForm, warnings: Warning[]): Json {
  const textOnly = modalities.every((modality) => modality === 'text');
  if (textOnly) return {};
  const responseModalities = modalities.map((modality) => modality.toUpperCase());
  if (audioOutput === undefined) return { responseModalities };
  const { voice, format } = audioOutput;
  if (format !== 'pcm16') {
    const message = 'This provider answers in PCM of 16 bits at 24 kHz.';
    warnings.push({ code: 'ignored', param: 'audio.format', message });
  }
  const voiceName = textOf(voice) ?? (isRecord(voice) ? textOf(voice['id']) : undefined);
  if (voiceName === undefined) return { responseModalities };
  const speechConfig = { voiceConfig: { prebuiltVoiceConfig: { voiceName } } };
  return { responseModalities, speechConfig };
}

const TIERS: ReadonlyMap<string, string> = new Map([
  ['default', 'standard'],
  ['flex', 'flex'],
  ['priority', 'priority'],
  // OpenAI's word for it since 2026-07-30.
  ['fast', 'priority'],
]);

function encodeTier({ serviceTier }: ChatForm, warnings: Warning[]): string | undefined {
  if (serviceTier === undefined || serviceTier === 'auto') return undefined;
  const tier = TIERS.get(serviceTier);
  if (tier === undefined) {
    const message = `This provider has no service tier "${serviceTier}".`;
    warnings.push(dropped('service_tier', message));
  }
  return tier;
}

/** A warning about something that the form says and Google cannot. */
function dropped(param: string, message: string): Warning {
  return { code: 'dropped', param, message };
}

function warnOfRest(form: ChatForm, warnings: Warning[]): void {
  const unsaid: readonly (readonly [string, boolean, string])[] = [
    [
      'parallel_tool_calls',
      form.parallelToolCalls === false,
      'This provider cannot be kept from calling several tools at once.',
    ],
    ['verbosity', form.verbosity !== undefined, 'This provider has no verbosity.'],
    ['store', form.store === true, 'This provider stores no answers.'],
    ['user', form.endUser !== undefined, 'This provider takes no id of the end user.'],
    ['metadata', form.metadata !== undefined, 'This provider takes no metadata.'],
    [
      'prompt_cache_key',
      form.promptCacheKey !== undefined,
      'This provider caches prompts by itself.',
    ],
    [
      form.continues?.kind ?? '',
      form.continues !== undefined,
      'This provider keeps no state between requests.',
    ],
  ];
  for (const [param, isSaid, message] of unsaid) {
    if (isSaid) warnings.push(dropped(param, message));
  }
}

/** Google's own settings, as they stand; the form's words come first. */
function addNative(body: Json, form: ChatForm): void {
  for (const [key, value] of Object.entries(form.native[GOOGLE] ?? {})) {
    const said = body[key];
    if (said === undefined) body[key] = value;
    else if (isRecord(said) && isRecord(value)) body[key] = { ...value, ...said };
  }
}
