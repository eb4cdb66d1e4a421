/**
 * The floor plan and the limits are worth what the linter finds: violations are planted in a copy
 * of the project, and each must be reported by its rule. Without this, a change of configuration
 * could turn a wall into paint.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COPIED = [
  'oxlint.config.ts',
  'package.json',
  'tsconfig.json',
  'tsconfig.node.json',
  'scripts/lint',
  'src/floorplan.ts',
  'src/tsconfig.json',
];
const OPENING = '/** Planted. */\n';
const PROVIDER = 'src/providers/acme/index.ts';

interface Plant {
  readonly intent: string;
  readonly path: string;
  readonly code: string;
}

interface Violation extends Plant {
  /** The rule that must report it. */
  readonly rule: string;
}

const WALLS: readonly Violation[] = [
  {
    intent: 'a room that the floor plan forbids',
    path: 'src/ledger/forbidden-room.ts',
    code: "export { serve } from '#gateway/serve.ts';",
    rule: 'eslint(no-restricted-imports)',
  },
  {
    intent: 'a forbidden room, as a type',
    path: 'src/providers/forbidden-type.ts',
    code: "import type { Ledger } from '#ledger/ledger.ts';\nexport type L = Ledger;",
    rule: 'eslint(no-restricted-imports)',
  },
  {
    intent: 'a forbidden room, at run time',
    path: 'src/base/forbidden-dynamic.ts',
    code: "export const load = (): Promise<unknown> => import('#wire/errors.ts');",
    rule: 'eslint(no-restricted-imports)',
  },
  {
    intent: 'more of providers than their offers, in the catalog',
    path: 'src/catalog/too-much.ts',
    code: "export { registry } from '#providers/registry.ts';",
    rule: 'eslint(no-restricted-imports)',
  },
  {
    intent: 'a root file from a room',
    path: 'src/gateway/root-file.ts',
    code: "export { config } from '#config.ts';",
    rule: 'eslint(no-restricted-imports)',
  },
  {
    intent: 'src/testing from production code',
    path: 'src/compose.ts',
    code: "export { fixedClock } from '#testing/clock.ts';",
    rule: 'eslint(no-restricted-imports)',
  },
  {
    intent: 'a package that belongs to another room',
    path: 'src/gateway/forbidden-package.ts',
    code: "export { sql } from 'drizzle-orm';",
    rule: 'eslint(no-restricted-imports)',
  },
  {
    intent: "a subpath of another room's package",
    path: 'src/gateway/forbidden-subpath.ts',
    code: "export { pgTable } from 'drizzle-orm/pg-core';",
    rule: 'eslint(no-restricted-imports)',
  },
  {
    intent: 'undici anywhere but in tests and benchmarks',
    path: 'src/base/adapter.node.ts',
    code: "export { request } from 'undici';",
    rule: 'eslint(no-restricted-imports)',
  },
  {
    intent: "Node's modules in a file that runs everywhere",
    path: 'src/store/node-module.ts',
    code: "export { readFileSync } from 'node:fs';",
    rule: 'eslint(no-restricted-imports)',
  },
  {
    intent: 'an adapter from a file that runs everywhere',
    path: 'src/gateway/sees-adapter.ts',
    code: "export { openPostgres } from '#store/postgres.node.ts';",
    rule: 'eslint(no-restricted-imports)',
  },
  {
    intent: 'a circle of imports',
    path: 'src/base/circle.ts',
    code: "import { half } from './half-circle.ts';\nexport const whole = (): string => half();",
    rule: 'import(no-cycle)',
  },
  {
    intent: 'the other half of a circle',
    path: 'src/base/half-circle.ts',
    code: "import { whole } from './circle.ts';\nexport const half = (): string => whole();",
    rule: 'import(no-cycle)',
  },
  {
    intent: 'a relative path out of the room',
    path: 'src/gateway/chat/leaves.ts',
    code: "export { ledger } from '../../ledger/ledger.ts';",
    rule: 'house(inside-room)',
  },
  {
    intent: "the room's own name beside the file",
    path: 'src/gateway/roundabout.ts',
    code: "export { plan } from '#gateway/plan.ts';",
    rule: 'house(inside-room)',
  },
];

