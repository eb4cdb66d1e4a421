/**
 * What differs between what was recorded and what came through the gateway: a list that should be
 * empty.
 */
import { isDeepStrictEqual } from 'node:util';
import { at, isObject, listOf, objectOf, type JsonObject } from './recordings-json.ts';
import type { Reading, TokenReading } from './recordings-reading.ts';

const SHOWN_CHARACTERS = 160;

/** Every part of the recorded answer that the client did not get as it was. */
export function compareReadings(recorded: Reading, actual: Reading): string[] {
  const differences: string[] = [];
  for (const [index, choice] of recorded.choices) {
    const got = actual.choices.get(index);
    if (got === undefined) {
      differences.push(`choice ${index} is lost`);
      continue;
    }
    const pairs: readonly (readonly [string, unknown, unknown])[] = [
      ['text', choice.text, got.text],
      ['refusal', choice.refusal, got.refusal],
      ['reasoning', choice.reasoning, got.reasoning],
      ['tool calls', choice.toolCalls, got.toolCalls],
      ['function call', choice.functionCall, got.functionCall],
      ['annotations', choice.annotations, got.annotations],
      ['audio', choice.audio, got.audio],
      ['finish', choice.finish, got.finish],
    ];
    for (const [what, expected, got_] of pairs) {
      if (!isDeepStrictEqual(expected, got_)) differences.push(differ(what, expected, got_));
    }
  }
  if (actual.choices.size > recorded.choices.size) differences.push('choices were made up');
  return [...differences, ...compareTokens(recorded.tokens, actual.tokens)];
}

function compareTokens(recorded: TokenReading | null, actual: TokenReading | null): string[] {
  if (actual === null) return ['usage is missing'];
  if (recorded === null) {
    const counted = (actual.prompt ?? 0) > 0 && (actual.completion ?? -1) >= 0;
    return counted ? [] : [differ('counted usage', 'tokens', actual)];
  }
  const differences: string[] = [];
  for (const name of ['prompt', 'completion', 'total', 'cached', 'reasoning'] as const) {
    const said = recorded[name];
    if (said !== null && said !== actual[name]) {
      differences.push(differ(`${name} tokens`, said, actual[name]));
    }
  }
  return differences;
}

/** Members of an answer that are ours by contract, or in which ours are added. */
const OURS = new Set(['usage', 'provider', 'warnings', 'x_groq']);

/**
 * Everything else that the host said beside what a `Reading` knows: log probabilities, citations,
 * executed tools, ids. Events are parsed; those without choices carry usage, which is compared
 * elsewhere.
 */
export function compareMembers(recorded: readonly unknown[], actual: readonly unknown[]): string[] {
  const expected = recorded.filter(hasChoices);
  const got = actual.filter(hasChoices);
  if (expected.length !== got.length) {
    return [differ('events with choices', expected.length, got.length)];
  }
  const differences: string[] = [];
  for (const [index, event] of expected.entries()) {
    for (const [name, value] of Object.entries(objectOf(event))) {
      const other = objectOf(got[index])[name];
      if (OURS.has(name) || isDeepStrictEqual(value, other)) continue;
      differences.push(differ(`event ${index}, ${name}`, value, other));
    }
  }
  return differences.slice(0, 3);
}

function hasChoices(event: unknown): boolean {
  return listOf(at(event, 'choices')).length > 0;
}

/**
 * Everything of a request, down to the members of its messages, that did not reach the upstream as
 * it was sent, unless the answer warned of it. The written list of what may change without a
 * warning: the model's id is mapped to the host's own, a stream asks for usage, and `n: 1`, which
 * says nothing, is left out for hosts that know no `n`.
 */
export function compareRequests(
  sent: JsonObject,
  received: unknown,
  warned: ReadonlySet<string>,
): string[] {
  if (!isObject(received)) return ['the upstream got no JSON object'];
  return [...changes(sent, received, '')]
    .filter((change) => change.path !== 'model' && !isTold(change.path, warned))
    .filter((change) => !(sent['stream'] === true && asksForUsage(change)))
    .filter((change) => !isRenamed(change, sent, warned))
    .filter(({ path, before, after }) => !(path === 'n' && before === 1 && after === undefined))
    .map(({ path, before, after }) => differ(`parameter ${path}`, before, after));
}

export interface Change {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The smallest places in which two JSON values differ. */
export function* changes(before: unknown, after: unknown, path: string): Iterable<Change> {
  if (isDeepStrictEqual(before, after)) return;
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    for (const [index, value] of before.entries()) {
      yield* changes(value, after[index], `${path}[${index}]`);
    }
    return;
  }
  if (!isObject(before) || !isObject(after)) {
    yield { path, before, after };
    return;
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    yield* changes(before[key], after[key], path === '' ? key : `${path}.${key}`);
  }
}

/** The new name of something whose old name was warned of. */
function isRenamed(change: Change, sent: JsonObject, warned: ReadonlySet<string>): boolean {
  if (change.before !== undefined || change.after === undefined) return false;
  return [...warned].some((old) => isDeepStrictEqual(sent[old], change.after));
}

/** A warning names the place itself or one above it. */
function isTold(path: string, warned: ReadonlySet<string>): boolean {
  for (const param of warned) {
    if (path === param || path.startsWith(`${param}.`) || path.startsWith(`${param}[`)) return true;
  }
  return false;
}

function asksForUsage({ path, before, after }: Change): boolean {
  if (path === 'stream_options.include_usage') return after === true;
  return (
    path === 'stream_options' &&
    before === undefined &&
    isDeepStrictEqual(after, { include_usage: true })
  );
}

function differ(what: string, expected: unknown, actual: unknown): string {
  return `${what}: recorded ${show(expected)}, got ${show(actual)}`;
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, SHOWN_CHARACTERS);
}
