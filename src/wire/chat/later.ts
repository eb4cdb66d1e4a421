/**
 * Fields, headers and model suffixes of the contract that are not served yet. They are refused by
 * name: a setting that is silently ignored is worse than an error.
 */
import type { LaterUse } from '../refusals.ts';

/** Body fields, each with the sentence that says what to do instead. */
export const LATER_FIELDS: Readonly<Record<string, string>> = {
  route: 'Leave it out; `models` lists fallbacks.',
  transforms: 'Leave it out and send the messages as the model should see them.',
  plugins: 'Leave it out; tools and `web_search_options` are passed on to models that have them.',
  preset: 'Leave it out and send the parameters themselves.',
};

/** What `provider` may say today. */
const PROVIDER_FIELDS: ReadonlySet<string> = new Set(['require_parameters']);

const PROVIDER_INSTEAD =
  'Leave it out, or put the provider before the model ("provider-name/model") to pin it; ' +
  '`models` lists fallbacks.';

/** Request headers, lower case, each with the sentence that says what to do instead. */
const LATER_HEADERS: Readonly<Record<string, string>> = {
  'x-omnix-explain': 'Leave the header out; GET /v1/generation shows every attempt of a request.',
};

/** Endings of a model id. */
export const LATER_MODEL_SUFFIXES: readonly string[] = [':floor', ':nitro'];

const SUFFIX_INSTEAD = 'Leave the suffix out.';

/** The first setting of a parsed chat request that is not served yet, or null. */
export function findLaterField(body: object): LaterUse | null {
  for (const [param, instead] of Object.entries(LATER_FIELDS)) {
    if (Object.hasOwn(body, param)) return { param, instead };
  }
  const preference = 'provider' in body ? laterPreference(body.provider) : null;
  if (preference !== null) return preference;
  const named = 'model' in body ? laterSuffix(body.model, 'model') : null;
  if (named !== null || !('models' in body) || !Array.isArray(body.models)) return named;
  for (const [index, model] of body.models.entries()) {
    const suffix = laterSuffix(model, `models[${index}]`);
    if (suffix !== null) return suffix;
  }
  return null;
}

/** The first preference of `provider` that is not served yet, or null. */
function laterPreference(provider: unknown): LaterUse | null {
  if (typeof provider !== 'object' || provider === null || Array.isArray(provider)) return null;
  const name = Object.keys(provider).find((key) => !PROVIDER_FIELDS.has(key));
  return name === undefined ? null : { param: `provider.${name}`, instead: PROVIDER_INSTEAD };
}

/** The suffix that a model id ends in and that is not served yet, or null. */
function laterSuffix(model: unknown, param: string): LaterUse | null {
  if (typeof model !== 'string') return null;
  const name = LATER_MODEL_SUFFIXES.find((suffix) => model.endsWith(suffix));
  return name === undefined ? null : { param, name, instead: SUFFIX_INSTEAD };
}

/** `name` lower case. The refusal of a request header that is not served yet, or null. */
export function findLaterHeader(name: string): LaterUse | null {
  const instead = Object.hasOwn(LATER_HEADERS, name) ? LATER_HEADERS[name] : undefined;
  return instead === undefined ? null : { param: name, instead };
}
