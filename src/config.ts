/**
 * Environment and config file to one Config, parsed once: the only reader of process.env. What is
 * unknown, missing or of a step that has not come refuses the start and is named.
 */
import { describeError } from '#base/describe-error.ts';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import {
  isLoopback,
  isPrivateAddress,
  parseEgressAllow,
  type EgressAllow,
} from '#base/egress.node.ts';
import type { LogLevel } from '#base/log.ts';
import { StartRefused } from '#base/start-refused.ts';
import type { ConfiguredModel } from '#gateway/directory.ts';
import type { ConfiguredProvider } from '#gateway/make-endpoints.ts';
import { parseKey } from '#identity/api-key.ts';
import type { Environment } from './config-environment.ts';
import { parseConfigFile, pathText, toWords, type ParsedFile } from './config-file.ts';
import { ConfigRefused, faultText, placeConfig, refuse } from './config-places.ts';

export { ConfigRefused };

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  readonly ownerKey: string | null;
  /** Null: one is kept in the data directory. */
  readonly secret: string | null;
  /** Null: the embedded Postgres. */
  readonly databaseUrl: string | null;
  readonly drainMs: number;
  readonly logLevel: LogLevel;
  /** Null: there is none. */
  readonly configPath: string | null;
  readonly providers: readonly ConfiguredProvider[];
  readonly models: readonly ConfiguredModel[];
  /** Line of a path of the config file, for faults that are found later. */
  readonly lineOf: ParsedFile['lineOf'];
  /** What was set and has no effect yet, for the start-up screen. */
  readonly notices: readonly string[];
}

const port = z.coerce.number('expected a port number').int().min(0).max(65_535);
const egressAllow = z.string().transform((text, context) => {
  const parsed = parseEgressAllow(text);
  if (parsed.ok) return parsed.value;
  for (const position of parsed.error) {
    const message = `entry ${position} is no host, no address and no network such as 10.0.0.0/8`;
    context.addIssue({ code: 'custom', message });
  }
  return z.NEVER;
});
/** Checked here because what is refused later has a database to stop. */
const ownerKey = z.string().superRefine((text, context) => {
  const parsed = parseKey(text);
  if (parsed.ok && parsed.value === 'management') return;
  const why = parsed.ok ? 'the key is of another kind' : parsed.error;
  const form =
    'a management key (sk-omx-mgmt-...; "omnix key mgmt" makes one, in a checkout ' +
    '"npm run --silent key -- mgmt")';
  const message = `expected ${form}: ${why}`;
  context.addIssue({ code: 'custom', message });
});
const environmentSchema = z.object({
  PORT: port.default(8787),
  HOST: z.string().default('127.0.0.1'),
  OMNIX_DATA_DIR: z.string().default('.omnix'),
  OMNIX_CONFIG: z.string().optional(),
  OMNIX_OWNER_KEY: ownerKey.optional(),
  OMNIX_SECRET: z.string().min(16, 'expected at least 16 characters').optional(),
  OMNIX_DRAIN_MS: z.coerce.number().int().min(0).max(3_600_000).default(30_000),
  OMNIX_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  OMNIX_WORKERS: z.coerce
    .number()
    .int()
    .min(1)
    .max(1, 'more than one serving process is not available yet; leave it out')
    .default(1),
  OMNIX_EGRESS_ALLOW: egressAllow.optional(),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'expected postgres://...')
    .optional(),
});

const LATER_VARIABLES = ['REDIS_URL', 'UPSTASH_REDIS_REST_URL', 'STRIPE_SECRET_KEY', 'S3_ENDPOINT'];
const KNOWN_VARIABLES = new Set(Object.keys(environmentSchema.shape));
/**
 * Not for the server: of our own scripts and tests, and of clients (our SDK, the examples of the
 * README), which are often tried in the shell that starts it.
 */
const OWN_VARIABLES = new Set([
  'OMNIX_SHARED',
  'OMNIX_NO_RECORDINGS',
  'OMNIX_KEY',
  'OMNIX_API_KEY',
  'OMNIX_BASE_URL',
  'OMNIX_MANAGEMENT_KEY',
]);
const CONFIG_DEFAULT = 'omnix.yaml';
/** Names that are as good, and are not looked for: of two files one would have to lose. */
const CONFIG_MISNAMED = ['omnix.yml', 'omnix.json'];

