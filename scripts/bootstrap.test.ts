/**
 * The bootstrap in small checkouts of their own, with an npm of ours that installs nothing but the
 * Node that runs these tests: what a newcomer meets on the first start, and what a process manager
 * meets later.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync } from 'node:fs';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const BOOTSTRAP = fileURLToPath(new URL('bootstrap.mjs', import.meta.url));

/** Writes down each call; fails, hangs or leaves Node out as the checkout's files ask. */
const FAKE_NPM = `
import { appendFileSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
console.log('npm says hello');
appendFileSync('npm-calls', process.argv.slice(2).join(' ') + '\\n');
while (existsSync('npm-hangs')) await new Promise((resolve) => setTimeout(resolve, 20));
if (existsSync('npm-fails')) process.exit(7);
rmSync('node_modules', { recursive: true, force: true });
mkdirSync('node_modules/node/bin', { recursive: true });
if (!existsSync('npm-without-node')) symlinkSync(process.execPath, 'node_modules/node/bin/node');
`;

/** The machine may be busy with other tests. */
const SOON = { timeout: 15_000 };

const folders: string[] = [];

interface Run {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<number | null>;
}

interface Checkout {
  readonly write: (path: string, text: string) => void;
  readonly remove: (path: string) => void;
  /** Writes the lock of an installation that another start of this checkout began. */
  readonly lock: (content: string) => void;
  readonly npmCalls: () => string[];
  readonly run: (...args: string[]) => Run;
}

/** Started by `node`, the one of these tests if nothing else is said. */
function newCheckout(node = process.execPath): Checkout {
  const root = mkdtempSync(join(tmpdir(), 'omnix-bootstrap-'));
  folders.push(root);
  mkdirSync(join(root, 'scripts'));
  mkdirSync(join(root, 'tmp'));
  cpSync(BOOTSTRAP, join(root, 'scripts/bootstrap.mjs'));
  const write = (path: string, text: string): void => writeFileSync(join(root, path), text);
  write('package-lock.json', '{ "packages": { "node_modules/node": { "version": "1.0.0" } } }');
  write('npm-cli.mjs', FAKE_NPM);
  write('npm-cli.js', "import('./npm-cli.mjs');");
  write('hello.mjs', "console.log('hello', process.argv.slice(2).join('|'));");
  const calls = join(root, 'npm-calls');
  return {
    write,
    lock: (content) => {
      const id = createHash('sha256').update(realpathSync(root)).digest('hex').slice(0, 16);
      writeFileSync(join(root, 'tmp', `omnix-install-${id}`), content);
    },
    remove: (path) => rmSync(join(root, path), { recursive: true }),
    npmCalls: () => (existsSync(calls) ? readFileSync(calls, 'utf8').trimEnd().split('\n') : []),
    run: (...args) => start(root, args, node),
  };
}

