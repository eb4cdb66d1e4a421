/** Writes sampling settings within what the model accepts, thinking or not. */
import type { ChatForm } from '#providers/form.ts';
import type { Block, EncodePlace } from './encode-place.ts';

/** Lowest `top_p` beside thinking. */
const TOP_P_THINKING_MIN = 0.95;

export function encodeSampling(form: ChatForm, thinking: boolean, place: EncodePlace): Block {
  warnOfForeign(form, place);
  const body: Block = {};
  const stop = (form.sampling.stop ?? []).filter((text) => text.trim() !== '');
  if (stop.length < (form.sampling.stop?.length ?? 0)) {
    place.warn('dropped', 'stop', 'This provider takes no stop sequences of white space.');
  }
  if (stop.length > 0) body['stop_sequences'] = stop;
  if (place.traits.sampling === 'none') {
    warnOfFixed(form, place);
    return body;
  }
  return { ...body, ...(thinking ? thinkingSampling(form, place) : plainSampling(form, place)) };
}

/** Defaults are left out in silence: they are what the model does anyway. */
function warnOfFixed(form: ChatForm, place: EncodePlace): void {
  const { temperature, topP, topK } = form.sampling;
  const message = 'This model takes no sampling settings.';
  if (temperature !== undefined && temperature !== 1) place.warn('dropped', 'temperature', message);
  if (topP !== undefined && topP !== 1) place.warn('dropped', 'top_p', message);
  if (topK !== undefined) place.warn('dropped', 'top_k', message);
}

function thinkingSampling(form: ChatForm, place: EncodePlace): Block {
  const { temperature, topP, topK } = form.sampling;
  const body: Block = {};
  if (temperature === 1) body['temperature'] = 1;
  else if (temperature !== undefined) {
    place.warn('dropped', 'temperature', 'Thinking allows no temperature but 1.');
  }
  if (topK !== undefined) place.warn('dropped', 'top_k', 'Thinking allows no top_k.');
  if (topP === undefined) return body;
  if ('temperature' in body) {
    const message = 'Thinking takes temperature or top_p, not both; the temperature was sent.';
    place.warn('dropped', 'top_p', message);
    return body;
  }
  if (topP < TOP_P_THINKING_MIN) {
    place.warn('clamped', 'top_p', 'Thinking allows no top_p below 0.95.');
  }
  return { ...body, top_p: Math.min(1, Math.max(TOP_P_THINKING_MIN, topP)) };
}

function plainSampling(form: ChatForm, place: EncodePlace): Block {
  const { temperature, topP, topK } = form.sampling;
  const body: Block = {};
  if (temperature !== undefined) {
    const clamped = Math.min(1, Math.max(0, temperature));
    if (clamped !== temperature) {
      place.warn('clamped', 'temperature', `Temperatures end at 1 here; ${clamped} was sent.`);
    }
    body['temperature'] = clamped;
  }
  if (topK !== undefined) body['top_k'] = topK;
  if (topP === undefined) return body;
  if (place.traits.sampling === 'one' && temperature !== undefined) {
    const message = 'This model takes temperature or top_p, not both; the temperature was sent.';
    place.warn('dropped', 'top_p', message);
    return body;
  }
  body['top_p'] = topP;
  return body;
}

/** Settings that the dialect has no words for. Those that ask for nothing are no loss. */
function warnOfForeign(form: ChatForm, place: EncodePlace): void {
  const { sampling } = form;
  const lost: readonly (readonly [param: string, asked: boolean, message: string])[] = [
    ['frequency_penalty', (sampling.frequencyPenalty ?? 0) !== 0, 'has no frequency penalty.'],
    ['presence_penalty', (sampling.presencePenalty ?? 0) !== 0, 'has no presence penalty.'],
    ['seed', sampling.seed !== undefined, 'has no seed.'],
    ['logit_bias', Object.keys(sampling.logitBias ?? {}).length > 0, 'has no logit bias.'],
    ['logprobs', sampling.logprobs === true, 'returns no log probabilities.'],
    ['top_logprobs', (sampling.topLogprobs ?? 0) > 0, 'returns no log probabilities.'],
    ['n', form.choices > 1, 'gives one answer to a request.'],
    ['verbosity', form.verbosity !== undefined, 'has no verbosity setting.'],
    ['store', form.store === true, 'does not store answers.'],
    ['metadata', Object.keys(form.metadata ?? {}).length > 0, 'keeps no metadata.'],
    ['prompt_cache_key', form.promptCacheKey !== undefined, 'caches by the prompt itself.'],
    ['modalities', form.modalities.some((one) => one !== 'text'), 'answers in text only.'],
    ['reasoning', form.reasoning.encrypted === true, 'signs thoughts instead of encrypting them.'],
  ];
  for (const [param, asked, message] of lost) {
    if (asked) place.warn('dropped', param, `This provider ${message}`);
  }
}
