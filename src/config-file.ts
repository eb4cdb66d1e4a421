/**
 * The operator's config file, YAML or JSON: parsed once, checked whole, every fault told with its
 * line. Part of `config.ts`; nothing else reads the file.
 */
import {
  isMap,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
  type YAMLParseError,
} from 'yaml';
import { z } from 'zod';
import { headerFault } from '#base/http1/request-head.ts';
import type { PriceList, PriceSheet } from '#wire/price.ts';
import { secretFault, type Environment } from './config-environment.ts';

const decimal = z
  .string('write prices as strings, so that no digit is lost: "0.15"')
  .regex(/^\d{1,12}(?:\.\d{1,12})?$/, 'expected a decimal such as "0.15"');

const priceFields = {
  input: decimal,
  output: decimal,
  cache_read: decimal,
  cache_write_5m: decimal,
  cache_write_1h: decimal,
  reasoning: decimal,
  audio_input: decimal,
  audio_output: decimal,
  image_input: decimal,
  image_output: decimal,
  image: decimal,
  second: decimal,
  character: decimal,
  request: decimal,
};
const tokens = z.int().min(1).max(1_000_000_000);

const priceSchema = z
  .strictObject({
    ...priceFields,
    tiers: z.array(
      z
        .strictObject(priceFields)
        .partial()
        .extend({ above_input_tokens: z.int().min(1) }),
    ),
  })
  .partial();

const endpointSchema = z.strictObject({
  provider: z.string().min(1),
  model: z.string().min(1).optional(),
  price: priceSchema.optional(),
  context: tokens.optional(),
  max_output: tokens.optional(),
});

const modelSchema = z.strictObject({
  endpoints: z.array(endpointSchema).min(1).optional(),
  alias: z.array(z.string().min(1)).min(1).max(8).optional(),
  context: tokens.optional(),
  max_output: tokens.optional(),
  capabilities: z.array(z.string()).optional(),
});

const secret = z
  .string()
  .trim()
  .min(1)
  .superRefine((text, context) => {
    const message = secretFault(text);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });

const providerSchema = z.strictObject({
  type: z.string().optional(),
  base_url: z.url({ protocol: /^https?$/, error: 'expected an http or https URL' }).optional(),
  api_key: secret.optional(),
  api_keys: z.array(secret).min(1).max(64).optional(),
  region: z.string().optional(),
  project: z.string().optional(),
  account: z.string().optional(),
  timeout_ms: z.int().min(1).max(3_600_000).optional(),
  headers: z
    .record(z.string().regex(/^[a-z0-9-]+$/i, 'a header has letters, digits and -'), z.string())
    .superRefine((headers, context) => {
      for (const [name, value] of Object.entries(headers)) {
        const message = headerFault(name.toLowerCase(), value);
        if (message !== null) context.addIssue({ code: 'custom', path: [name], message });
      }
    })
    .optional(),
  priority: z.int().min(-1000).max(1000).optional(),
});

const fileSchema = z.strictObject({
  providers: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9._-]*$/i, 'a name has letters, digits, . _ and -'),
      providerSchema,
    )
    .optional(),
  models: z.record(z.string().min(1), modelSchema).optional(),
});

export type FileContent = z.infer<typeof fileSchema>;
export type FileProvider = z.infer<typeof providerSchema>;
export type FileModel = z.infer<typeof modelSchema>;
type FilePrice = z.infer<typeof priceSchema>;

/** Fields of the contract whose step has not come: named, not silently accepted. */
const LATER_FIELDS = new Set(['rpm', 'tpm', 'weight', 'capabilities']);

export type FilePath = readonly PropertyKey[];

export interface FileFault {
  /** `models.gpt-4o.endpoints[0].price` */
  readonly path: string;
  /** From 1; null where the file has no such place. */
  readonly line: number | null;
  readonly message: string;
}

export interface ParsedFile {
  readonly content: FileContent;
  /** The line on which a path, or the nearest thing around it, stands. */
  readonly lineOf: (path: FilePath) => number | null;
}

export function pathText(path: FilePath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? String(step) : `.${String(step)}`;
  }
  return text;
}

function nodeAt(document: Document, path: FilePath): Node | null {
  const found: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  return isScalar(found) || isMap(found) ? found : null;
}

/** The line of a key in a map, where the key itself is what is wrong. */
function keyOffset(document: Document, path: FilePath, key: string): number | null {
  const map = nodeAt(document, path);
  if (!isMap(map)) return null;
  const pair = map.items.find((item) => isScalar(item.key) && item.key.value === key);
  return pair !== undefined && isScalar(pair.key) ? (pair.key.range?.[0] ?? null) : null;
}

function makeLineOf(document: Document, lines: LineCounter): (path: FilePath) => number | null {
  return (path) => {
    for (let length = path.length; length > 0; length -= 1) {
      const parent = path.slice(0, length - 1);
      const offset =
        keyOffset(document, parent, String(path[length - 1])) ??
        nodeAt(document, path.slice(0, length))?.range?.[0];
      if (offset !== undefined && offset !== null) return lines.linePos(offset).line;
    }
    return null;
  };
}

