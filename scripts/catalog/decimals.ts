/**
 * Floats of data sets to exact decimal strings. Data sets carry prices as JSON floats, some per
 * token and some the result of arithmetic (0.30000000000000004); nobody publishes a price with ten
 * digits.
 */

const DIGITS = 10;
const FORM = /^(\d)(?:\.(\d+))?e([+-]\d+)$/;

/** `value x 10^shift` as the shortest plain decimal string of at most ten significant digits. */
export function toDecimal(value: number, shift = 0): string {
  if (!Number.isFinite(value) || value < 0) throw new Error(`not a price: ${value}`);
  const match = FORM.exec(value.toExponential(DIGITS - 1));
  if (match === null) throw new Error(`not a price: ${value}`);
  const [, first = '', rest = '', exponent = ''] = match;
  const digits = first + rest;
  const point = 1 + Number(exponent) + shift;
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  const fraction = point >= 0 ? digits.slice(point) : '0'.repeat(-point) + digits;
  const trimmed = fraction.replace(/0+$/, '');
  const plain = whole.replace(/^0+(?=\d)/, '');
  return trimmed === '' ? plain : `${plain}.${trimmed}`;
}
