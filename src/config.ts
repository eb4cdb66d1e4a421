/**
 * Environment and config file to one Config, parsed once: the only reader of process.env. What is
 * unknown, missing or of a step that has not come refuses the start and is named.
 */
import { describeError } from '#base/describe-error.ts';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { isPrivateAddress, parseEgressAllow, type EgressAllow } from '#base/egress.node.ts';
import type { LogLevel } from '#base/log.ts';
import { StartRefused } from '#base/start-refused.ts';
import type { ConfiguredModel } from '#gateway/directory.ts';
import type { ConfiguredProvider } from '#gateway/make-endpoints.ts';
import type { Provider } from '#providers/provider.ts';
import { parseKey } from '#identity/api-key.ts';
import { providers as registry } from '#providers/registry.ts';
import { envPlace, envSecret, ignoredVariables, type Environment } from './config-environment.ts';
import {
  parseConfigFile,
  pathText,
  toPriceSheet,
  toWords,
  type FileContent,
  type FileFault,
  type FileModel,
  type FileProvider,
  type ParsedFile,
} from './config-file.ts';

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

/** The start is refused. The message is for the operator and names every fault at once. */
export class ConfigRefused extends StartRefused {
  override readonly name = 'ConfigRefused';
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
  const form = 'a management key (sk-omx-mgmt-...; "npm run --silent key -- mgmt" makes one)';
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
/** Set by our own scripts and tests, not by operators. */
const OWN_VARIABLES = new Set(['OMNIX_SHARED', 'OMNIX_NO_RECORDINGS']);
const CONFIG_DEFAULT = 'omnix.yaml';

function faultText({ path, line, message }: FileFault, file: string): string {
  const place = line === null ? file : `${file}:${line}`;
  return `  ${place}  ${path === '' ? '' : `${path}: `}${message}`;
}

function refuse(faults: readonly string[]): never {
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  throw new ConfigRefused(`The configuration has ${count}:\n${faults.join('\n')}`);
}

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

/** Null, or why the gateway must not call there. Loopback is fine in the operator's own file. */
function egressFault(baseUrl: string, allow: EgressAllow | undefined): string | null {
  const host = new URL(baseUrl).hostname.replace(/^\[|\]$/g, '');
  if (!isPrivateAddress(host) || allow?.allows(host) === true) return null;
  return `${host} is a private address; allow it with OMNIX_EGRESS_ALLOW=${host}`;
}

const byType: ReadonlyMap<string, Provider> = new Map(Object.entries(registry));
/** Only hosts without an address of their own: OPENAI_BASE_URL and the like usually point at us. */
function envBaseUrl(
  provider: Provider,
  { env, allow, refuse: refuseThat }: Placing,
): string | null {
  if (provider.baseUrl !== null) return provider.baseUrl;
  const name = provider.env.baseUrl?.find((candidate) => (env[candidate] ?? '') !== '');
  const address = name === undefined ? undefined : env[name];
  if (name === undefined || address === undefined) return null;
  if (!/^https?:\/\//.test(address) || !URL.canParse(address)) {
    refuseThat(`  ${name}: expected an http or https URL`);
    return null;
  }
  const egress = egressFault(address, allow);
  if (egress !== null) refuseThat(`  ${name}: ${egress}`);
  return address.replace(/\/+$/, '');
}

const PLACE = { region: null, project: null, account: null, headers: [], priority: 0 } as const;

function fromEnvironment(
  configured: ReadonlySet<string>,
  placing: Placing,
  notices: string[],
): ConfiguredProvider[] {
  return [...byType.values()].flatMap((provider): ConfiguredProvider[] => {
    const secret = envSecret(provider, placing.env);
    if (secret === null || configured.has(provider.id)) return [];
    const baseUrl = envBaseUrl(provider, placing);
    if (baseUrl === null) {
      const names = provider.env.baseUrl?.join(' or ') ?? 'base_url in the config file';
      notices.push(`${provider.name} has a key but no address: set ${names}.`);
      return [];
    }
    const name = provider.id;
    return [
      {
        ...PLACE,
        ...envPlace(provider, placing.env),
        name,
        provider,
        baseUrl,
        secrets: [secret],
        timeoutMs: null,
        book: 'live',
      },
    ];
  });
}

interface Placing {
  readonly env: Environment;
  readonly allow: EgressAllow | undefined;
  readonly fault: (path: readonly (string | number)[], message: string) => void;
  /** A fault of the environment, as it is shown. */
  readonly refuse: (fault: string) => void;
}

function providerOfType(name: string, given: FileProvider, placing: Placing): Provider | null {
  const type = given.type ?? name;
  const provider = type === registry.sandbox.id ? undefined : byType.get(type);
  if (provider !== undefined) return provider;
  const known = [...byType.keys()].filter((id) => id !== registry.sandbox.id);
  const message = `there is no provider type "${type}"; there are: ${known.join(', ')}`;
  placing.fault(['providers', name, ...(given.type === undefined ? [] : ['type'])], message);
  return null;
}

function baseUrlOf(
  provider: Provider,
  { name, given }: { readonly name: string; readonly given: FileProvider },
  placing: Placing,
): string | null {
  const path = ['providers', name, 'base_url'];
  const baseUrl = given.base_url ?? envBaseUrl(provider, placing);
  if (baseUrl === null) {
    placing.fault(path, `${provider.name} needs one`);
    return null;
  }
  const egress = given.base_url === undefined ? null : egressFault(given.base_url, placing.allow);
  if (egress !== null) placing.fault(path, egress);
  return baseUrl.replace(/\/+$/, '');
}

function placeProvider(name: string, given: FileProvider, placing: Placing): ConfiguredProvider[] {
  const provider = providerOfType(name, given, placing);
  const baseUrl = provider === null ? null : baseUrlOf(provider, { name, given }, placing);
  if (provider === null || baseUrl === null) return [];
  const secrets = secretsOf(given, provider, placing.env);
  if (secrets.length === 0) {
    const variable = provider.env.apiKey[0] ?? 'its variable';
    const message = `${provider.name} needs a key; give one, or set ${variable}`;
    placing.fault(['providers', name, 'api_key'], message);
  }
  const around = envPlace(provider, placing.env);
  const { region = around.region, project = around.project } = given;
  const { account = null, priority = 0 } = given;
  const headers = Object.entries(given.headers ?? {}).map(
    ([header, value]) => [header.toLowerCase(), value] as const,
  );
  const timeoutMs = given.timeout_ms ?? null;
  const place = { region, project, account, priority, headers, timeoutMs, book: 'live' } as const;
  return [{ ...place, name, provider, baseUrl, secrets }];
}

function secretsOf(given: FileProvider, provider: Provider, env: Environment): readonly string[] {
  const own = [...(given.api_key === undefined ? [] : [given.api_key]), ...(given.api_keys ?? [])];
  if (own.length > 0) return own;
  const inherited = envSecret(provider, env);
  if (inherited !== null) return [inherited];
  return provider.needsKey ? [] : [''];
}

function toModel(id: string, given: FileModel, placing: Placing): ConfiguredModel {
  if ((given.alias === undefined) === (given.endpoints === undefined)) {
    placing.fault(['models', id], 'give either endpoints or alias');
  }
  return {
    id,
    alias: given.alias ?? null,
    context: given.context ?? null,
    maxOutput: given.max_output ?? null,
    capabilities: given.capabilities ?? null,
    endpoints: (given.endpoints ?? []).map((endpoint) => ({
      provider: endpoint.provider,
      model: endpoint.model ?? null,
      price: toPriceSheet(endpoint.price),
      context: endpoint.context ?? null,
      maxOutput: endpoint.max_output ?? null,
    })),
  };
}

/** Endpoints at a provider that we know and that is not switched on: how to do that is said. */
function requireProviders(
  models: readonly ConfiguredModel[],
  providers: readonly ConfiguredProvider[],
  placing: Placing,
): void {
  for (const { id, endpoints } of models) {
    for (const [index, { provider: name }] of endpoints.entries()) {
      const known = byType.get(name);
      if (known === undefined || providers.some((provider) => provider.name === name)) continue;
      // Its variable does nothing where the file has the type under another name.
      const variable = providers.some(({ provider }) => provider.id === name)
        ? undefined
        : known.env.apiKey[0];
      const names = providers.map((provider) => provider.name).join(', ');
      const or = variable === undefined ? '' : `, or set ${variable}`;
      const message = `there is no provider "${name}"; there are: ${names}. Define it under providers${or}`;
      placing.fault(['models', id, 'endpoints', index, 'provider'], message);
    }
  }
}

function sandboxProvider(): ConfiguredProvider {
  const provider: Provider = registry.sandbox;
  const baseUrl = provider.baseUrl ?? '';
  const { id: name } = provider;
  return { ...PLACE, name, provider, baseUrl, secrets: [''], timeoutMs: null, book: 'test' };
}

function typesOf(content: FileContent): ReadonlySet<string> {
  const entries = Object.entries(content.providers ?? {});
  return new Set(entries.map(([name, { type }]) => type ?? name));
}

/** Reads everything. Throws ConfigRefused with all faults, their fields and their lines. */
export function readConfig(env: Environment): Config {
  const variables = readEnvironment(env);
  const { path, file } = readFile(variables.OMNIX_CONFIG, env);
  const faults: string[] = [];
  const later = LATER_VARIABLES.filter((name) => (env[name] ?? '') !== '');
  const notices = [
    ...later.map((name) => `${name} is set and not used yet.`),
    ...ignoredVariables(byType.values(), env),
  ];
  const placing: Placing = {
    env,
    allow: variables.OMNIX_EGRESS_ALLOW,
    fault(steps, message) {
      const fault = { path: pathText(steps), line: file.lineOf(steps), message };
      faults.push(faultText(fault, path ?? 'config'));
    },
    refuse: (fault) => void faults.push(fault),
  };
  const { content } = file;
  const providers = [
    sandboxProvider(),
    ...Object.entries(content.providers ?? {}).flatMap(([name, given]) =>
      placeProvider(name, given, placing),
    ),
    ...fromEnvironment(typesOf(content), placing, notices),
  ];
  const models = Object.entries(content.models ?? {}).map(([id, given]) =>
    toModel(id, given, placing),
  );
  requireProviders(models, providers, placing);
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
    notices,
  };
}
