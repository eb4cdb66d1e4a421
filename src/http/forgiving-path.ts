/**
 * Paths as people type them: /v1 twice or not at all, doubled slashes, a slash at the end. They are
 * served as if they were well formed, and the answer says how the path should read.
 */
import type { Context } from 'hono';
import { getPath } from 'hono/utils/url';

const MISSHAPEN = /\/\/|.\/$|^\/v1\/v1(?:\/|$)/;
const PATH_LENGTH_MAX = 200;

/**
 * The path that was meant. `resources` are the first words of the routes below /v1: where one of
 * them stands at the front, /v1 was left out.
 */
export function meantPath(path: string, resources: ReadonlySet<string>): string {
  if (path.startsWith('/v1/') && !MISSHAPEN.test(path)) return path;
  const clean = path
    .replaceAll(/\/{2,}/g, '/')
    .replace(/(.)\/$/, '$1')
    .replace(/^(?:\/v1)+(?=\/v1(?:\/|$))/, '');
  return resources.has(clean.split('/', 2)[1] ?? '') ? `/v1${clean}` : clean;
}

function cut(path: string): string {
  return path.length > PATH_LENGTH_MAX ? `${path.slice(0, PATH_LENGTH_MAX)}...` : path;
}

/** Percent-encoded, as a header takes it. */
function readable(path: string): string {
  return cut(encodeURI(path).replaceAll('%25', '%'));
}

/**
 * The `warning` header of a request whose path was read as another (code 299 of RFC 7234: any other
 * lasting warning); null where the path was well formed.
 */
export function pathWarning({ req }: Context): string | null {
  const asked = getPath(req.raw);
  if (asked === req.path) return null;
  return `299 omnix "The path ${readable(asked)} should read ${readable(req.path)}"`;
}
