/** Writes sampling, limits and the settings around a request; what has no word here is told. */
import type { ChatForm, Part } from '#providers/form.ts';
import { isRecord } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import type { Thinking } from './encode-reasoning.ts';
import type { Block } from './media.ts';
import { BEDROCK } from './native.ts';
import { warn } from './place.ts';
import type { Place } from './place.ts';

/**
 * Members of Converse that a caller may name himself, beside the words of his dialect. Not those
 * that change the price: `performanceConfig`, and `serviceTier`, for which the dialect has a word.
 */
const PASSED: ReadonlySet<string> = new Set([
  'guardrailConfig',
  'requestMetadata',
  'promptVariables',
  'additionalModelResponseFieldPaths',
  'additionalModelRequestFields',
]);

/** The caller's own members of Converse, from whichever door; others of the chat door are told. */
export function callersOwn(form: ChatForm, place: Place): JsonRecord {
  const own: Record<string, unknown> = { ...form.native[BEDROCK] };
  for (const [door, members] of Object.entries(form.native)) {
    if (door === BEDROCK) continue;
    for (const [key, value] of Object.entries(members)) {
      if (PASSED.has(key)) own[key] = value;
      else warn(place, 'dropped', { param: key, message: `This provider has no "${key}".` });
    }
  }
  return own;
}

/** Converse's bounds for every model. */
const TEMPERATURE_MAX = 1;

export function encodeInference(form: ChatForm, thinking: Thinking, place: Place): Block {
  const { temperature, topP } = sampled(form, thinking, place);
  const stopSequences = form.sampling.stop?.filter((text) => text !== '');
  return {
    ...(form.maxOutputTokens === undefined ? {} : { maxTokens: form.maxOutputTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(stopSequences === undefined || stopSequences.length === 0 ? {} : { stopSequences }),
  };
}

interface Sampling {
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
}

function sampled(form: ChatForm, thinking: Thinking, place: Place): Sampling {
  const { temperature, topP } = form.sampling;
  const none = thinking.bare || place.family.sampling === 'none';
  if (none) {
    const why = thinking.bare ? 'while it reasons' : 'at all';
    drop(place, { temperature, top_p: topP }, `This model takes no sampling ${why}.`);
    return { temperature: undefined, topP: undefined };
  }
  const warm = temperature !== undefined && temperature > TEMPERATURE_MAX;
  if (warm) {
    const message = `The highest temperature of this provider is ${TEMPERATURE_MAX}.`;
    warn(place, 'clamped', { param: 'temperature', message });
  }
  const cooled = warm ? TEMPERATURE_MAX : temperature;
  if (place.family.sampling !== 'one' || cooled === undefined) return { temperature: cooled, topP };
  drop(place, { top_p: topP }, 'This model takes temperature or top_p, not both.');
  return { temperature: cooled, topP: undefined };
}

/** A warning for each of the settings that is there. */
function drop(place: Place, settings: JsonRecord, message: string): void {
  for (const [param, value] of Object.entries(settings)) {
    if (value !== undefined) warn(place, 'dropped', { param, message });
  }
}

/** `top_k` where the family has it. */
export function topKFields(form: ChatForm, thinking: Thinking, place: Place): Block {
  const { topK } = form.sampling;
  if (topK === undefined) return {};
  const path = place.family.topK;
  if (path === null || thinking.bare) {
    drop(place, { top_k: topK }, 'This model takes no top_k here.');
    return {};
  }
  const [outer = 'top_k', inner] = path;
  return { [outer]: inner === undefined ? topK : { [inner]: topK } };
}

const TIERS: ReadonlySet<string> = new Set(['default', 'flex', 'priority', 'reserved']);
const METADATA_ENTRIES_MAX = 16;
const METADATA_TEXT = /^[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}$/;

export function encodeAround(form: ChatForm, place: Place): Block {
  const { serviceTier, metadata } = form;
  const around: Block = {};
  if (serviceTier !== undefined && TIERS.has(serviceTier)) {
    around['serviceTier'] = { type: serviceTier };
  } else if (serviceTier !== undefined && serviceTier !== 'auto') {
    drop(place, { service_tier: serviceTier }, 'This provider has no such service tier.');
  }
  const requestMetadata = encodeMetadata(metadata ?? {}, place);
  if (Object.keys(requestMetadata).length > 0) around['requestMetadata'] = requestMetadata;
  return around;
}

/** They stand in the operator's log of invocations, which takes few characters. */
function encodeMetadata(metadata: Readonly<Record<string, string>>, place: Place): Block {
  const taken: Block = {};
  for (const [key, value] of Object.entries(metadata)) {
    const fits = key !== '' && METADATA_TEXT.test(key) && METADATA_TEXT.test(value);
    if (fits && Object.keys(taken).length < METADATA_ENTRIES_MAX) taken[key] = value;
    else {
      const message = 'This provider takes plain text of at most 256 characters here.';
      warn(place, 'dropped', { param: `metadata.${key}`, message });
    }
  }
  return taken;
}

/** What Converse has no word for, whoever the model is. */
export function tellUnsaid(form: ChatForm, place: Place): void {
  const { sampling } = form;
  const textOnly = form.modalities.every((modality) => modality === 'text');
  drop(
    place,
    {
      frequency_penalty: sampling.frequencyPenalty,
      presence_penalty: sampling.presencePenalty,
      seed: sampling.seed,
      logit_bias: sampling.logitBias,
      logprobs: sampling.logprobs === true ? true : undefined,
      top_logprobs: sampling.topLogprobs,
      verbosity: form.verbosity,
      store: form.store === true ? true : undefined,
      prompt_cache_key: form.promptCacheKey,
      user: form.endUser,
      audio: form.audioOutput,
    },
    'This provider has no such setting.',
  );
  drop(place, { n: form.choices > 1 ? form.choices : undefined }, 'One answer at a time here.');
  drop(place, { modalities: textOnly ? undefined : form.modalities }, 'Answers are text here.');
  const named = form.turns.some(({ name }) => name !== undefined);
  drop(place, { 'messages[].name': named || undefined }, 'Speakers have no names here.');
  const detailed = form.turns.some(({ parts }) => parts.some(asksForDetail));
  const detail = { 'messages[].content[].image_url.detail': detailed || undefined };
  drop(place, detail, 'This provider decides by itself in what detail it looks at images.');
  if (form.continues === undefined) return;
  const message = 'This provider keeps no state between requests.';
  warn(place, 'dropped', { param: form.continues.kind, message });
}

function asksForDetail(part: Part): boolean {
  return part.type === 'image' && part.detail !== undefined && part.detail !== 'auto';
}

/** Members of several writers, and the caller's own last; records of one name are joined. */
export function mergeFields(...all: readonly unknown[]): Block {
  const merged: Block = {};
  for (const fields of all) {
    if (!isRecord(fields)) continue;
    for (const [key, value] of Object.entries(fields)) {
      const before = merged[key];
      merged[key] = isRecord(before) && isRecord(value) ? { ...before, ...value } : value;
    }
  }
  return merged;
}
