/**
 * The embedded Postgres on disk: its directory, its owner, its password, and the cluster that
 * initdb makes once.
 */
import { describeError } from '#base/describe-error.ts';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { StartRefused } from '#base/start-refused.ts';

import {
  copyBinaries,
  findPostgresBinaries,
  type PostgresBinaries,
} from './embedded-binaries.node.ts';
import {
  choosePostgresUser,
  firstUnreachable,
  requireReachable,
  type SystemUser,
  userName,
} from './embedded-user.node.ts';
import { isListening } from './lock-socket.node.ts';

export interface EmbeddedCluster {
  readonly binaries: PostgresBinaries;
  /** Null: the same user as ours. */
  readonly user: SystemUser | null;
  /** Ours: holds everything below. */
  readonly root: string;
  /** Postgres's own data directory. */
  readonly data: string;
  readonly logFile: string;
  readonly password: string;
}

const POSTGRES_MAJOR = '18';
export const SUPERUSER = 'omnix';
const PRIVATE_DIRECTORY = 0o700;
const PRIVATE_FILE = 0o600;
const PASSWORD_BYTES = 24;
const SOCKET_PREFIX = 'omnix-';
const SOCKET_HASH_LENGTH = 12;
export const SOCKET_PORT = 5432;
/** `sun_path` holds 104 bytes on macOS and 108 on Linux; the socket's own name takes the rest. */
const SOCKET_DIRECTORY_LENGTH_MAX = 85;
const STALE_SOCKET_AGE_MS = 60_000;

const run = promisify(execFile);

/**
 * What Postgres's programs get of the environment: nothing of ours, and a fixed language for their
 * messages.
 */
export function programEnvironment(binaries: PostgresBinaries): NodeJS.ProcessEnv | undefined {
  if (process.platform === 'win32') return undefined;
  const path = binaries.libraryPath;
  return {
    LC_ALL: 'C',
    TZ: 'UTC',
    ...(path === null ? {} : { LD_LIBRARY_PATH: path, DYLD_LIBRARY_PATH: path }),
  };
}

/**
 * As whom a program is spawned, and from where: a working directory that this user can surely
 * enter.
 */
export function spawnIdentity(user: SystemUser | null): {
  cwd: string;
  uid?: number;
  gid?: number;
} {
  const cwd = process.platform === 'win32' ? tmpdir() : '/';
  return user === null ? { cwd } : { cwd, uid: user.uid, gid: user.gid };
}

/** Makes or finds the cluster under `directory`. `durable: false` skips the syncs (tests). */
export async function prepareCluster(
  directory: string,
  durable: boolean,
): Promise<EmbeddedCluster> {
  makeDirectory(directory);
  const root = realpathSync(directory);
  const data = join(root, 'data');
  const user = choosePostgresUser(data);
  requireReachable(dirname(root), user);
  ownDirectory(root, user);
  const binaries = reachableBinaries(root, user);
  const password = readPassword(join(root, 'password'), user);
  const cluster = { binaries, user, root, data, password, logFile: join(root, 'postgres.log') };
  if (!existsSync(join(data, 'PG_VERSION'))) await initialize(cluster, durable);
  requireVersion(data);
  return cluster;
}

/** The installed program, or a copy of it where its user cannot enter our own installation. */
function reachableBinaries(root: string, user: SystemUser | null): PostgresBinaries {
  const installed = findPostgresBinaries(join(root, 'lib'));
  const reachable = user === null || firstUnreachable(dirname(installed.postgres), user) === null;
  return reachable ? installed : copyBinaries(installed, root);
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    const reason = describeError(error);
    throw new StartRefused(
      `The directory ${directory} for the database cannot be made by ${userName(null)} ` +
        `(${reason}). ` +
        'Set OMNIX_DATA_DIR to a directory that this user may write.',
      { cause: error },
    );
  }
}

function ownDirectory(root: string, user: SystemUser | null): void {
  try {
    if (user !== null) chownSync(root, user.uid, user.gid);
    chmodSync(root, PRIVATE_DIRECTORY);
    readdirSync(root);
  } catch (error) {
    throw new StartRefused(
      `The directory ${root} belongs to another user than ${userName(user)}, perhaps because ` +
        'OmniX was once started as root. Start it as that user again, give it the directory ' +
        '(chown -R), or set OMNIX_DATA_DIR.',
      { cause: error },
    );
  }
}

function readPassword(file: string, user: SystemUser | null): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const password = randomBytes(PASSWORD_BYTES).toString('base64url');
  writeFileSync(file, password, { mode: PRIVATE_FILE, flush: true });
  if (user !== null) chownSync(file, user.uid, user.gid);
  return password;
}

function requireVersion(data: string): void {
  const version = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  if (version === POSTGRES_MAJOR) return;
  throw new StartRefused(
    `The database in ${data} was made by Postgres ${version}; this OmniX brings Postgres ` +
      `${POSTGRES_MAJOR}. Dump it with the OmniX that made it and restore it here, or start ` +
      'that version again.',
  );
}

