/** What differs between Node, Workers, Bun, Deno and browsers, read without the types of any. */
import { isRecord } from './json.ts';

/** A member of the global object. */
function globalMember(name: string): unknown {
  return Reflect.get(globalThis, name);
}

/** An environment variable; undefined where there are none, or where they may not be read. */
export function readEnvironment(name: string): string | undefined {
  try {
    const runtime = globalMember('process');
    const variables = isRecord(runtime) ? runtime['env'] : undefined;
    const value = isRecord(variables) ? variables[name] : undefined;
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
  } catch {
    return undefined;
  }
}

/** Whether others can read what this program holds: a page, or a worker of a page. */
export function isBrowser(): boolean {
  if (isObject(globalMember('window')) && isObject(globalMember('document'))) return true;
  return typeof globalMember('importScripts') === 'function' && !isServer();
}

/** Bun and Deno have workers too. Bundlers give pages a `process`, but not Node's version. */
function isServer(): boolean {
  if (isObject(globalMember('Deno')) || isObject(globalMember('Bun'))) return true;
  const runtime = globalMember('process');
  const versions = isRecord(runtime) ? runtime['versions'] : undefined;
  return isRecord(versions) && typeof versions['node'] === 'string';
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** 128 random bits, also where `crypto.randomUUID` is missing (pages without TLS). */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `sdk_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
