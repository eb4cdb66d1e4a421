/**
 * The data directory is made, and tried, before anything is started in it: what cannot be written
 * is refused at once and by name.
 */
import { describeError } from '#base/describe-error.ts';
import { closeSync, mkdirSync, openSync, realpathSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { StartRefused } from '#base/start-refused.ts';

/** Makes the directory if need be. Returns its real path; throws `StartRefused`. */
export function prepareDataDirectory(directory: string): string {
  try {
    makeDirectory(directory);
    const real = realpathSync(directory);
    tryToWrite(real);
    return real;
  } catch (error) {
    const reason = describeError(error);
    throw new StartRefused(
      `The data directory ${directory} cannot be used (${reason}). ` +
        'Set OMNIX_DATA_DIR to a directory that this user may write.',
      { cause: error },
    );
  }
}

/**
 * With its parents. Not by `recursive`, which tries for ever where the parent is there and the
 * system says that it is not (Node 24, in /proc).
 */
function makeDirectory(path: string): void {
  if (isDirectory(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectory(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another start made it in the same moment.
    if (!isDirectory(path)) throw error;
  }
}

/** Throws where a file stands in the way (ENOTDIR) or may not be looked at (EACCES). */
function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Rights alone do not tell of read-only mounts, full disks and file systems of the kernel. */
function tryToWrite(directory: string): void {
  const probe = join(directory, `.writable-${process.pid}`);
  closeSync(openSync(probe, 'w', 0o600));
  rmSync(probe, { force: true });
}
