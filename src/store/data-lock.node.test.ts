/** The lock of a data directory, between real processes. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { claimDirectory } from './data-claim.node.ts';
import { acquireDataLock, DataDirectoryInUse, type LockMeans } from './data-lock.node.ts';

const MODULE = new URL('data-lock.node.ts', import.meta.url).href;
const IS_LINUX = process.platform === 'linux';
const MEANS: readonly LockMeans[] = IS_LINUX ? ['abstract', 'claim'] : ['claim'];

let directory: string;
const owners: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lock-test-'));
});

afterEach(() => {
  for (const owner of owners.splice(0)) owner.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** A process that takes the lock, says "owned" or the error's name, and lives on. */
async function startOwner(
  means: LockMeans,
  { waitMs = 0, container = [] }: { waitMs?: number; container?: readonly string[] } = {},
): Promise<{ process: ChildProcess; said: string }> {
  const script = `
    const { acquireDataLock } = await import(${JSON.stringify(MODULE)});
    const [directory, means, waitMs] = process.argv.slice(1);
    try {
      await acquireDataLock(directory, { means, waitMs: Number(waitMs) });
      console.log('owned');
    } catch (error) {
      console.log(error.name);
    }
    setInterval(() => undefined, 1000);`;
  const [program, ...rest] = [...container, process.execPath];
  const owner = spawn(
    program,
    [...rest, '--input-type=module', '-e', script, directory, means, String(waitMs)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  owners.push(owner);
  const [line] = await once(createInterface({ input: owner.stdout }), 'line');
  return { process: owner, said: String(line) };
}

async function kill(owner: ChildProcess): Promise<void> {
  const exited = once(owner, 'exit');
  owner.kill('SIGKILL');
  await exited;
}

describe.each(MEANS)('a lock by means of %s', (means) => {
  it('is refused while another process has it, naming the directory and that process', async () => {
    const owner = await startOwner(means);
    expect(owner.said).toBe('owned');
    const refused = acquireDataLock(directory, { means, waitMs: 0 });
    await expect(refused).rejects.toThrow(DataDirectoryInUse);
    await expect(refused).rejects.toThrow(directory);
    await expect(refused).rejects.toThrow(`process ${owner.process.pid}`);
    await expect(refused).rejects.toThrow('OMNIX_DATA_DIR');
  });

  it('is free at once when its owner was killed -9 (contract: Starting, one owner of the data)', async () => {
    const owner = await startOwner(means);
    await kill(owner.process);
    const lock = await acquireDataLock(directory, { means, waitMs: 0 });
    expect((await startOwner(means)).said).toBe('DataDirectoryInUse');
    await lock.release();
  });

  it('waits for an owner that is on its way out (contract: Starting, second start)', async () => {
    const owner = await startOwner(means);
    const waited: string[] = [];
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const acquired = acquireDataLock(directory, {
      means,
      waitMs: 15_000,
      onWait: (who) => {
        waited.push(who);
        resolve(undefined);
      },
    });
    await promise;
    await kill(owner.process);
    await (await acquired).release();
    expect(waited).toEqual([`the process ${owner.process.pid}`]);
  });

  it('is one for all names of a directory, and another for another directory', async () => {
    const lock = await acquireDataLock(directory, { means });
    const link = `${directory}-link`;
    symlinkSync(directory, link);
    await expect(acquireDataLock(link, { means, waitMs: 0 })).rejects.toThrow(DataDirectoryInUse);
    rmSync(link);
    const other = await acquireDataLock(join(directory, 'deeper'), { means, waitMs: 0 });
    await other.release();
    await lock.release();
    await (await acquireDataLock(directory, { means, waitMs: 0 })).release();
  });

  it('has exactly one owner when many start at once over what a killed one left', async () => {
    await kill((await startOwner(means)).process);
    const said = await Promise.all(
      Array.from({ length: 6 }, async () => (await startOwner(means)).said),
    );
    expect(said.toSorted()).toEqual([
      ...Array.from({ length: 5 }, () => 'DataDirectoryInUse'),
      'owned',
    ]);
  });

  it('leaves nothing behind, also not what a killed owner left', async () => {
    await kill((await startOwner(means)).process);
    expect(readdirSync(directory)).toHaveLength(1);
    await (await acquireDataLock(directory, { means, waitMs: 0 })).release();
    expect(readdirSync(directory)).toEqual([]);
  });

  it.runIf(!IS_LINUX)('refuses a path that is longer than a socket may have', async () => {
    const taken = acquireDataLock(join(directory, 'd'.repeat(200)), { means, waitMs: 0 });
    await expect(taken).rejects.toThrow(/too long .*OMNIX_DATA_DIR/);
  });

  it.runIf(IS_LINUX)('holds where the path is longer than a socket may have', async () => {
    const deep = join(directory, 'd'.repeat(200));
    const lock = await acquireDataLock(deep, { means, waitMs: 0 });
    await expect(acquireDataLock(deep, { means, waitMs: 0 })).rejects.toThrow(DataDirectoryInUse);
    await lock.release();
    expect(readdirSync(deep)).toEqual([]);
  });

  it('is not fooled by a copy of the directory, in which the sockets are files', async () => {
    writeFileSync(join(directory, '.owner-0123456789abcdef'), '');
    await (await acquireDataLock(directory, { means, waitMs: 0 })).release();
    expect(readdirSync(directory)).toEqual([]);
  });
});

/** Namespaces of its own, as a container has; asked once whether this machine lets us. */
const CONTAINER = [
  'unshare',
  '--net',
  '--ipc',
  '--mount',
  '--uts',
  '--pid',
  '--fork',
  '--kill-child',
];
const canUnshare = spawnSync('unshare', [...CONTAINER.slice(1), 'true']).status === 0;

describe.runIf(canUnshare)('across containers with one volume', () => {
  it('is refused to the second, and free when the first was killed -9', async () => {
    const inside = await startOwner('abstract', { container: CONTAINER });
    expect(inside.said).toBe('owned');
    await expect(acquireDataLock(directory, { waitMs: 0 })).rejects.toThrow(DataDirectoryInUse);
    const second = await startOwner('abstract', { container: CONTAINER });
    expect(second.said).toBe('DataDirectoryInUse');
    await kill(inside.process);
    const lock = await acquireDataLock(directory, { waitMs: 15_000 });
    expect((await startOwner('abstract', { container: CONTAINER })).said).toBe(
      'DataDirectoryInUse',
    );
    await lock.release();
  });

  it('has exactly one owner when many start at once over what a killed one left', async () => {
    await kill((await startOwner('abstract')).process);
    const said = await Promise.all(
      Array.from({ length: 6 }, async () => {
        return (await startOwner('abstract', { container: CONTAINER })).said;
      }),
    );
    expect(said.filter((word) => word === 'owned')).toHaveLength(1);
  });

  it('names the host of an owner that is on another one', async () => {
    const name = ['sh', '-c', 'hostname elsewhere; exec "$@"', 'sh'];
    await startOwner('abstract', { container: [...CONTAINER, ...name] });
    await expect(acquireDataLock(directory, { waitMs: 0 })).rejects.toThrow(
      /in use by the process \d+ on elsewhere\./,
    );
  });
});

describe('a file system without sockets', () => {
  it.runIf(IS_LINUX)('is refused, and the way out named', async () => {
    await expect(claimDirectory('/proc')).rejects.toThrow(
      /\/proc cannot be locked: .*OMNIX_DATA_DIR/,
    );
  });
});
