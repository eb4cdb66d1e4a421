/** What the environment says of the providers, under the names that their users know. */
import { headerFault } from '#base/http1/request-head.ts';
import type { Provider } from '#providers/provider.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A key of this gateway under a provider's name is meant for a client on the same machine. */
const OWN_KEY = /^sk-omx-/;

/** The name of a variable where its value was meant, as shells and other gateways write it. */
const UNREAD_VARIABLE = /^\$\w+$|\$\{|^os\.environ\//;

/**
 * Why this can be no provider's key, in words that do not tell it; null: it can. Line ends around
 * it, as mounted files have them, are cut off before. Google's account files are JSON of many
 * lines, and are never sent.
 */
export function secretFault(secret: string): string | null {
  if (UNREAD_VARIABLE.test(secret)) {
    return (
      'this is the name of a variable and not a key; the config file takes ${NAME}, ' +
      'a variable the key itself'
    );
  }
  if (secret.startsWith('{') || headerFault('authorization', secret) === null) return null;
  return 'a key has no line ends, curly quotes or other characters that HTTP cannot carry';
}

/** The provider's secret under the first of its names that is set. */
export function envSecret(
  provider: Provider,
  env: Environment,
): { readonly name: string; readonly secret: string } | null {
  for (const name of provider.env.apiKey) {
    const secret = (env[name] ?? '').trim();
    if (secret !== '' && !OWN_KEY.test(secret)) return { name, secret };
  }
  return null;
}

/** A call's own path, in all dialects: it is added to a base URL and does not stand in it. */
const CALL_PATH =
  /(?:\/(?:chat\/completions|completions|responses|embeddings|messages|v2\/(?:chat|embed))|:[a-z]*(?:contents?|predict))$/i;

/**
 * Why this is no base URL although it is a URL, and what to write instead; null: it may be one. The
 * version of a gateway may stand in its query (Azure's `api-version`), and nothing else.
 */
export function baseUrlFault(address: string): string | null {
  const { pathname, searchParams } = new URL(address);
  const call = CALL_PATH.exec(pathname.replace(/\/+$/, ''))?.[0];
  if (call !== undefined) return `ends in ${call}, which each call adds; leave that off`;
  if ([...searchParams.keys()].every((name) => name === 'api-version')) return null;
  return 'has a query; leave off what stands from the ? on (a key goes into api_key)';
}

function firstOf(names: readonly string[] | undefined, env: Environment): string | null {
  const name = names?.find((candidate) => (env[candidate] ?? '') !== '');
  return name === undefined ? null : (env[name] ?? null);
}

/** Where the provider's models run, for hosts with regions or projects. */
export function envPlace(
  { env: names }: Provider,
  env: Environment,
): { readonly region: string | null; readonly project: string | null } {
  return { region: firstOf(names.region, env), project: firstOf(names.project, env) };
}

/** What stands in the environment for a provider, and is left alone. */
export function ignoredVariables(
  providers: Iterable<Provider>,
  env: Environment,
): readonly string[] {
  const notices = [...providers].flatMap((provider) => {
    const own = provider.env.apiKey.filter((name) => OWN_KEY.test((env[name] ?? '').trim()));
    const bases = provider.baseUrl === null ? [] : (provider.env.baseUrl ?? []);
    const set = bases.filter((name) => (env[name] ?? '') !== '');
    return [
      ...own.map((name) => `${name} is ignored: it holds a key of OmniX, not of ${provider.name}.`),
      ...set.map(
        (name) =>
          `${name} is ignored: it is for clients. Set base_url of ${provider.id} in omnix.yaml.`,
      ),
    ];
  });
  return [...new Set(notices)];
}