const HABITS: readonly Violation[] = [
  {
    intent: 'state of a module',
    path: 'src/gateway/module-state.ts',
    code: 'export let count = 0;\nexport function bump(): void {\n  count += 1;\n}',
    rule: 'house(no-module-state)',
  },
  {
    intent: 'a fraction in the ledger',
    path: 'src/ledger/fraction.ts',
    code: 'export const share = 0.5;',
    rule: 'house(no-float)',
  },
  {
    intent: 'a conversion to number in the ledger',
    path: 'src/ledger/conversion.ts',
    code: 'export const toCents = (amount: bigint): number => Number(amount);',
    rule: 'house(no-float)',
  },
  {
    intent: 'rounding in the price arithmetic',
    path: 'src/catalog/price-rounding.ts',
    code: 'export const up = (amount: number): number => Math.ceil(amount);',
    rule: 'house(no-float)',
  },
  {
    intent: "a provider's id",
    path: 'src/gateway/provider-id.ts',
    code: "export const isAcme = (id: string): boolean => id === 'acme';",
    rule: 'house(no-provider-id)',
  },
  {
    intent: "a provider's id before a model's name",
    path: 'src/gateway/provider-prefix.ts',
    code: 'export const toModel = (name: string): string => `acme/${name}`;',
    rule: 'house(no-provider-id)',
  },
  {
    intent: 'a switch over providers',
    path: 'src/gateway/provider-switch.ts',
    code: [
      'export function pathFor(target: { readonly providerId: string }): string {',
      '  switch (target.providerId) {',
      "    default:\n      return '/v1';",
      '  }\n}',
    ].join('\n'),
    rule: 'house(no-provider-switch)',
  },
  {
    intent: 'raw SQL',
    path: 'src/store/raw-sql.ts',
    code: [
      'interface Sql {\n  readonly raw: (text: string) => string;\n}',
      'export const all = (sql: Sql, table: string): string => sql.raw(`select * from ${table}`);',
    ].join('\n'),
    rule: 'house(no-raw-sql)',
  },
  {
    intent: 'a default export',
    path: 'src/base/default-export.ts',
    code: 'export default 1;',
    rule: 'import(no-default-export)',
  },
  {
    intent: 'everything exported from elsewhere',
    path: 'src/base/exports-all.ts',
    code: "export * from './default-export.ts';",
    rule: 'house(no-export-all)',
  },
  {
    intent: 'a barrel',
    path: 'src/base/index.ts',
    code: "export { up } from './up.ts';",
    rule: 'house(file-name)',
  },
  {
    intent: 'a vague file name',
    path: 'src/base/string-utils.ts',
    code: 'export const one = 1;',
    rule: 'house(file-name)',
  },
  {
    intent: 'a file name that is not kebab-case',
    path: 'src/base/camelCase.ts',
    code: 'export const one = 1;',
    rule: 'unicorn(filename-case)',
  },
  {
    intent: 'a cast',
    path: 'src/base/cast.ts',
    code: 'export const toText = (value: unknown): string => value as string;',
    rule: 'typescript(consistent-type-assertions)',
  },
  {
    intent: 'a suppression without its reason',
    path: 'src/base/silenced.ts',
    code: '// oxlint-disable-next-line no-console\nconsole.log(1);',
    rule: 'house(honest-comments)',
  },
  {
    intent: 'the console',
    path: 'src/base/console.ts',
    code: 'console.log(1);',
    rule: 'eslint(no-console)',
  },
  {
    intent: 'the environment',
    path: 'src/store/environment.node.ts',
    code: "export const url = process.env['DATABASE_URL'];",
    rule: 'node(no-process-env)',
  },
  {
    intent: 'a promise that nobody waits for',
    path: 'src/base/floating.ts',
    code: 'export function start(run: () => Promise<void>): void {\n  run();\n}',
    rule: 'typescript(no-floating-promises)',
  },
  {
    intent: 'a test that sleeps',
    path: 'src/base/sleepy.test.ts',
    code: 'await new Promise((resolve) => setTimeout(resolve, 50));\nexport const woken = true;',
    rule: 'house(no-sleep)',
  },
  {
    intent: 'a mock of our own room',
    path: 'src/gateway/mocks.test.ts',
    code: "import { vi } from 'vitest';\nvi.mock('#ledger/ledger.ts');",
    rule: 'house(no-room-mock)',
  },
];

const LIMITS: readonly Violation[] = [
  {
    intent: 'a file of 401 lines',
    path: 'src/base/long-file.ts',
    code: Array.from({ length: 400 }, (_, at) => `export const n${at} = ${at};`).join('\n'),
    rule: 'eslint(max-lines)',
  },
  {
    intent: 'a function of more than 70 lines',
    path: 'src/base/long-function.ts',
    code: functionOf(Array.from({ length: 70 }, (_, at) => `  log(${at});`).join('\n')),
    rule: 'eslint(max-lines-per-function)',
  },
  {
    intent: 'a fourth parameter',
    path: 'src/base/four-parameters.ts',
    code: 'export const sum = (a: number, b: number, c: number, d: number): number => a + b + c + d;',
    rule: 'eslint(max-params)',
  },
  {
    intent: 'thirteen ways through a function',
    path: 'src/base/complex.ts',
    code: functionOf(
      Array.from({ length: 12 }, (_, at) => `  if (at === ${at}) log(at);`).join('\n'),
    ),
    rule: 'eslint(complexity)',
  },
  {
    intent: 'a comment of 101 columns',
    path: 'src/base/wide-comment.ts',
    code: `// ${'a'.repeat(98)}`,
    rule: 'house(comment-width)',
  },
  {
    intent: 'no opening comment',
    path: 'src/base/unopened.ts',
    code: '\nexport const one = 1;',
    rule: 'house(opening-comment)',
  },
];

