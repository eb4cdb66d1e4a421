/** Writes sampling settings in Cohere's words and within the ranges that it accepts. */
import type { ChatForm } from '#providers/form.ts';
import type { Warning } from '#providers/provider.ts';

interface Setting {
  /** The caller's name of it, and Cohere's. */
  readonly param: string;
  readonly key: string;
  readonly value: number | undefined;
  readonly least: number;
  readonly most: number;
}

const STOPS_MAX = 5;

export function encodeSampling(form: ChatForm, warnings: Warning[]): Record<string, unknown> {
  const { sampling } = form;
  const body: Record<string, unknown> = {};
  for (const setting of settingsOf(form)) put(setting, body, warnings);
  onePenalty(body, warnings);
  if (sampling.seed !== undefined) body['seed'] = sampling.seed;
  if (sampling.logprobs === true) body['logprobs'] = true;
  const { stop } = sampling;
  if (stop !== undefined && stop.length > 0) {
    body['stop_sequences'] = stop.slice(0, STOPS_MAX);
    if (stop.length > STOPS_MAX) {
      const message = `Cohere takes ${STOPS_MAX} stop sequences; the first ones were sent.`;
      warnings.push({ code: 'clamped', param: 'stop', message });
    }
  }
  return body;
}

function settingsOf({ sampling }: ChatForm): readonly Setting[] {
  const { temperature, topP, topK, frequencyPenalty, presencePenalty } = sampling;
  const penalty = { least: 0, most: 1 };
  return [
    { param: 'temperature', key: 'temperature', value: temperature, least: 0, most: 1 },
    { param: 'top_p', key: 'p', value: topP, least: 0.01, most: 0.99 },
    { param: 'top_k', key: 'k', value: topK, least: 0, most: 500 },
    {
      param: 'frequency_penalty',
      key: 'frequency_penalty',
      value: frequencyPenalty,
      ...penalty,
    },
    { param: 'presence_penalty', key: 'presence_penalty', value: presencePenalty, ...penalty },
  ];
}

function put(setting: Setting, body: Record<string, unknown>, warnings: Warning[]): void {
  const { param, key, value, least, most } = setting;
  if (value === undefined) return;
  const sent = Math.min(Math.max(value, least), most);
  body[key] = sent;
  if (sent === value) return;
  const message = `Cohere takes ${least} to ${most}; ${sent} was sent.`;
  warnings.push({ code: 'clamped', param, message });
}

/** "cannot specify both frequency_penalty and presence_penalty" (Cohere's documented refusal). */
function onePenalty(body: Record<string, unknown>, warnings: Warning[]): void {
  if (body['frequency_penalty'] === undefined || body['presence_penalty'] === undefined) return;
  const idle = body['frequency_penalty'] === 0 ? 'frequency_penalty' : 'presence_penalty';
  if (body[idle] !== 0) {
    const message = 'Cohere takes one penalty at a time; frequency_penalty was sent.';
    warnings.push({ code: 'dropped', param: idle, message });
  }
  delete body[idle];
}