function readEnvironment(env: Environment): z.infer<typeof environmentSchema> {
  // An empty variable is one that somebody meant to leave unset.
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const faults: string[] = [];
  for (const name of Object.keys(set)) {
    if (!name.startsWith('OMNIX_') || KNOWN_VARIABLES.has(name) || OWN_VARIABLES.has(name))
      continue;
    faults.push(`  ${name}: there is no such variable`);
  }
  const parsed = environmentSchema.safeParse(set, { error: toWords });
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues)
      faults.push(`  ${path.join('.')}: ${message}`);
  }
  if (!parsed.success || faults.length > 0) refuse(faults);
  const { data } = parsed;
  if (data.DATABASE_URL !== undefined && data.OMNIX_SECRET === undefined) {
    refuse([
      '  OMNIX_SECRET: must be set where DATABASE_URL is (16 characters or more, kept secret)',
    ]);
  }
  return data;
}

function readFile(
  path: string | undefined,
  env: Environment,
): { path: string | null; file: ParsedFile } {
  const chosen = path ?? (existsSync(CONFIG_DEFAULT) ? CONFIG_DEFAULT : null);
  if (chosen === null) return { path: null, file: { content: {}, lineOf: () => null } };
  let text: string;
  try {
    text = readFileSync(chosen, 'utf8');
  } catch (error) {
    const why = describeError(error);
    return refuse([`  OMNIX_CONFIG: the file cannot be read (${why})`]);
  }
  const parsed = parseConfigFile(text, env);
  if (!parsed.ok) refuse(parsed.faults.map((fault) => faultText(fault, chosen)));
  return { path: chosen, file: parsed.file };
}

/** What looks like the config file and is not read. */
function misnamedFiles(path: string | null): readonly string[] {
  if (path !== null) return [];
  return CONFIG_MISNAMED.filter((name) => existsSync(name)).map(
    (name) => `${name} is not read: name it ${CONFIG_DEFAULT}, or set OMNIX_CONFIG=${name}.`,
  );
}

/** Null, or why the gateway must not call there. Loopback is fine in the operator's own file. */
function egressFault(
  baseUrl: string,
  from: 'file' | 'environment',
  allow: EgressAllow | undefined,
): string | null {
  const host = new URL(baseUrl).hostname.replace(/^\[|\]$/g, '');
  const isHere = from === 'environment' && isLoopback(host);
  if ((!isHere && !isPrivateAddress(host)) || allow?.allows(host) === true) return null;
  const instead = isHere ? 'write it as base_url into the config file, or ' : '';
  return `${host} is a private address; ${instead}allow it with OMNIX_EGRESS_ALLOW=${host}`;
}

/**
 * For programs that take no arguments: what was written there would have no effect. Only names of
 * options are told; the rest may be a secret.
 */
export function refuseArguments(given: readonly string[]): void {
  const [first] = given;
  if (first === undefined) return;
  const option = /^--?[a-z][a-z-]*/i.exec(first)?.[0];
  throw new StartRefused(
    `There ${option === undefined ? 'are no arguments' : `is no option ${option}`} here: ` +
      'settings are variables, as in "PORT=9000 npm start", and the config file ' +
      '(README.md, "Environment").',
  );
}

/** Reads everything. Throws ConfigRefused with all faults, their fields and their lines. */
export function readConfig(env: Environment): Config {
  const variables = readEnvironment(env);
  const { path, file } = readFile(variables.OMNIX_CONFIG, env);
  const faults: string[] = [];
  const later = LATER_VARIABLES.filter((name) => (env[name] ?? '') !== '');
  const { providers, models, notices } = placeConfig(file.content, {
    env,
    egressFault: (baseUrl, from) => egressFault(baseUrl, from, variables.OMNIX_EGRESS_ALLOW),
    fault(steps, message) {
      const fault = { path: pathText(steps), line: file.lineOf(steps), message };
      faults.push(faultText(fault, path ?? 'config'));
    },
    refuse: (fault) => void faults.push(fault),
  });
  if (faults.length > 0) refuse(faults);
  return {
    port: variables.PORT,
    host: variables.HOST,
    dataDir: resolve(variables.OMNIX_DATA_DIR),
    ownerKey: variables.OMNIX_OWNER_KEY ?? null,
    secret: variables.OMNIX_SECRET ?? null,
    databaseUrl: variables.DATABASE_URL ?? null,
    drainMs: variables.OMNIX_DRAIN_MS,
    logLevel: variables.OMNIX_LOG_LEVEL,
    configPath: path,
    providers,
    models,
    lineOf: file.lineOf,
    notices: [
      ...misnamedFiles(path),
      ...later.map((name) => `${name} is set and not used yet.`),
      ...notices,
    ],
  };
}
