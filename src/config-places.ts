/**
 * What the operator's file and the environment say of providers and models, joined and checked:
 * the part of the configuration that is the same on every runtime.
 */
import { StartRefused } from '#base/start-refused.ts';
import type { ConfiguredModel } from '#gateway/directory.ts';
import type { ConfiguredProvider } from '#gateway/make-endpoints.ts';
import type { Provider } from '#providers/provider.ts';
import { providers as registry } from '#providers/registry.ts';
import {
  baseUrlFault,
  envPlace,
  envSecret,
  ignoredVariables,
  secretFault,
  type Environment,
} from './config-environment.ts';
import {
  toPriceSheet,
  type FileContent,
  type FileFault,
  type FileModel,
  type FileProvider,
} from './config-file.ts';

/** The start is refused. The message is for the operator and names every fault at once. */
export class ConfigRefused extends StartRefused {
  override readonly name = 'ConfigRefused';
}

export function faultText({ path, line, message }: FileFault, file: string): string {
  const place = line === null ? file : `${file}:${line}`;
  return `  ${place}  ${path === '' ? '' : `${path}: `}${message}`;
}

export function refuse(faults: readonly string[]): never {
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  throw new ConfigRefused(`The configuration has ${count}:\n${faults.join('\n')}`);
}

const byType: ReadonlyMap<string, Provider> = new Map(Object.entries(registry));
/** Only hosts without an address of their own: OPENAI_BASE_URL and the like usually point at us. */
function envBaseUrl(
  provider: Provider,
  { env, egressFault, refuse: refuseThat }: Placing,
): string | null {
  if (provider.baseUrl !== null) return provider.baseUrl;
  const name = provider.env.baseUrl?.find((candidate) => (env[candidate] ?? '') !== '');
  const address = name === undefined ? undefined : env[name];
  if (name === undefined || address === undefined) return null;
  if (!/^https?:\/\//.test(address) || !URL.canParse(address)) {
    refuseThat(`  ${name}: expected an http or https URL`);
    return null;
  }
  const why = baseUrlFault(address) ?? egressFault(address, 'environment');
  if (why !== null) refuseThat(`  ${name}: ${why}`);
  return address.replace(/\/+$/, '');
}

/** The secret that stands in the environment, which must be one that can be used. */
function inheritedSecret(provider: Provider, placing: Placing): string | null {
  const found = envSecret(provider, placing.env);
  if (found === null) return null;
  const why = secretFault(found.secret);
  if (why !== null) placing.refuse(`  ${found.name}: ${why}`);
  return found.secret;
}

const PLACE = { region: null, project: null, account: null, headers: [], priority: 0 } as const;

function fromEnvironment(
  configured: ReadonlySet<string>,
  placing: Placing,
  notices: string[],
): ConfiguredProvider[] {
  return [...byType.values()].flatMap((provider): ConfiguredProvider[] => {
    if (configured.has(provider.id)) return [];
    const secret = inheritedSecret(provider, placing);
    if (secret === null) return [];
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

export interface Placing {
  readonly env: Environment;
  /** Null, or why the gateway must not call there. Only the file may name this very machine. */
  readonly egressFault: (baseUrl: string, from: 'file' | 'environment') => string | null;
  readonly fault: (path: readonly (string | number)[], message: string) => void;
  /** A fault of the environment, as it is shown. */
  readonly refuse: (fault: string) => void;
}

function providerOfType(name: string, given: FileProvider, placing: Placing): Provider | null {
  if (name === registry.sandbox.id) {
    const message = 'this name is taken by the models that come with OmniX; choose another one';
    placing.fault(['providers', name], message);
    return null;
  }
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
  const own = given.base_url;
  const why = own === undefined ? null : (baseUrlFault(own) ?? placing.egressFault(own, 'file'));
  if (why !== null) placing.fault(path, why);
  return baseUrl.replace(/\/+$/, '');
}

function placeProvider(name: string, given: FileProvider, placing: Placing): ConfiguredProvider[] {
  const provider = providerOfType(name, given, placing);
  const baseUrl = provider === null ? null : baseUrlOf(provider, { name, given }, placing);
  if (provider === null || baseUrl === null) return [];
  const secrets = secretsOf(given, provider, placing);
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

function secretsOf(given: FileProvider, provider: Provider, placing: Placing): readonly string[] {
  const own = [...(given.api_key === undefined ? [] : [given.api_key]), ...(given.api_keys ?? [])];
  if (own.length > 0) return own;
  const inherited = inheritedSecret(provider, placing);
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

export interface Placed {
  readonly providers: readonly ConfiguredProvider[];
  readonly models: readonly ConfiguredModel[];
  /** What was set and has no effect. */
  readonly notices: readonly string[];
}

/** Joins file and environment. What is wrong with them is told to `placing`. */
export function placeConfig(content: FileContent, placing: Placing): Placed {
  const notices = [...ignoredVariables(byType.values(), placing.env)];
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
  return { providers, models, notices };
}
