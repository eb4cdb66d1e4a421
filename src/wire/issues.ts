/**
 * What Zod found wrong with a request, in the words of OpenAI's API: the first field at fault, by
 * its path in the body. Values are never repeated in the message, only their types: they may be
 * secrets.
 */
import { GatewayError } from './errors.ts';
import { invalidType, invalidValue, missingParameter, unknownParameter } from './refusals.ts';
import type { z } from './z.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

const ROOT = 'body';
const IDENTIFIER = /^[A-Za-z_$][\w$-]*$/;
const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'a boolean',
  array: 'an array',
  object: 'an object',
  record: 'an object',
  null: 'null',
};
/** Fields that tell the variants of a union apart. */
const TAGS: ReadonlySet<PropertyKey> = new Set(['type', 'role']);

/** `messages[0].content`, as OpenAI writes a path; "body" for the whole. */
function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!IDENTIFIER.test(String(step))) text += `['${String(step)}']`;
    else text += text === '' ? String(step) : `.${String(step)}`;
  }
  return text === '' ? ROOT : text;
}

/**
 * `body` is what was checked. `place` names the route for fields that do not exist ("POST
 * /v1/keys").
 */
export function toRequestError(error: z.core.$ZodError, body: unknown, place = ROOT): GatewayError {
  const [first] = error.issues;
  if (first === undefined) return new GatewayError('invalid_request_error');
  const issue = sharpest(first, []);
  const value = valueAt(body, issue.path);
  const param = formatPath(issue.path);
  if (issue.issue.code === 'unrecognized_keys') {
    const prefix = issue.path.length === 0 ? [] : issue.path;
    return unknownParameter(
      issue.issue.keys.map((key) => formatPath([...prefix, key])),
      place,
    );
  }
  if (value === undefined) return missingParameter(param);
  const expected = expectedTypes(issue.issue);
  if (expected.length > 0) return invalidType(param, expected.join(' or '), typeName(value));
  return invalidValue(param, expectation(issue.issue));
}

interface Located {
  readonly issue: Issue;
  readonly path: Path;
}

/**
 * Follows a union's issue into the variant that was meant: the one whose tag fits, else the only
 * one whose outer type fits. Without such a variant the union itself is at fault.
 */
function sharpest(issue: Issue, base: Path): Located {
  const path = [...base, ...issue.path];
  if (issue.code !== 'invalid_union') return { issue, path };
  const meant = issue.errors.filter((branch) => branch.length > 0 && branch.every(isInside));
  // Where no tag fits, the last variant speaks: the open one, which only wants a tag.
  const [first] = meant.find((branch) => !branch.some(isAtTag)) ?? meant.at(-1) ?? [];
  return first === undefined ? { issue, path } : sharpest(first, path);
}

/** Not a complaint about the value itself but about something in it. */
function isInside(issue: Issue): boolean {
  return issue.path.length > 0 || issue.code === 'unrecognized_keys' || isNestedInside(issue);
}

function isNestedInside(issue: Issue): boolean {
  return (
    issue.code === 'invalid_union' &&
    issue.errors.some((branch) => branch.length > 0 && branch.every(isInside))
  );
}

function isAtTag(issue: Issue): boolean {
  const [step] = issue.path;
  return issue.path.length === 1 && step !== undefined && TAGS.has(step);
}

function expectedTypes(issue: Issue): readonly string[] {
  if (issue.code === 'invalid_type') return [TYPE_NAMES[issue.expected] ?? issue.expected];
  if (issue.code === 'custom') {
    const expected: unknown = issue.params?.['expected'];
    return typeof expected === 'string' ? [expected] : [];
  }
  if (issue.code !== 'invalid_union') return [];
  const branches = issue.errors.map((branch) => branch.flatMap(expectedTypes));
  return [...new Set(branches.flat())];
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number' && !Number.isFinite(value)) return 'a number out of range';
  if (typeof value === 'number' && !Number.isInteger(value)) return 'a fraction';
  return TYPE_NAMES[typeof value] ?? typeof value;
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'too_small':
      return `expected ${measured(issue.origin, 'at least', issue.minimum)}`;
    case 'too_big':
      return `expected ${measured(issue.origin, 'at most', issue.maximum)}`;
    case 'invalid_value':
      return `expected ${issue.values.map((value) => `'${String(value)}'`).join(' or ')}`;
    case 'invalid_union':
      return unionExpectation(issue);
    case 'custom':
      return issue.message;
    default:
      return 'the API does not take it';
  }
}

function unionExpectation(issue: Extract<Issue, { code: 'invalid_union' }>): string {
  const options = 'options' in issue && Array.isArray(issue.options) ? issue.options : [];
  return options.length === 0
    ? 'it is none of the forms that the API takes here'
    : `expected one of ${options.map((option) => `'${String(option)}'`).join(', ')}`;
}

function measured(origin: string, bound: string, limit: number | bigint): string {
  const plural = Number(limit) === 1 ? '' : 's';
  if (origin === 'array') return `${bound} ${limit} item${plural}`;
  if (origin === 'string') return `${bound} ${limit} character${plural}`;
  return `a number of ${bound} ${limit}`;
}

function valueAt(body: unknown, path: Path): unknown {
  let value = body;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step))
      return undefined;
    const descriptor = Object.getOwnPropertyDescriptor(value, step);
    value = descriptor?.value;
  }
  return value;
}