function start(root: string, args: readonly string[], node: string): Run {
  const child = spawn(node, [join(root, 'scripts/bootstrap.mjs'), ...args], {
    env: { ...process.env, npm_execpath: join(root, 'npm-cli.js'), TMPDIR: join(root, 'tmp') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (piece: Buffer) => (stdout += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, stdout: () => stdout, stderr: () => stderr, ended };
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe('the first start', () => {
  it('installs by the lockfile, runs the script, and keeps stdout for the script (contract: Starting, npm start)', async () => {
    const checkout = newCheckout();
    const run = checkout.run('hello.mjs', 'a b', 'c');
    expect(await run.ended).toBe(0);
    expect(run.stdout()).toBe('hello a b|c\n');
    expect(run.stderr()).toContain('Installing dependencies (first start)...\nnpm says hello\n');
    expect(checkout.npmCalls()).toEqual([expect.stringMatching(/^ci --include=dev /)]);
  });

  it('installs once when two start at the same time', async () => {
    const checkout = newCheckout();
    checkout.write('npm-hangs', '');
    const runs = [checkout.run('hello.mjs'), checkout.run('hello.mjs')];
    await expect.poll(() => runs.map((run) => run.stderr()).join(''), SOON).toContain('waiting');
    await expect.poll(() => checkout.npmCalls(), SOON).toHaveLength(1);
    checkout.remove('npm-hangs');
    expect(await Promise.all(runs.map((run) => run.ended))).toEqual([0, 0]);
    expect(checkout.npmCalls()).toHaveLength(1);
  });

  it('says what failed, ends with an error, and tries again at the next start', async () => {
    const checkout = newCheckout();
    checkout.write('npm-fails', '');
    const failed = checkout.run('hello.mjs');
    expect(await failed.ended).toBe(1);
    expect(failed.stderr()).toContain('"npm ci" ended with code 7');
    expect(failed.stdout()).toBe('');
    checkout.remove('npm-fails');
    expect(await checkout.run('hello.mjs').ended).toBe(0);
  });

  it('takes over from a start that was killed in the middle', async () => {
    const checkout = newCheckout();
    checkout.write('npm-hangs', '');
    const killed = checkout.run('hello.mjs');
    await expect.poll(() => checkout.npmCalls(), SOON).toHaveLength(1);
    killed.child.kill('SIGKILL');
    await once(killed.child, 'exit');
    const next = checkout.run('hello.mjs');
    // The killed start's npm still runs: two installations at once would ruin each other.
    await expect.poll(() => next.stderr(), SOON).toContain('waiting');
    expect(checkout.npmCalls()).toHaveLength(1);
    checkout.remove('npm-hangs');
    expect(await next.ended).toBe(0);
  });

  it.runIf(process.platform === 'linux')(
    'takes over from a dead start whose parent never looks (a container without an init)',
    async () => {
      const checkout = newCheckout();
      // The shell becomes a program that never waits for its children; the child ends after that
      // and stays a zombie.
      const script = 'exec 3<&0; cat <&3 & echo $!; exec sleep 60';
      const parent = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
      try {
        const [line] = await once(parent.stdout, 'data');
        const zombie = String(line).trim();
        const name = (): string => readFileSync(`/proc/${parent.pid}/comm`, 'utf8').trim();
        await expect.poll(name, SOON).toBe('sleep');
        parent.stdin.end();
        const state = (): string => readFileSync(`/proc/${zombie}/stat`, 'utf8');
        await expect.poll(state, SOON).toContain(') Z ');
        checkout.lock(`token\n${zombie}`);
        const run = checkout.run('hello.mjs');
        expect(await run.ended).toBe(0);
        expect(checkout.npmCalls()).toHaveLength(1);
      } finally {
        parent.kill('SIGKILL');
      }
    },
  );

  it('uses the Node that runs it, if new enough, where install scripts are off', async () => {
    const checkout = newCheckout();
    checkout.write('npm-without-node', '');
    const run = checkout.run('hello.mjs');
    expect(await run.ended).toBe(0);
    expect(run.stdout()).toBe('hello \n');
  });
});

/** One that is older than the project's, where this machine has it. */
function olderNode(): string | null {
  const isOlder = (path: string): boolean => {
    const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    const major = Number(/^v(\d+)\./.exec(stdout ?? '')?.[1] ?? Number.NaN);
    return major >= 18 && major < 24;
  };
  const usual = ['/usr/bin/node', '/usr/local/bin/node', '/bin/node'];
  return usual.find(isOlder) ?? null;
}

describe("a machine's own Node", () => {
  const SAY_NODE = 'console.log(process.argv0);';
  const PINNED = /\/node_modules\/node\/bin\/node\n$/;

  it('runs the bootstrap, which needs no package; the script has the pinned one (contract: Starting, pinned Node)', async () => {
    const imports = [...readFileSync(BOOTSTRAP, 'utf8').matchAll(/^import .* from '(.*)';$/gm)];
    expect(imports.length).toBeGreaterThan(0);
    for (const [, from = ''] of imports) expect(from).toMatch(/^node:/);
    const checkout = newCheckout();
    checkout.write('say.mjs', SAY_NODE);
    const run = checkout.run('say.mjs');
    expect(await run.ended).toBe(0);
    expect(run.stdout()).toMatch(PINNED);
  });

  const older = olderNode();
  it.runIf(older !== null)('may be older (contract: Starting, older Node)', async () => {
    const checkout = newCheckout(older ?? '');
    checkout.write('say.mjs', SAY_NODE);
    const run = checkout.run('say.mjs');
    expect(await run.ended, run.stderr()).toBe(0);
    expect(run.stdout()).toMatch(PINNED);
  });

  it('is all that npm start and npm test need (contract: Starting, npm start; npm test)', () => {
    const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    expect(JSON.parse(manifest)).toMatchObject({
      scripts: {
        start: 'exec node scripts/bootstrap.mjs src/node.ts',
        test: 'node scripts/bootstrap.mjs vitest run',
      },
    });
  });
});

describe('a later start', () => {
  it('installs nothing while the lockfile is the same, and again when it has changed (contract: Starting, npm start)', async () => {
    const checkout = newCheckout();
    await checkout.run('hello.mjs').ended;
    expect(await checkout.run('hello.mjs').ended).toBe(0);
    expect(checkout.npmCalls()).toHaveLength(1);
    checkout.write('package-lock.json', '{ "packages": {} }');
    expect(await checkout.run('hello.mjs').ended).toBe(0);
    expect(checkout.npmCalls()).toHaveLength(2);
  });

  it('trusts an installation made by hand with npm ci', async () => {
    const checkout = newCheckout();
    await checkout.run('hello.mjs').ended;
    checkout.remove('node_modules/.omnix-bootstrap.json');
    checkout.write(
      'node_modules/.package-lock.json',
      '{ "packages": { "node_modules/node": { "version": "1.0.0" } } }',
    );
    expect(await checkout.run('hello.mjs').ended).toBe(0);
    expect(checkout.npmCalls()).toHaveLength(1);
  });

  it('names a tool that does not exist', async () => {
    const checkout = newCheckout();
    const run = checkout.run('no-such-tool');
    expect(await run.ended).toBe(1);
    expect(run.stderr()).toContain('There is no script and no tool named "no-such-tool".');
  });
});

describe('the end', () => {
  it("is the child's exit code", async () => {
    const checkout = newCheckout();
    checkout.write('exit.mjs', 'process.exit(42);');
    expect(await checkout.run('exit.mjs').ended).toBe(42);
  });

  it('is 128 + n when signal n ended the child', async () => {
    const checkout = newCheckout();
    checkout.write('killed.mjs', "process.kill(process.pid, 'SIGKILL');");
    expect(await checkout.run('killed.mjs').ended).toBe(128 + 9);
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'waits for the child to drain after %s, and tells it once',
    async (signal) => {
      const checkout = newCheckout();
      checkout.write(
        'server.mjs',
        `process.on('${signal}', () => {
          console.log('draining');
          setTimeout(() => process.exit(3), 150);
        });
        setInterval(() => undefined, 1000);
        console.log('ready');`,
      );
      const run = checkout.run('server.mjs');
      await expect.poll(() => run.stdout(), SOON).toContain('ready');
      // npm and the terminal tell us, and npm tells us again.
      run.child.kill(signal);
      run.child.kill(signal);
      expect(await run.ended).toBe(3);
      expect(run.stdout()).toBe('ready\ndraining\n');
    },
  );
});
