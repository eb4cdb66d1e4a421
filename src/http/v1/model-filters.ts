/**
 * The filters of GET /v1/models, with OpenRouter's names where it has them. A filter that is not
 * known is refused: who asks for less and gets everything would not notice.
 */
import type { PublicModel } from '#gateway/endpoint.ts';
import { invalidValue, unknownParameter } from '#wire/refusals.ts';
import { parametersOf, sheetOf } from './model-view.ts';

export interface ModelQuery {
  /** The whole catalog, and not only what this key can use. */
  readonly all: boolean;
  readonly matches: (model: PublicModel) => boolean;
}

type Test = (model: PublicModel) => boolean;

const MODALITIES = ['text', 'image', 'audio', 'video', 'file', 'embedding'];
const QUERY_LENGTH_MAX = 200;
const DECIMAL = /^\d{1,9}(?:\.\d{1,12})?$/;
const WHOLE = /^\d{1,9}$/;

function listOf(name: string, value: string): readonly string[] {
  const words = value.split(',').map((word) => word.trim());
  if (words.includes('')) throw invalidValue(name, 'expected names with commas between them');
  return words;
}

/** Every wanted name must be there. */
function all(name: string, namesOf: (model: PublicModel) => readonly string[]) {
  return (value: string): Test => {
    const wanted = listOf(name, value);
    return (model) => {
      const names = namesOf(model);
      return wanted.every((word) => names.includes(word));
    };
  };
}

function modalities(name: string, namesOf: (model: PublicModel) => readonly string[]) {
  return (value: string): Test => {
    const wanted = listOf(name, value);
    if (wanted.some((word) => !MODALITIES.includes(word))) {
      throw invalidValue(name, `expected any of ${MODALITIES.join(', ')}`);
    }
    return all(name, namesOf)(value);
  };
}

function byProvider(value: string): Test {
  const wanted = listOf('provider', value);
  return (model) =>
    wanted.some(
      (name) =>
        model.hosts.includes(name) ||
        model.endpoints.some(({ providerName }) => providerName === name),
    );
}

/** Dollars per million input tokens; a model without a price per token has none to compare. */
function byMaxPrice(value: string): Test {
  if (!DECIMAL.test(value)) {
    throw invalidValue('max_price', 'expected dollars per million input tokens, such as 0.5');
  }
  const most = Number(value);
  return (model) => {
    const price = sheetOf(model)?.list.input;
    return price !== undefined && Number(price) <= most;
  };
}

function byContext(value: string): Test {
  if (!WHOLE.test(value)) throw invalidValue('context', 'expected a whole number of tokens');
  const least = Number(value);
  return ({ context }) => context !== null && context >= least;
}

/** Every word of the search stands in the id, the name or the lab. */
function bySearch(value: string): Test {
  if (value.length > QUERY_LENGTH_MAX) {
    throw invalidValue('q', `expected at most ${QUERY_LENGTH_MAX} characters`);
  }
  const words = value.toLowerCase().split(/\s+/);
  return ({ id, name, lab }) => {
    const text = `${lab ?? ''} ${id} ${name}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
}

const FILTERS: ReadonlyMap<string, (value: string) => Test> = new Map([
  ['provider', byProvider],
  ['capability', all('capability', ({ capabilities }) => capabilities)],
  ['supported_parameters', all('supported_parameters', parametersOf)],
  ['input_modalities', modalities('input_modalities', (model) => model.inputModalities)],
  ['output_modalities', modalities('output_modalities', (model) => model.outputModalities)],
  ['max_price', byMaxPrice],
  ['context', byContext],
  ['q', bySearch],
]);

/** Throws a refusal that names the filter. */
export function readModelQuery(parameters: Readonly<Record<string, string>>): ModelQuery {
  const { available, ...filters } = parameters;
  if (available !== undefined && available !== 'all') {
    throw invalidValue('available', "expected 'all'");
  }
  const unknown = Object.keys(filters).filter((name) => !FILTERS.has(name));
  if (unknown.length > 0) throw unknownParameter(unknown, 'GET /v1/models');
  const tests = Object.entries(filters).flatMap(
    ([name, value]) => FILTERS.get(name)?.(value) ?? [],
  );
  return {
    all: available === 'all',
    matches: (model) => tests.every((test) => test(model)),
  };
}
