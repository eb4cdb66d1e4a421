/** The lock of a data directory, between real processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { acquireDataLock, DataDirectoryInUse, type LockMeans } from './data-lock.node.ts';

const MODULE = new URL('data-lock.node.ts', import.meta.url).href;
const MEANS: readonly LockMeans[] = process.platform === 'linux' ? ['abstract', 'file'] : ['file'];

let directory: string;
const owners: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lock-test-'));
});

afterEach(async () => {
  for (const owner of owners.splice(0)) owner.kill('SIGKILL');
  // The socket file of a killed owner goes with its next one.
  await (await acquireDataLock(directory, { means: 'file' })).release();
  rmSync(directory, { recursive: true, force: true });
});

/** A process that takes the lock, says "owned" or the error's name, and lives on. */
async function startOwner(
  means: LockMeans,
  waitMs = 0,
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
  const owner = spawn(
    process.execPath,
    ['--input-type=module', '-e', script, directory, means, String(waitMs)],
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
    const waited: (number | null)[] = [];
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const acquired = acquireDataLock(directory, {
      means,
      waitMs: 15_000,
      onWait: (pid) => {
        waited.push(pid);
        resolve(undefined);
      },
    });
    await promise;
    await kill(owner.process);
    await (await acquired).release();
    expect(waited).toEqual([owner.process.pid]);
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
});
