/**
 * What a person sees at the start: where it listens, what is on, and, once, the keys and what to do
 * with them.
 */
import type { Directory } from '#gateway/endpoint.ts';
import type { Owner } from '#identity/identity.ts';
import type { Config } from './config.ts';

export interface Started {
  readonly config: Config;
  readonly directory: Directory;
  readonly owner: Owner;
  readonly version: string;
  readonly url: string;
  readonly startMs: number;
}

function servesLive(directory: Directory, id: string): boolean {
  return directory
    .resolve(id)
    .some(({ endpoints }) => endpoints.some(({ book }) => book === 'live'));
}

/** Providers that are on and serve nothing: the catalog does not know what runs there. */
function idleNotices({ config, directory }: Started): readonly string[] {
  const busy = new Set(
    directory.all().flatMap(({ endpoints }) => endpoints.map(({ providerName }) => providerName)),
  );
  return config.providers
    .filter(({ name, book }) => book === 'live' && !busy.has(name))
    .map(({ name }) => `${name} serves no model yet: name its models in omnix.yaml.`);
}

function providersLine({ config, directory }: Started): string {
  const live = config.providers.filter(({ book }) => book === 'live').map(({ name }) => name);
  const count = directory.available().filter(({ id }) => servesLive(directory, id)).length;
  if (live.length > 0) return `  Providers  ${live.join(', ')} (${count} models)`;
  return (
    '  Providers  none yet: set OPENAI_API_KEY, GROQ_API_KEY ... or write omnix.yaml.\n' +
    '             The sandbox models work without any.'
  );
}

function keysText({ owner, url }: Started): readonly string[] {
  if (owner.created === null) return [];
  const { managementKey, testKey } = owner.created;
  return [
    '',
    '  These keys are shown once. Keep them.',
    '',
    `  Management key  ${managementKey}`,
    `  Test-mode key   ${testKey}`,
    '',
    '  Try it (the sandbox needs no provider and no money):',
    '',
    `  curl ${url}/v1/chat/completions -H "Authorization: Bearer ${testKey}" \\`,
    `    -H "Content-Type: application/json" \\`,
    `    -d '{"model":"sandbox/echo","messages":[{"role":"user","content":"Hello OmniX"}]}'`,
    '',
    '  For real models, give yourself credit and make a live key:',
    '',
    `  curl ${url}/v1/credits/grants -H "Authorization: Bearer ${managementKey}" \\`,
    `    -H "Content-Type: application/json" -d '{"amount_usd":"10","reason":"first credit"}'`,
    `  curl ${url}/v1/keys -H "Authorization: Bearer ${managementKey}" \\`,
    `    -H "Content-Type: application/json" -d '{"name":"my first key"}'`,
  ];
}

/** The screen as text, for standard output. */
export function startScreen(started: Started): string {
  const { config, owner, version, url, startMs } = started;
  const database = config.databaseUrl === null ? `embedded, in ${config.dataDir}` : 'DATABASE_URL';
  const lines = [
    '',
    `  OmniX ${version} is ready in ${Math.round(startMs)} ms`,
    '',
    `  API        ${url}/v1`,
    `  Database   ${database}`,
    `  Config     ${config.configPath ?? 'none (environment only)'}`,
    providersLine(started),
    ...[...config.notices, ...idleNotices(started)].map((notice) => `  Note       ${notice}`),
    ...(owner.ownerKeyRevoked
      ? ['  Note       OMNIX_OWNER_KEY was deleted or rotated and opens nothing.']
      : []),
    ...keysText(started),
    '',
  ];
  return `${lines.join('\n')}\n`;
}
