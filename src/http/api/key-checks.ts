/**
 * What is checked of a key's fields against the rest of the house: that the names in its lists are
 * names of something, and that its end is still to come.
 */
import { nearestNames } from '#catalog/nearest.ts';
import type { GatewayError } from '#wire/errors.ts';
import type { KeyChangesBody } from '#wire/keys.ts';
import { invalidValue, quote } from '#wire/refusals.ts';
import type { ApiServices, NameDirectory } from './ports.ts';

type Checked = Pick<KeyChangesBody, 'expires_at' | 'models' | 'providers'>;

const SUGGESTIONS_MAX = 3;

/** Throws a GatewayError (400) that names what is wrong and, for a name, the nearest ones. */
export function checkKeyFields(
  { directory, clock }: Pick<ApiServices, 'directory' | 'clock'>,
  { expires_at: expiresAtMs = null, models, providers }: Checked,
): void {
  if (expiresAtMs !== null && expiresAtMs <= clock.nowMs()) throw refusePast();
  for (const [index, name] of (models ?? []).entries()) {
    if (directory.resolve(name).length > 0) continue;
    const nearest = directory.nearest(name, directory.all());
    throw refuseName('model', { param: `models[${index}]`, name, nearest });
  }
  if (providers) checkProviders(directory, providers);
}

function checkProviders(directory: NameDirectory, names: readonly string[]): void {
  const known = new Set(
    directory.all().flatMap(({ endpoints }) => endpoints.map(({ providerName }) => providerName)),
  );
  for (const [index, name] of names.entries()) {
    if (known.has(name)) continue;
    const similar = nearestNames(name, known, SUGGESTIONS_MAX);
    const nearest = similar.length > 0 ? similar : [...known].slice(0, SUGGESTIONS_MAX);
    throw refuseName('provider', { param: `providers[${index}]`, name, nearest });
  }
}

interface UnknownName {
  readonly param: string;
  readonly name: string;
  readonly nearest: readonly string[];
}

function refuseName(what: string, { param, name, nearest }: UnknownName): GatewayError {
  const near =
    nearest.length === 0 ? '' : `; the nearest names are ${nearest.map(quote).join(', ')}`;
  const list = what === 'model' ? '. GET /v1/models?available=all lists all models' : '';
  return invalidValue(param, `there is no ${what} ${quote(name)} here${near}${list}`);
}

function refusePast(): GatewayError {
  return invalidValue(
    'expires_at',
    'expected a time to come; to stop a key now, PATCH it with "disabled": true, or DELETE it',
  );
}
