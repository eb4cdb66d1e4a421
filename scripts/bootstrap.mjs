/**
 * Makes `npm start` and `npm test` the only commands that a fresh clone needs. Installs the
 * dependencies when they are missing or older than the lockfile, then runs a script or a tool with
 * the Node that the lockfile pins, whatever Node the machine has. Plain JavaScript without
 * packages: it runs on Node 18.
 *
 *     node scripts/bootstrap.mjs src/node.ts [args...]    a script, from the root of the checkout
 *     node scripts/bootstrap.mjs vitest run [args...]     a tool of node_modules/.bin
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { statSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 24;
const LOCK_AGE_MS_MAX = 15 * 60_000;
const LOCK_POLL_MS = 200;
/**
 * A signal to the process group reaches us twice through npm: what comes within this time is one
 * signal.
 */
const SIGNAL_WINDOW_MS = 1_000;
const FORWARDED_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'];

const root = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))));
const modules = join(root, 'node_modules');
const stampPath = join(modules, '.omnix-bootstrap.json');

class BootstrapError extends Error {}

/**
 * @returns {{ lockfile: string, platform: string }} what an installation must have been made from.
 */
function wantedInstall() {
  const lockfile = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  return { lockfile: lockfile.digest('hex'), platform: `${process.platform}-${process.arch}` };
}

/**
 * @returns {{ node: string | null } | null} the stamp of a complete installation from this
 * lockfile.
 */
function readStamp() {
  const stamp = readJson(stampPath);
  const wanted = wantedInstall();
  const fresh = stamp?.lockfile === wanted.lockfile && stamp.platform === wanted.platform;
  return fresh ? { node: stamp.node } : null;
}

function writeStamp() {
  const stamp = { ...wantedInstall(), node: findPinnedNode() };
  writeFileSync(stampPath, `${JSON.stringify(stamp)}\n`);
  return stamp;
}

/** Undefined when the file is absent or is not JSON. */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * The pinned Node, relative to node_modules, if its install script has run and it runs here; else
 * null.
 */
function findPinnedNode() {
  const path = `node/bin/node${process.platform === 'win32' ? '.exe' : ''}`;
  const runs = spawnSync(join(modules, path), ['--version']).status === 0;
  return runs ? path : null;
}

/**
 * Whether somebody ran `npm ci` by hand: what npm says is installed is what the lockfile asks for.
 */
function isInstalledByHand() {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages ?? {};
  const present = readJson(join(modules, '.package-lock.json'))?.packages ?? {};
  const isPresent = ([path, { version, optional }]) => {
    if (path === '') return true;
    return path in present ? present[path].version === version : optional === true;
  };
  return Object.keys(present).length > 0 && Object.entries(wanted).every(isPresent);
}

/**
 * @returns {Promise<{ node: string | null }>} the stamp, after an installation if one was needed.
 */
async function ensureInstalled() {
  const stamp = readStamp();
  if (stamp !== null) return stamp;
  const release = await takeInstallLock();
  try {
    // Another start may have installed while this one waited.
    return readStamp() ?? (isInstalledByHand() ? writeStamp() : await install());
  } finally {
    release();
  }
}

async function install() {
  process.stderr.write('Installing dependencies (first start)...\n');
  const npmCli = process.env.npm_execpath;
  const byNode = npmCli !== undefined && /npm-cli\.c?js$/.test(npmCli);
  const [command, prefix] = byNode ? [process.execPath, [npmCli]] : ['npm', []];
  // Warnings about engines are npm's view of the machine's own Node, which runs nothing of ours.
  const flags = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const child = spawn(command, [...prefix, ...flags], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: !byNode && process.platform === 'win32',
  });
  writeFileSync(lockPath, `\n${child.pid ?? ''}`, { flag: 'a' });
  const code = await exitCodeOf(child).catch((error) => {
    throw new BootstrapError(`npm could not be started (${error.message}). Is it on the PATH?`);
  });
  if (code !== 0) {
    throw new BootstrapError(
      `Installing the dependencies failed: "npm ci" ended with code ${code}; its output stands above.\n` +
        'Once the cause is gone, run the same command again.',
    );
  }
  return writeStamp();
}

/** Outside node_modules, which `npm ci` empties; the same for every start of this checkout. */
const lockPath = join(
  tmpdir(),
  `omnix-install-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`,
);

/**
 * Waits until no other start installs. The lock holds a token and the ids of the processes that
 * install; a lock whose processes are all gone is taken over, and read again to see that nobody
 * else took it too.
 */
