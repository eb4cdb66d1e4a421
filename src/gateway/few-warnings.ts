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

/** The first of them, each bounded, and how many more there are. */
export function fewWarnings(warnings: readonly Warning[]): readonly Warning[] {
  if (warnings.length === 0) return warnings;
  const few = warnings.slice(0, WARNINGS_MAX).map(({ code, param, message }) => ({
    code,
    param: clip(param, PARAM_LENGTH_MAX),
    message: clip(message, MESSAGE_LENGTH_MAX),
  }));
  const more = warnings.length - few.length;
  const [next] = warnings.slice(WARNINGS_MAX);
  if (next === undefined) return few;
  const message = `${more} more of the request's settings are not taken as they stand.`;
  return [...few, { code: next.code, param: clip(next.param, PARAM_LENGTH_MAX), message }];
}
