/**
 * What the k6 scripts share: where the gateway is, which key and model to use, and what a request
 * looks like. Everything comes from the environment: BASE_URL, API_KEY, MODEL.
 */

export const baseUrl = __ENV.BASE_URL || 'http://127.0.0.1:8787/v1';
export const model = __ENV.MODEL || 'sandbox/echo';

export const params = {
  headers: {
    authorization: `Bearer ${__ENV.API_KEY || ''}`,
    'content-type': 'application/json',
  },
};

/** A number from the environment, or the default. */
export function numberFrom(name, fallback) {
  return Number(__ENV[name] || fallback);
}

/** `words` words of prose, a token each. */
export function proseOf(words) {
  return 'river '.repeat(words).trim();
}

/** The JSON body of a chat request. */
export function toBody(words, extra) {
  const messages = [{ role: 'user', content: proseOf(words) }];
  return JSON.stringify(Object.assign({ model, messages, max_completion_tokens: 256 }, extra));
}
