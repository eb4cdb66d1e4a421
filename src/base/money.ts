/**
 * Money without floats. An amount is a whole number of nano-dollars (1e-9 USD). A rate is a whole
 * number of atto-dollars (1e-18 USD) per unit, fine enough for every published price; a cost is
 * summed exactly in atto-dollars and rounded once, up, to a nano-dollar (money.md, rule 1).
 */
import { err, ok, type Result } from './result.ts';

declare const nanoUsdBrand: unique symbol;
declare const rateBrand: unique symbol;

/** Nano-dollars. May be negative only for entries of the ledger. */
export type NanoUsd = bigint & { readonly [nanoUsdBrand]: true };
/** Atto-dollars per unit (token, image, second ...). Never negative. */
export type Rate = bigint & { readonly [rateBrand]: true };

const NANO_DIGITS = 9;
const ATTO_DIGITS = 18;
const MILLION_DIGITS = 6;
const ATTO_PER_NANO = 1_000_000_000n;
/** The digit's character. */
const ZERO = 0x30;
/** Longer strings are refused before they reach BigInt, whose parser is not linear. */
const DECIMAL_LENGTH_MAX = 40;
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

/** Brands a whole number of nano-dollars. */
export function nanoUsd(amount: bigint): NanoUsd {
  // oxlint-disable-next-line typescript/consistent-type-assertions -- only way to brand
  return amount as NanoUsd;
}

export const ZERO_USD: NanoUsd = nanoUsd(0n);

function parseScaled(text: string, digits: number): Result<bigint, string> {
  const match = text.length <= DECIMAL_LENGTH_MAX ? DECIMAL.exec(text) : null;
  if (match === null) return err('expected a decimal number such as "0.15"');
  const [, sign = '', whole = '', fraction = ''] = match;
  if (fraction.length > digits && /[1-9]/.test(fraction.slice(digits))) {
    return err(`at most ${digits} decimal places can be kept exactly`);
  }
  const scaled = BigInt(whole + fraction.slice(0, digits).padEnd(digits, '0'));
  return ok(sign === '-' ? -scaled : scaled);
}

/**
 * Dollars as a decimal string, such as "12.50", to nano-dollars. Refuses more than nine decimals.
 */
export function parseUsd(text: string): Result<NanoUsd, string> {
  const parsed = parseScaled(text, NANO_DIGITS);
  return parsed.ok ? ok(nanoUsd(parsed.value)) : parsed;
}

/** Nano-dollars to the shortest exact decimal string in dollars: valid as a JSON number too. */
export function formatUsd(amount: NanoUsd): string {
  const negative = amount < 0n;
  const digits = (negative ? -amount : amount).toString().padStart(NANO_DIGITS + 1, '0');
  const point = digits.length - NANO_DIGITS;
  let end = digits.length;
  while (end > point && digits.charCodeAt(end - 1) === ZERO) end -= 1;
  const whole = `${negative ? '-' : ''}${digits.slice(0, point)}`;
  return end === point ? whole : `${whole}.${digits.slice(point, end)}`;
}

/** A published price in dollars per million units ("0.075") to a rate per unit. */
export function parseRatePerMillion(text: string): Result<Rate, string> {
  return toRate(parseScaled(text, ATTO_DIGITS - MILLION_DIGITS));
}

/** A published price in dollars per unit ("0.04") to a rate per unit. */
export function parseRatePerUnit(text: string): Result<Rate, string> {
  return toRate(parseScaled(text, ATTO_DIGITS));
}

function toRate(parsed: Result<bigint, string>): Result<Rate, string> {
  if (!parsed.ok) return parsed;
  if (parsed.value < 0n) return err('a price cannot be negative');
  // oxlint-disable-next-line typescript/consistent-type-assertions -- only way to brand
  return ok(parsed.value as Rate);
}

/**
 * `units x rate` in atto-dollars, to be summed before it is rounded. Units are whole and not
 * negative. Each step of this arithmetic allocates: what is nothing is passed over.
 */
export function attoOf(units: number, rate: Rate): bigint {
  return units === 0 || rate === 0n ? 0n : BigInt(units) * rate;
}

/** A sum of atto-dollars, rounded up. */
export function roundUp(atto: bigint): NanoUsd {
  return atto === 0n ? ZERO_USD : nanoUsd((atto + ATTO_PER_NANO - 1n) / ATTO_PER_NANO);
}

export function subtractUsd(a: NanoUsd, b: NanoUsd): NanoUsd {
  return nanoUsd(a - b);
}

export function maxUsd(a: NanoUsd, b: NanoUsd): NanoUsd {
  return a > b ? a : b;
}
