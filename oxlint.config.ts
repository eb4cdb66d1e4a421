/**
 * The limits and habits of the house as lint errors; the rooms' walls come from `src/floorplan.ts`.
 */
import { existsSync, readdirSync } from 'node:fs';
import { defineConfig, type OxlintConfig } from 'oxlint';
import { outsideOverride, roomOverrides } from './scripts/lint/rooms.ts';
import { GENERATED_FILES, MONEY_FILES, PROVIDER_ID_FILES, TEST_FILES } from './src/floorplan.ts';

type Rules = NonNullable<OxlintConfig['rules']>;

const providersFolder = new URL('./src/providers/', import.meta.url);

/** A provider is a folder with an index.ts. */
const providerIds = existsSync(providersFolder)
  ? readdirSync(providersFolder).filter((name) =>
      existsSync(new URL(`${name}/index.ts`, providersFolder)),
    )
  : [];

/** Size and shape. */
const limits: Rules = {
  'max-lines': ['error', { max: 400 }],
  'max-lines-per-function': ['error', { max: 70 }],
  'max-params': ['error', { max: 3 }],
  // A switch counts as one: exhaustive switches over a union are the house's way to branch.
  complexity: ['error', { max: 12, variant: 'modified' }],
  'unicorn/filename-case': ['error', { case: 'kebabCase' }],
};

/** Types are not talked down. */
const types: Rules = {
  'typescript/no-explicit-any': 'error',
  'typescript/no-non-null-assertion': 'error',
  'typescript/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
  'typescript/consistent-type-imports': 'error',
  'typescript/ban-ts-comment': 'error',
  'typescript/no-unsafe-argument': 'error',
  'typescript/no-unsafe-assignment': 'error',
  'typescript/no-unsafe-call': 'error',
  'typescript/no-unsafe-member-access': 'error',
  'typescript/no-unsafe-return': 'error',
  'typescript/no-misused-promises': 'error',
  'typescript/only-throw-error': 'error',
  'typescript/return-await': ['error', 'error-handling-correctness-only'],
  // Assertions are refused altogether, and a negated brand of bigint is a bigint.
  'typescript/no-unsafe-type-assertion': 'off',
  'typescript/no-unsafe-unary-minus': 'off',
  // The compiler's noImplicitReturns says the same.
  'typescript/consistent-return': 'off',
  'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
};

/** Habits. */
const habits: Rules = {
  eqeqeq: 'error',
  'no-console': 'error',
  // Refusing control characters is a gateway's work.
  'no-control-regex': 'off',
  'no-empty': 'error',
  'no-var': 'error',
  'prefer-const': 'error',
  'no-unused-vars': 'error',
  'no-shadow': ['error', { hoist: 'never' }],
  'no-param-reassign': 'error',
  'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'hack', 'xxx'] }],
  'import/no-cycle': 'error',
  // fast-check documents `fc.` on its default import.
  'import/no-named-as-default-member': 'off',
  'import/no-default-export': 'error',
  'unicorn/prefer-node-protocol': 'error',
  // A small function reads best beside its only use.
  'unicorn/consistent-function-scoping': 'off',
  'node/no-process-env': 'error',
  'house/file-name': 'error',
  'house/opening-comment': 'error',
  'house/honest-comments': 'error',
  'house/comment-width': 'error',
  'house/inside-room': 'error',
  'house/no-export-all': 'error',
  'house/no-module-state': 'error',
  'house/no-provider-switch': 'error',
  'house/no-raw-sql': 'error',
};

/** What cannot hold where nothing is known about types. */
const untyped: Rules = {
  'typescript/no-unsafe-argument': 'off',
  'typescript/no-unsafe-assignment': 'off',
  'typescript/no-unsafe-call': 'off',
  'typescript/no-unsafe-member-access': 'off',
  'typescript/no-unsafe-return': 'off',
  'typescript/unbound-method': 'off',
};

// oxlint reads its configuration from the default export.
export default defineConfig({
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'node', 'vitest'],
  jsPlugins: ['./scripts/lint/house.ts'],
  categories: { correctness: 'error', suspicious: 'error' },
  ignorePatterns: ['**/fixtures/**', 'benchmarks/**/node_modules/**'],
  rules: { ...limits, ...types, ...habits },
  overrides: [
    ...roomOverrides(),
    outsideOverride(),
    {
      files: [...GENERATED_FILES],
      rules: {
        'max-lines': 'off',
        'house/comment-width': 'off',
        'typescript/no-duplicate-type-constituents': 'off',
      },
    },
    {
      files: ['sdk/typescript/src/**'],
      rules: {
        'no-restricted-imports': [
          'error',
          { patterns: [{ regex: '^[^.]|^\\.\\./\\.\\./', message: 'The SDK has no dependency.' }] },
        ],
      },
    },
    { files: ['src/**'], rules: { 'house/no-provider-id': ['error', ...providerIds] } },
    { files: [...MONEY_FILES], rules: { 'house/no-float': 'error' } },
    { files: [...PROVIDER_ID_FILES], rules: { 'house/no-provider-id': 'off' } },
    {
      files: [
        'src/cli/**',
        'src/node.ts',
        'src/start-screen.ts',
        'scripts/**',
        'benchmarks/**',
        'sdk/generator/**',
        'sdk/tests/*.mjs',
      ],
      rules: { 'no-console': 'off' },
    },
    {
      files: ['src/testing/**'],
      // An import without names brings in an augmentation of vitest's types.
      rules: { 'house/no-raw-sql': 'off', 'import/no-unassigned-import': 'off' },
    },
    {
      // node.ts hands the environment to config.ts, which alone reads it.
      files: [
        'src/node.ts',
        'src/config.ts',
        'src/cli/omnix.ts',
        'src/cli/prepare-database.ts',
        'src/testing/**',
        'scripts/**',
        'benchmarks/**',
        'sdk/tests/*.mjs',
      ],
      rules: { 'node/no-process-env': 'off' },
    },
    {
      files: ['*.config.ts', 'scripts/lint/house.ts', 'src/worker.ts'],
      rules: { 'import/no-default-export': 'off' },
    },
    {
      // They are zod, whatever it exports.
      files: ['scripts/worker-zod*.{mjs,mts}'],
      rules: {
        'house/no-export-all': 'off',
        'import/no-default-export': 'off',
        'import/export': 'off',
      },
    },
    {
      files: [...TEST_FILES],
      rules: {
        'max-lines': ['error', { max: 600 }],
        'max-lines-per-function': 'off',
        // A property's function takes one parameter per generator.
        'max-params': ['error', { max: 5 }],
        'house/no-provider-id': 'off',
        // What a file's hooks prepare for its tests.
        'house/no-module-state': 'off',
        'house/no-float': 'off',
        'house/no-raw-sql': 'off',
        // The matchers of vitest are of type any, and spies are compared unbound.
        'typescript/no-unsafe-assignment': 'off',
        'typescript/unbound-method': 'off',
        'vitest/expect-expect': ['error', { assertFunctionNames: ['expect', 'fc.assert'] }],
        // The second argument of expect() names the case in a loop.
        'vitest/valid-expect': ['error', { maxArgs: 2 }],
        'house/no-sleep': 'error',
        'house/no-room-mock': 'error',
        'node/no-process-env': 'off',
      },
    },
    // Without types of their own: plain JavaScript, and the tools' files, which no tsconfig.json
    // names.
    { files: ['**/*.mjs', '**/*.js', '*.config.ts', 'benchmarks/k6/**'], rules: untyped },
  ],
});