function toFaults(error: z.ZodError, lineOf: ParsedFile['lineOf']): FileFault[] {
  return error.issues.flatMap((issue): FileFault[] => {
    if (issue.code !== 'unrecognized_keys') {
      return [{ path: pathText(issue.path), line: lineOf(issue.path), message: issue.message }];
    }
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      const message = LATER_FIELDS.has(key)
        ? 'is not available yet; leave it out'
        : 'there is no such field';
      return { path: pathText(path), line: lineOf(path), message };
    });
  });
}

/** What a value must be, in words that an operator knows. */
const EXPECTED: Readonly<Record<string, string>> = {
  string: 'expected a text; one that looks like a number needs quotation marks',
  number: 'expected a number',
  int: 'expected a whole number',
  boolean: 'expected true or false',
  array: 'expected a list',
  object: 'expected fields, each with a name and a value',
  record: 'expected names, each with what belongs to it',
};

const UNITS: Readonly<Record<string, string>> = { string: ' characters', array: ' entries' };

function boundText(side: 'least' | 'most', bound: number | bigint, origin: string): string {
  const unit = UNITS[origin];
  if (side === 'least' && Number(bound) === 1 && unit !== undefined) return 'must not be empty';
  return `expected at ${side} ${bound}${unit ?? ''}`;
}

/** Says what was expected and never what was found: it may be a secret. For Zod's `error`. */
export function toWords(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing';
      return EXPECTED[issue.expected] ?? 'expected something else';
    case 'too_small':
      return boundText('least', issue.minimum, issue.origin);
    case 'too_big':
      return boundText('most', issue.maximum, issue.origin);
    case 'invalid_value':
      return `expected one of ${issue.values.join(', ')}`;
    case 'invalid_key':
      return issue.issues[0]?.message ?? 'this name cannot be used';
    default:
      return 'is not written as expected';
  }
}

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

interface Expansion {
  readonly env: Environment;
  readonly faults: FileFault[];
  readonly lineOf: ParsedFile['lineOf'];
}

/** `${NAME}` in any string becomes the variable's value; a missing one is a fault. */
function expand(value: unknown, path: FilePath, into: Expansion): unknown {
  if (typeof value === 'string') {
    return value.replace(VARIABLE, (_whole, name: string) => {
      const found = into.env[name];
      if (found !== undefined && found !== '') return found;
      const message = `the environment variable ${name} is not set`;
      into.faults.push({ path: pathText(path), line: into.lineOf(path), message });
      return '';
    });
  }
  if (Array.isArray(value)) {
    return value.map((element: unknown, index) => expand(element, [...path, index], into));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, expand(member, [...path, key], into)]),
  );
}

interface SyntaxFault {
  readonly offset: number;
  readonly message: string;
}

/** The parser's words as far as they do not quote the file. */
function toSyntaxFault({ code, message, pos }: YAMLParseError): SyntaxFault {
  const [words = ''] = code === 'BAD_DIRECTIVE' ? ['Unknown directive'] : message.split(':');
  return { offset: pos[0], message: words };
}

function aliasFaults(document: Document): readonly SyntaxFault[] {
  const faults: SyntaxFault[] = [];
  visit(document, {
    Alias(_key, { range }) {
      faults.push({ offset: range?.[0] ?? 0, message: 'aliases are not served; write it out' });
    },
  });
  return faults;
}

function withoutUndefined(list: Readonly<Record<string, string | undefined>>): PriceList {
  return Object.fromEntries(Object.entries(list).filter(([, value]) => value !== undefined));
}

/** A price as the house writes it; it holds from today. */
export function toPriceSheet(price: FilePrice | undefined): PriceSheet | null {
  if (price === undefined) return null;
  const { tiers = [], ...list } = price;
  return {
    list: withoutUndefined(list),
    tiers: tiers.map(({ above_input_tokens: aboveInputTokens, ...rates }) => ({
      aboveInputTokens,
      ...withoutUndefined(rates),
    })),
    source: 'config',
    effectiveFrom: new Date().toISOString().slice(0, 10),
  };
}

/**
 * Reads the text of the file. The faults name fields and lines and never a value: it may be a
 * secret.
 */
export function parseConfigFile(
  text: string,
  env: Environment,
):
  | { readonly ok: true; readonly file: ParsedFile }
  | { readonly ok: false; readonly faults: readonly FileFault[] } {
  const lines = new LineCounter();
  // What the parser warns of it would print, with the text that it warns of.
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  });
  const unread = [...document.errors.map(toSyntaxFault), ...aliasFaults(document)];
  if (unread.length > 0) {
    const placed = unread.map(({ offset, message }) => {
      return { path: '', line: lines.linePos(offset).line, message };
    });
    return { ok: false, faults: placed };
  }
  const lineOf = makeLineOf(document, lines);
  const faults: FileFault[] = [];
  const value: unknown = document.toJS({ maxAliasCount: 0 });
  const expanded = expand(value ?? {}, [], { env, faults, lineOf });
  if (faults.length > 0) return { ok: false, faults };
  const parsed = fileSchema.safeParse(expanded, { error: toWords });
  if (!parsed.success) return { ok: false, faults: toFaults(parsed.error, lineOf) };
  return { ok: true, file: { content: parsed.data, lineOf } };
}
