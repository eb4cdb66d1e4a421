/**
 * Warnings as far as anybody reads them. Each unknown field of a body has one, so a body of a
 * million fields would make an answer and a receipt of a hundred megabytes, and receipts stay.
 */
import type { Warning } from '#providers/provider.ts';

const WARNINGS_MAX = 32;
const PARAM_LENGTH_MAX = 200;
const MESSAGE_LENGTH_MAX = 1_000;

function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 3)}...`;
}

/** An answer cut short, then what is missing: what must be told comes before what may be. */
const FIRST: readonly Warning['code'][] = ['clamped', 'dropped', 'deprecated'];

function rankOf({ code }: Warning): number {
  const rank = FIRST.indexOf(code);
  return rank < 0 ? FIRST.length : rank;
}

function bounded({ code, param, message }: Warning): Warning {
  return {
    code,
    param: clip(param, PARAM_LENGTH_MAX),
    message: clip(message, MESSAGE_LENGTH_MAX),
  };
}

/** The most telling of them, each bounded, and how many more there are. */
export function fewWarnings(warnings: readonly Warning[]): readonly Warning[] {
  if (warnings.length === 0) return warnings;
  if (warnings.length <= WARNINGS_MAX) return warnings.map(bounded);
  const sorted = warnings.toSorted((a, b) => rankOf(a) - rankOf(b));
  const [next = sorted[0]] = sorted.slice(WARNINGS_MAX);
  const few = sorted.slice(0, WARNINGS_MAX).map(bounded);
  if (next === undefined) return few;
  const message = `${warnings.length - few.length} more of the settings are not taken as they stand.`;
  return [...few, { ...bounded(next), message }];
}
