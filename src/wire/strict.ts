/**
 * Bodies and queries of the management routes. Here, unlike in inference requests, an unknown
 * field is always a mistake and is refused by name: a limit with a typo in it must not be a key
 * without a limit.
 */
import { parseUsd, type NanoUsd } from '#base/money.ts';
import { GatewayError } from './errors.ts';
import { toRequestError } from './issues.ts';
import { invalidType, notYetAvailable } from './refusals.ts';
import { z } from './z.ts';

export interface StrictForm<Schema extends z.ZodType> {
  /** "POST /v1/keys": told with unknown fields. */
  readonly place: string;
  readonly schema: Schema;
  /** Fields of the contract that are not served yet. */
  readonly later: readonly string[];
  /** Fields that hold dollars: read from a body's text, because a float has no exact decimals. */
  readonly amounts: readonly string[];
}

/** Throws a GatewayError (400) that names what is wrong. */
export function parseStrict<Schema extends z.ZodType>(
  form: StrictForm<Schema>,
  body: unknown,
): z.output<Schema> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalidType('body', 'an object', Array.isArray(body) ? 'an array' : 'another value');
  }
  const later = form.later.filter((field) => Object.hasOwn(body, field));
  const [param] = later;
  if (param !== undefined) throw refuseLater(later, param);
  const parsed = form.schema.safeParse(body);
  if (!parsed.success) throw toRequestError(parsed.error, body, form.place);
  return parsed.data;
}

function refuseLater(fields: readonly string[], param: string): GatewayError {
  if (fields.length === 1) return notYetAvailable({ param, instead: 'Leave it out.' });
  const names = fields.map((field) => `'${field}'`).join(', ');
  return new GatewayError('unsupported_parameter', {
    message: `${names} are not available yet. Leave them out.`,
    param,
  });
}

/** More than this in one field is a slip of the keyboard. */
const DOLLARS_MAX = 1_000_000;
const NANO_PER_DOLLAR = 1_000_000_000n;

const DOLLAR_WORDS =
  'as a number or a decimal string, with at most 9 decimals and without an exponent';

interface DollarRange {
  readonly zero: 'allowed' | 'refused';
}

/** Dollars as a JSON number (better: its text) or a decimal string, to nano-dollars. */
export function dollarsSchema({ zero }: DollarRange) {
  const range = zero === 'allowed' ? `from 0 to ${DOLLARS_MAX}` : `above 0, up to ${DOLLARS_MAX}`;
  const forms = z.union([z.string(), z.number()]).meta({
    description: `US dollars ${range}, ${DOLLAR_WORDS}.`,
    examples: ['12.50', 12.5],
  });
  return forms.transform((value, context): NanoUsd => {
    const parsed = parseUsd(String(value));
    const amount = parsed.ok ? parsed.value : null;
    const least = zero === 'allowed' ? 0n : 1n;
    if (amount !== null && amount >= least && amount <= BigInt(DOLLARS_MAX) * NANO_PER_DOLLAR) {
      return amount;
    }
    context.addIssue({ code: 'custom', message: `expected dollars ${range}, ${DOLLAR_WORDS}` });
    return z.NEVER;
  });
}

/** Control characters, and halves of surrogate pairs, which a database does not take. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;

/** One line of text that people read. Surrounding spaces are dropped. */
export function lineSchema(lengthMax: number) {
  return z
    .string()
    .max(lengthMax)
    .refine((text) => text.trim() !== '', { message: 'expected some text', abort: true })
    .refine((text) => !UNPRINTABLE.test(text), {
      message: 'expected one line of text without control characters',
    })
    .transform((text) => text.trim());
}

/** A whole number in a query, where every value is text. */
export function queryNumberSchema(min: number, max: number) {
  return z
    .string()
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max, {
      message: `expected a whole number from ${min} to ${max}`,
    })
    .meta({ type: 'integer', minimum: min, maximum: max })
    .transform(Number);
}
