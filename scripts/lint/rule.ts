/**
 * The types of a lint rule, taken from what oxlint's own tester accepts: it exports no other name
 * for them.
 */
import type { RuleTester } from 'oxlint/plugins-dev';

type AnyRule = Parameters<RuleTester['run']>[1];

export type LintRule = Extract<AnyRule, { create: (context: never) => unknown }>;
export type LintContext = Parameters<LintRule['create']>[0];

/** What a finding points at: a node or a comment. */
export type LintPlace = NonNullable<Parameters<LintContext['report']>[0]['node']>;

/** Path from the root of the checkout, with forward slashes. */
export function pathOf(context: LintContext): string {
  const path = context.filename.replaceAll('\\', '/');
  const root = `${context.cwd.replaceAll('\\', '/')}/`;
  return path.startsWith(root) ? path.slice(root.length) : path;
}
