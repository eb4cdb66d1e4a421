/** What the environment says of the providers, under the names that their users know. */
import type { Provider } from '#providers/provider.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A key of this gateway under a provider's name is meant for a client on the same machine. */
const OWN_KEY = /^sk-omx-/;

/** The provider's secret under the first of its names that is set. */
export function envSecret(provider: Provider, env: Environment): string | null {
  for (const name of provider.env.apiKey) {
    const value = env[name];
    if (value !== undefined && value !== '' && !OWN_KEY.test(value)) return value;
  }
  return null;
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
    const own = provider.env.apiKey.filter((name) => OWN_KEY.test(env[name] ?? ''));
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
