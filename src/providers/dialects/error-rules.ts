/**
 * How the dialects judge refusals: each has its own table of rules, and what a rule means, and
 * which kinds are the caller's own fault, is the same for all.
 */
import type { UpstreamError } from '#providers/provider.ts';

export type ErrorKind = UpstreamError['kind'];

/** Without statuses it holds for all; of `code` and `message`, if there are any, one must fit. */
export interface ErrorRule {
  readonly kind: ErrorKind;
  readonly statuses?: readonly number[];
  readonly code?: RegExp;
  readonly message?: RegExp;
}

/** What a refusal said, in the words that the dialect's rules are written for. */
export interface Said {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** The kind of the first rule that fits; undefined if none does. */
export function judge(rules: readonly ErrorRule[], said: Said): ErrorKind | undefined {
  return rules.find((rule) => fits(rule, said))?.kind;
}

function fits(rule: ErrorRule, said: Said): boolean {
  if (rule.statuses !== undefined && !rule.statuses.includes(said.status)) return false;
  if (rule.code === undefined && rule.message === undefined) return true;
  return rule.code?.test(said.code) === true || rule.message?.test(said.message) === true;
}

const CALLERS_OWN: ReadonlySet<ErrorKind> = new Set<ErrorKind>([
  'invalid_request',
  'context_length',
  'content_filter',
]);

/** Whether another target may do better. */
export function retryOf(kind: ErrorKind): UpstreamError['retry'] {
  return CALLERS_OWN.has(kind) ? 'never' : 'elsewhere';
}
