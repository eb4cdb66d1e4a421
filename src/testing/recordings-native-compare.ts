/**
 * What differs between what a host with a dialect of its own said and what the official OpenAI
 * client was given: a list that should be empty.
 */
import { isDeepStrictEqual } from 'node:util';
import { at, isObject, listOf, parse, stringOf } from './recordings-json.ts';
import { promptTokens, type NativeReading } from './recordings-native-answer.ts';
import type { ChoiceReading, Reading } from './recordings-reading.ts';

const SHOWN_CHARACTERS = 200;

/** The client's view: what it read, and everything that it was sent. */
export interface NativeView {
  readonly reading: Reading;
  readonly events: readonly unknown[];
}

/** Every part of the recorded answer that the client did not get as it was. */
export function compareNative(recorded: NativeReading, view: NativeView): string[] {
  const { reading } = view;
  if (recorded.error !== null) return [];
  const choice = reading.choices.get(0);
  if (choice === undefined) return ['the client got no choice'];
  const readable = choice.reasoning['reasoning_content'] ?? '';
  const differences = [
    ...differ('text', recorded.text, choice.text),
    ...differ('refusal', recorded.refusal, choice.refusal),
    ...differ('reasoning', recorded.reasoning, readable),
    ...differ('finish', recorded.finish, choice.finish),
    ...compareCalls(recorded, choice),
    ...compareTold(recorded, view.events),
    ...compareTokens(recorded, reading),
  ];
  if (reading.choices.size > 1) differences.push('choices were made up');
  return differences;
}

function compareCalls(recorded: NativeReading, choice: ChoiceReading): string[] {
  const got = choice.toolCalls.map(({ id, name, arguments: text }, index) => ({
    // Any id of ours will do where the host gave none, if it is one.
    id: recorded.calls[index]?.id === null && id !== '' ? null : id,
    name,
    input: parse(text),
  }));
  const unique = new Set(choice.toolCalls.map(({ id }) => id)).size === got.length;
  return [
    ...differ('tool calls', recorded.calls, got),
    ...(unique ? [] : ['two tool calls share an id']),
  ];
}

/** Signatures, sources and images stand somewhere in what the client was sent. */
function compareTold(recorded: NativeReading, events: readonly unknown[]): string[] {
  const opaque = new Map<string, string>();
  const annotations: unknown[] = [];
  const seen = { images: 0 };
  for (const event of events) {
    for (const choice of listOf(at(event, 'choices'))) {
      const part = at(choice, 'message') ?? at(choice, 'delta');
      annotations.push(...listOf(at(part, 'annotations')));
      seen.images += listOf(at(part, 'images')).length;
      collectOpaque(part, opaque);
    }
  }
  const told = JSON.stringify(annotations);
  const blobs = new Set(opaque.values());
  const differences: string[] = [];
  for (const signature of recorded.signatures) {
    if (!blobs.has(signature)) differences.push(`a signature is lost: ${signature.slice(0, 40)}`);
  }
  for (const source of recorded.sources) {
    if (!told.includes(JSON.stringify(source))) differences.push(`a source is lost: ${source}`);
  }
  return [...differences, ...differ('images', recorded.images, seen.images)];
}

/** Pieces of one blob have the same place in its list, by their `index`. */
function collectOpaque(part: unknown, into: Map<string, string>): void {
  for (const detail of listOf(at(part, 'reasoning_details'))) {
    const place = `detail ${JSON.stringify(at(detail, 'index') ?? into.size)}`;
    const blob = stringOf(at(detail, 'signature')) + stringOf(at(detail, 'data'));
    if (blob !== '') into.set(place, (into.get(place) ?? '') + blob);
  }
  const signed = [...listOf(at(part, 'tool_calls')), ...listOf(at(part, 'images')), part];
  for (const one of signed) {
    const blob = stringOf(at(one, 'extra_content', 'google', 'thought_signature'));
    if (blob !== '') into.set(`extra ${into.size}`, blob);
  }
}

function compareTokens(recorded: NativeReading, reading: Reading): string[] {
  const { tokens } = reading;
  if (recorded.tokens === null) return tokens === null ? ['usage is missing'] : [];
  const expected = {
    prompt: promptTokens(recorded.tokens),
    completion: recorded.tokens.generated,
    total: promptTokens(recorded.tokens) + recorded.tokens.generated,
    cached: recorded.tokens.cacheRead,
    reasoning: recorded.tokens.reasoning,
  };
  return differ('tokens', expected, tokens);
}

function differ(what: string, expected: unknown, actual: unknown): string[] {
  if (isDeepStrictEqual(plain(expected), plain(actual))) return [];
  return [`${what}: recorded ${show(expected)}, got ${show(actual)}`];
}

/** Without prototypes and undefined members, which are none of JSON's. */
function plain(value: unknown): unknown {
  return isObject(value) || Array.isArray(value) ? parse(JSON.stringify(value)) : value;
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, SHOWN_CHARACTERS);
}
