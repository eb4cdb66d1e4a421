/**
 * The `omnix` of the npm package: serves, or runs one of the commands that a checkout has as npm
 * scripts.
 */

const PARENT_POLL_MS = 250;

/**
 * npx starts us below a shell that keeps signals to itself: told to stop, npm tells the shell, the
 * shell is gone, and nobody tells us. So its end is our signal.
 */
function stopWithNpx(): void {
  if (process.env['npm_lifecycle_event'] !== 'npx') return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, PARENT_POLL_MS).unref();
}

async function serve(): Promise<unknown> {
  stopWithNpx();
  return import('#node.ts');
}

/** Each starts when it is imported, and reads its arguments from where a script finds them. */
const COMMANDS = new Map<string, () => Promise<unknown>>([
  ['start', serve],
  ['key', () => import('./key.ts')],
  ['models', () => import('./models.ts')],
]);
const HELP = new Set(['help', '--help', '-h']);
const EXIT_USAGE = 2;

const USAGE = `usage: omnix [command]

  start                serve; this is what omnix does without a command
  key mgmt|live|test   print a well-formed key, for OMNIX_OWNER_KEY
  models check         what is wrong with the catalog, one finding a line

Data lives in .omnix of this directory. omnix.yaml of this directory is the config file.
All other settings are variables, as in: PORT=9000 omnix
`;

const [name = 'start'] = process.argv.splice(2, 1);
const run = COMMANDS.get(name);

if (run !== undefined) void run();
else if (HELP.has(name)) process.stdout.write(USAGE);
else {
  process.stderr.write(`There is no command "${name}".\n\n${USAGE}`);
  process.exitCode = EXIT_USAGE;
}