async function takeInstallLock() {
  mkdirSync(modules, { recursive: true });
  const token = `${randomUUID()}\n${process.pid}`;
  for (let waited = false; ; waited = true) {
    try {
      writeFileSync(lockPath, token, { flag: 'wx' });
      if (!waited) return releaseOf(token);
      await delay(LOCK_POLL_MS);
      if (readLock().startsWith(token)) return releaseOf(token);
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (!waited) process.stderr.write('Another start installs the dependencies; waiting...\n');
      if (isLockStale()) rmSync(lockPath, { force: true });
      else await delay(LOCK_POLL_MS);
    }
  }
}

function releaseOf(token) {
  return () => {
    if (readLock().startsWith(token)) rmSync(lockPath, { force: true });
  };
}

function readLock() {
  try {
    return readFileSync(lockPath, 'utf8');
  } catch {
    return '';
  }
}

function isLockStale() {
  const pids = readLock()
    .split('\n')
    .slice(1)
    .filter((line) => line !== '');
  if (pids.some((pid) => isAlive(Number(pid)))) return lockAgeMs() > LOCK_AGE_MS_MAX;
  // A lock without a process id is being written at this moment, unless it is old.
  return pids.length > 0 || lockAgeMs() > LOCK_POLL_MS * 10;
}

function lockAgeMs() {
  return Date.now() - (statSync(lockPath, { throwIfNoEntry: false })?.mtimeMs ?? 0);
}

/**
 * A zombie is not alive: in a container without an init process, what died without its parent stays
 * one for ever.
 */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return false;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
  } catch {
    // Not Linux, or gone this moment, which the next look will tell.
    return true;
  }
}

/**
 * The Node that runs the project: the pinned one, or else the one that runs this, if it is new
 * enough.
 */
function chooseNode(pinned) {
  const path = join(modules, pinned ?? '');
  if (pinned !== null && existsSync(path)) return path;
  if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR_MIN) return process.execPath;
  throw new BootstrapError(
    `OmniX needs Node ${NODE_MAJOR_MIN} or newer, and this is ${process.version}. The Node that comes with ` +
      'the dependencies is not there: install scripts are off, or it does not run on this system.\n' +
      'Either allow install scripts and install again:\n' +
      '    npm ci --include=dev --ignore-scripts=false\n' +
      `or put Node ${NODE_MAJOR_MIN} on the PATH (https://nodejs.org/en/download).`,
  );
}

/** The file that `what` names: a script of ours, or the program behind a tool's name. */
function resolveProgram(what) {
  if (/\.[cm]?[jt]s$/.test(what)) return resolve(root, what);
  const link = join(modules, '.bin', what);
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) return realpathSync(link);
  // Where npm writes shell scripts instead of links (Windows), the package says where its program
  // is.
  const bin = readJson(join(modules, what, 'package.json'))?.bin;
  const file = typeof bin === 'string' ? bin : bin?.[what];
  if (file === undefined)
    throw new BootstrapError(`There is no script and no tool named "${what}".`);
  return join(modules, what, file);
}

function environment() {
  const pathKey = Object.keys(process.env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  const path = [join(modules, '.bin'), process.env[pathKey] ?? ''].join(delimiter);
  return { ...process.env, [pathKey]: path };
}

/**
 * Waits for a child and passes signals on to it, each once: it is asked to drain, and we stay until
 * it has. In a terminal, Ctrl-C and a hang-up reach the child without us.
 * @returns {Promise<number>} its exit code, 128 + n if signal n ended it.
 */
function exitCodeOf(child) {
  const lastAtMs = new Map();
  const forward = (signal) => {
    const nowMs = performance.now();
    const repeated = nowMs - (lastAtMs.get(signal) ?? -Infinity) < SIGNAL_WINDOW_MS;
    lastAtMs.set(signal, nowMs);
    const fromTerminal = isatty(0) && signal !== 'SIGTERM';
    if (!repeated && !fromTerminal) child.kill(signal);
  };
  for (const signal of FORWARDED_SIGNALS) process.on(signal, forward);
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code, signal) => {
      for (const name of FORWARDED_SIGNALS) process.off(name, forward);
      done(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

async function main([what, ...rest]) {
  if (what === undefined)
    throw new BootstrapError('Usage: bootstrap.mjs <script or tool> [args...]');
  const { node } = await ensureInstalled();
  const args = [resolveProgram(what), ...rest];
  const child = spawn(chooseNode(node), args, { cwd: root, stdio: 'inherit', env: environment() });
  return exitCodeOf(child);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BootstrapError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