const ALLOWED: readonly Plant[] = [
  {
    intent: "a provider's offers, in the catalog",
    path: 'src/catalog/offers-only.ts',
    code: "export { acmeOffers } from '#providers/acme/offers.ts';",
  },
  {
    intent: 'src/testing from a test',
    path: 'src/gateway/uses-testing.test.ts',
    code: "export { fixedClock } from '#testing/clock.ts';",
  },
  {
    intent: 'undici as the oracle of a test',
    path: 'src/base/oracle.test.ts',
    code: "export { request } from 'undici';",
  },
  {
    intent: 'a suppression with its reason',
    path: 'src/base/explained.ts',
    code: '// oxlint-disable-next-line no-console -- planted to show the form\nconsole.log(1);',
  },
  {
    intent: 'SQL that stands in the code',
    path: 'src/store/literal-sql.ts',
    code: 'export const all = (sql: { raw(text: string): string }): string => sql.raw("select 1");',
  },
  {
    intent: "a long list of a host's offers, with the names of labs",
    path: 'src/providers/acme/offers.ts',
    code: `export const acmeOffers = [\n${"  'other/model',\n".repeat(500)}];`,
  },
  {
    intent: 'an honest file',
    path: 'src/ledger/honest.ts',
    code: [
      "import { ok, type Result } from '#base/result.ts';",
      "import { held } from './held.ts';",
      'export const available = (balance: bigint): Result<bigint, string> => ok(balance - held);',
    ].join('\n'),
  },
  {
    intent: 'what an honest file imports',
    path: 'src/ledger/held.ts',
    code: 'export const held = 1n;',
  },
];

function functionOf(body: string): string {
  return `export function run(at: number, log: (line: number) => void): void {\n  log(at);\n${body}\n}`;
}

/** The rules that each planted file breaks, by path. */
function lint(folder: string): ReadonlyMap<string, readonly string[]> {
  const oxlint = join(ROOT, 'node_modules/oxlint/bin/oxlint');
  const options = ['--type-aware', '--report-unused-disable-directives', '-f', 'json', 'src'];
  const run = spawnSync(process.execPath, [oxlint, ...options], { cwd: folder, encoding: 'utf8' });
  const report: unknown = JSON.parse(run.stdout);
  const found = new Map<string, string[]>();
  for (const { code, filename } of readDiagnostics(report)) {
    found.set(filename, [...(found.get(filename) ?? []), code]);
  }
  return found;
}

function readDiagnostics(report: unknown): { code: string; filename: string }[] {
  if (typeof report !== 'object' || report === null || !('diagnostics' in report)) return [];
  const { diagnostics } = report;
  return Array.isArray(diagnostics) ? diagnostics.filter(isDiagnostic) : [];
}

function isDiagnostic(entry: unknown): entry is { code: string; filename: string } {
  if (typeof entry !== 'object' || entry === null) return false;
  if (!('code' in entry) || !('filename' in entry)) return false;
  return typeof entry.code === 'string' && typeof entry.filename === 'string';
}

function plant(folder: string, path: string, code: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), code);
}

describe('lint', () => {
  const folder = mkdtempSync(join(tmpdir(), 'omnix-lint-'));
  const violations = [...WALLS, ...HABITS, ...LIMITS];
  const found = new Map<string, readonly string[]>();

  beforeAll(() => {
    for (const path of COPIED) cpSync(join(ROOT, path), join(folder, path), { recursive: true });
    cpSync(join(ROOT, 'src/base/result.ts'), join(folder, 'src/base/result.ts'));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    plant(
      folder,
      'src/providers/other/index.ts',
      `${OPENING}export const other = { id: 'other' };\n`,
    );
    plant(folder, PROVIDER, `${OPENING}export const acme = { id: 'acme' };\n`);
    for (const { path, code } of [...violations, ...ALLOWED]) {
      plant(folder, path, code.startsWith('\n') ? code.trim() : OPENING + code);
    }
    for (const [path, rules] of lint(folder)) found.set(path, rules);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(violations)('reports $intent', ({ path, rule }) => {
    expect(found.get(path)).toContain(rule);
  });

  it.each(ALLOWED)('accepts $intent', ({ path }) => {
    expect(found.get(path)).toBeUndefined();
  });

  it("accepts a provider's id in its own folder", () => {
    expect(found.get(PROVIDER)).toBeUndefined();
  });
});
