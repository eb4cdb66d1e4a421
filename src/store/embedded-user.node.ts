/**
 * Postgres refuses to run as root, so when we are root it runs as another user, who must be able to
 * reach its program and its directory. This decides who, and refuses by name what that user cannot
 * reach.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';

import { StartRefused } from '#base/start-refused.ts';

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Users to run as when we are root, the first that exists. */
const SERVICE_USERS = ['postgres', 'nobody'];

/** Null: as ourselves. The owner of an existing cluster goes on owning it. */
export function choosePostgresUser(clusterDirectory: string): SystemUser | null {
  if (process.getuid?.() !== 0) return null;
  if (existsSync(clusterDirectory)) {
    const { uid, gid } = statSync(clusterDirectory);
    if (uid !== 0) return { name: `user ${uid}`, uid, gid };
  }
  for (const name of SERVICE_USERS) {
    const user = lookUp(name);
    if (user !== null) return user;
  }
  throw new StartRefused(
    'Postgres does not run as root, and this system has neither a user "postgres" nor "nobody". ' +
      'Start OmniX as an ordinary user, or set DATABASE_URL to a Postgres of your own.',
  );
}

function lookUp(name: string): SystemUser | null {
  try {
    const [uid, gid] = ['-u', '-g'].map((flag) =>
      Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }).toString()),
    );
    return uid === undefined || gid === undefined || uid === 0 ? null : { name, uid, gid };
  } catch {
    return null;
  }
}

/** The paths from the root down to this one. */
function ancestors(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [...ancestors(parent), path];
}

/**
 * The first directory on the way to `path` (itself included) that the user may not enter; null when
 * all is well.
 */
export function firstUnreachable(path: string, user: SystemUser): string | null {
  const script = 'for d in "$@"; do test -x "$d" || { printf %s "$d"; exit 0; }; done';
  // Asked of the kernel, as that user: mode bits alone do not tell of access lists or mounts.
  const answer = spawnSync('/bin/sh', ['-c', script, 'sh', ...ancestors(path)], {
    uid: user.uid,
    gid: user.gid,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const blocked = answer.status === 0 ? answer.stdout.toString() : '';
  return blocked === '' ? null : blocked;
}

/** Throws an error that names the directory, the user and the way out. */
export function requireReachable(path: string, user: SystemUser | null): void {
  if (user === null) return;
  const blocked = firstUnreachable(path, user);
  if (blocked === null) return;
  throw new StartRefused(
    `The embedded Postgres runs as ${JSON.stringify(user.name)} because you are root, ` +
      `and that user may not enter ${blocked}, where its data is. Set OMNIX_DATA_DIR to a ` +
      'directory that it can reach (such as /var/lib/omnix), start OmniX as an ordinary user, ' +
      'or set DATABASE_URL to a Postgres of your own.',
  );
}

/** For messages: who Postgres runs as. */
export function userName(user: SystemUser | null): string {
  return user?.name ?? userInfo().username;
}
