/**
 * Environment and config file to one Config, parsed once: the only reader of process.env. What is
 * unknown, missing or of a step that has not come refuses the start and is named.
 */
import { existsSync, readFileSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { LogLevel } from '#base/log.ts';
import type { ConfiguredModel, ConfiguredProvider } from '#gateway/directory.ts';
import type { Provider } from '#providers/provider.ts';
import { providers as registry } from '#providers/registry.ts';
import type { PriceList, PriceSheet } from '#wire/price.ts';
import {
  parseConfigFile,
  type FileContent,
  type FileFault,
  type FileModel,
  type FilePrice,
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
export class ConfigRefused extends Error {
  override readonly name = 'ConfigRefused';
}

type Environment = Readonly<Record<string, string | undefined>>;

const port = z.coerce.number('expected a port number').int().min(0).max(65_535);
const environmentSchema = z.object({
  PORT: port.default(8787),
  HOST: z.string().default('127.0.0.1'),
  OMNIX_DATA_DIR: z.string().default('.omnix'),
  OMNIX_CONFIG: z.string().optional(),
  OMNIX_OWNER_KEY: z.string().optional(),
  OMNIX_SECRET: z.string().min(16, 'expected at least 16 characters').optional(),
  OMNIX_DRAIN_MS: z.coerce.number().int().min(0).max(3_600_000).default(30_000),
  OMNIX_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  OMNIX_WORKERS: z.coerce
    .number()
    .int()
    .min(1)
    .max(1, 'more than one serving process is not available yet; leave it out')
    .default(1),
  OMNIX_EGRESS_ALLOW: z.string().optional(),
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
  const parsed = environmentSchema.safeParse(set);
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
    const why = error instanceof Error ? error.message : String(error);
    return refuse([`  OMNIX_CONFIG: the file cannot be read (${why})`]);
  }
  const parsed = parseConfigFile(text, env);
  if (!parsed.ok) refuse(parsed.faults.map((fault) => faultText(fault, chosen)));
  return { path: chosen, file: parsed.file };
}

const PRIVATE = new BlockList();
PRIVATE.addSubnet('10.0.0.0', 8);
PRIVATE.addSubnet('100.64.0.0', 10);
PRIVATE.addSubnet('169.254.0.0', 16);
PRIVATE.addSubnet('172.16.0.0', 12);
PRIVATE.addSubnet('192.168.0.0', 16);
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');

function isAllowed(host: string, allow: readonly string[]): boolean {
  return allow.some((entry) => {
    const [address = '', bits] = entry.split('/', 2);
    if (bits === undefined || isIP(address) === 0) return entry === host;
    const list = new BlockList();
    list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
    return isIP(host) !== 0 && list.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
  });
}

/** Null, or why the gateway must not call there. Loopback is fine in the operator's own file. */
function egressFault(baseUrl: string, allow: readonly string[]): string | null {
  const host = new URL(baseUrl).hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  if (family === 0 || !PRIVATE.check(host, family === 6 ? 'ipv6' : 'ipv4')) return null;
  if (isAllowed(host, allow)) return null;
  return `${host} is a private address; allow it with OMNIX_EGRESS_ALLOW=${host}`;
}

const byType: Readonly<Record<string, Provider>> = registry;
/** A key of this gateway under a provider's name is meant for a client on the same machine. */
const OWN_KEY = /^sk-omx-/;

function envSecret(provider: Provider, env: Environment): string | null {
  for (const name of provider.env.apiKey) {
    const value = env[name];
    if (value !== undefined && value !== '' && !OWN_KEY.test(value)) return value;
  }
  return null;
}

/** Only hosts without an address of their own: OPENAI_BASE_URL and the like usually point at us. */
function envBaseUrl(provider: Provider, env: Environment): string | null {
  if (provider.baseUrl !== null) return provider.baseUrl;
  const name = provider.env.baseUrl?.find((candidate) => (env[candidate] ?? '') !== '');
  return name === undefined ? null : (env[name] ?? null);
}

const PLACE = { region: null, project: null, account: null, headers: [], priority: 0 } as const;

function fromEnvironment(
  configured: ReadonlySet<string>,
  env: Environment,
  notices: string[],
): ConfiguredProvider[] {
  return Object.values(byType).flatMap((provider): ConfiguredProvider[] => {
    const secret = envSecret(provider, env);
    if (secret === null || configured.has(provider.id)) return [];
    const baseUrl = envBaseUrl(provider, env);
    if (baseUrl === null) {
      const names = provider.env.baseUrl?.join(' or ') ?? 'base_url in the config file';
      notices.push(`${provider.name} has a key but no address: set ${names}.`);
      return [];
    }
    const name = provider.id;
    return [
      { ...PLACE, name, provider, baseUrl, secrets: [secret], timeoutMs: null, book: 'live' },
    ];
  });
}

interface Placing {
  readonly env: Environment;
  readonly allow: readonly string[];
  fault(path: readonly string[], message: string): void;
}

function providerOfType(name: string, given: FileProvider, placing: Placing): Provider | null {
  const type = given.type ?? name;
  const provider = type === registry.sandbox.id ? undefined : byType[type];
  if (provider !== undefined) return provider;
  const known = Object.keys(byType).filter((id) => id !== registry.sandbox.id);
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
  const baseUrl = given.base_url ?? envBaseUrl(provider, placing.env);
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
  const { region = null, project = null, account = null, priority = 0 } = given;
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

function toPriceSheet(price: FilePrice | undefined): PriceSheet | null {
  if (price === undefined) return null;
  const { tiers = [], ...list } = price;
  return {
    list: withoutUndefined(list),
    tiers: tiers.map(({ above_input_tokens: aboveInputTokens, ...rates }) => ({
      aboveInputTokens,
      ...withoutUndefined(rates),
    })),
    source: 'config',
    effectiveFrom: new Date().toISOString().slice(0, 10),
  };
}

function withoutUndefined(list: Readonly<Record<string, string | undefined>>): PriceList {
  return Object.fromEntries(Object.entries(list).filter(([, value]) => value !== undefined));
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
  const notices = LATER_VARIABLES.filter((name) => (env[name] ?? '') !== '').map(
    (name) => `${name} is set and not used yet.`,
  );
  const placing: Placing = {
    env,
    allow: variables.OMNIX_EGRESS_ALLOW?.split(',').map((entry) => entry.trim()) ?? [],
    fault(steps, message) {
      const known = steps.filter((step) => step !== '');
      const fault = { path: known.join('.'), line: file.lineOf(known), message };
      faults.push(faultText(fault, path ?? 'config'));
    },
  };
  const { content } = file;
  const providers = [
    sandboxProvider(),
    ...Object.entries(content.providers ?? {}).flatMap(([name, given]) =>
      placeProvider(name, given, placing),
    ),
    ...fromEnvironment(typesOf(content), env, notices),
  ];
  const models = Object.entries(content.models ?? {}).map(([id, given]) =>
    toModel(id, given, placing),
  );
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