/**
 * initdb beside the final place, then one rename: a start that was killed half-way leaves nothing
 * that looks whole.
 */
async function initialize(cluster: EmbeddedCluster, durable: boolean): Promise<void> {
  const fresh = `${cluster.data}.new`;
  rmSync(fresh, { recursive: true, force: true });
  const options = [
    ['-D', fresh],
    ['-U', SUPERUSER],
    ['--pwfile', join(cluster.root, 'password')],
    ['--auth', 'scram-sha-256'],
    ['--encoding', 'UTF8'],
    ['--locale', 'C'],
    ['--locale-provider', 'builtin'],
    ['--builtin-locale', 'C.UTF-8'],
    ['--data-checksums', '--no-instructions'],
    durable ? [] : ['--no-sync'],
  ];
  try {
    await run(cluster.binaries.initdb, options.flat(), {
      ...spawnIdentity(cluster.user),
      env: programEnvironment(cluster.binaries),
    });
  } catch (error) {
    const output: unknown =
      error instanceof Error ? (Reflect.get(error, 'stderr') ?? error.message) : error;
    throw new StartRefused(
      `The embedded Postgres could not make its database in ${cluster.data} ` +
        `as ${userName(cluster.user)}: ${lastLines(String(output))}`,
      { cause: error },
    );
  }
  renameSync(fresh, cluster.data);
}

const LINES_SHOWN = 3;

/** The end of a program's output, for a message. */
export function lastLines(output: string): string {
  return output.trim().split('\n').slice(-LINES_SHOWN).join(' | ');
}

/**
 * The socket's directory for this cluster: short, private, owned by Postgres's user. Made anew if
 * it is there.
 */
export async function makeSocketDirectory(cluster: EmbeddedCluster): Promise<string> {
  const hash = createHash('sha256').update(cluster.root).digest('hex').slice(0, SOCKET_HASH_LENGTH);
  const parent = socketParent(cluster.user);
  await removeStaleSocketDirectories(parent);
  const path = join(parent, SOCKET_PREFIX + hash);
  // Somebody else may have put it there, or lives in it, such as a cluster of the same path in
  // another container: then another name is taken, which nobody can foresee.
  if (existsSync(path) && (!isOurs(path, cluster.user) || (await isInUse(path)))) {
    return makeUnforeseenDirectory(path, cluster.user);
  }
  try {
    remakeSocketDirectory(path, cluster.user);
    return path;
  } catch {
    return makeUnforeseenDirectory(path, cluster.user);
  }
}

async function isInUse(path: string): Promise<boolean> {
  return isListening(join(path, `.s.PGSQL.${SOCKET_PORT}`));
}

/** With nothing in it of a Postgres that died, and also where somebody has cleared it away. */
export function remakeSocketDirectory(path: string, user: SystemUser | null): void {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { mode: PRIVATE_DIRECTORY });
  if (user !== null) chownSync(path, user.uid, user.gid);
}

function makeUnforeseenDirectory(path: string, user: SystemUser | null): string {
  const other = mkdtempSync(`${path}-`);
  if (user !== null) chownSync(other, user.uid, user.gid);
  return other;
}

function socketParent(user: SystemUser | null): string {
  const usable = [tmpdir(), '/tmp'].find((directory) => {
    const length = join(directory, SOCKET_PREFIX).length + SOCKET_HASH_LENGTH;
    return (
      length <= SOCKET_DIRECTORY_LENGTH_MAX &&
      existsSync(directory) &&
      (user === null || firstUnreachable(realpathSync(directory), user) === null)
    );
  });
  return realpathSync(usable ?? tmpdir());
}

function isOurs(path: string, user: SystemUser | null): boolean {
  const stat = lstatSync(path);
  const owner = user?.uid ?? process.getuid?.() ?? stat.uid;
  return stat.isDirectory() && stat.uid === owner && (stat.mode & 0o077) === 0;
}

/** Takes the socket's directory away, once nothing listens in it. */
export function removeSocketDirectory(path: string): void {
  if (basename(path).startsWith(SOCKET_PREFIX)) rmSync(path, { recursive: true, force: true });
}

/** Directories of clusters that were killed and never started again: nobody listens there. */
async function removeStaleSocketDirectories(parent: string): Promise<void> {
  for (const name of readdirSync(parent)) {
    if (!/^omnix-[0-9a-f]{12}(-\w{6})?$/.test(name)) continue;
    try {
      await removeIfStale(join(parent, name));
    } catch {
      // Somebody else's, or gone in the meantime.
    }
  }
}

async function removeIfStale(path: string): Promise<void> {
  const files = readdirSync(path);
  if (Date.now() - lstatSync(path).mtimeMs < STALE_SOCKET_AGE_MS || (await isInUse(path))) return;
  for (const file of files) {
    if (file.startsWith('.s.PGSQL.')) rmSync(join(path, file));
  }
  rmdirSync(path);
}
