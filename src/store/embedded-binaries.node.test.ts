/** Where the embedded Postgres is found, and what is done where npm ran no install script. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { findPostgresBinaries, linkLibraries } from './embedded-binaries.node.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'binaries-test-'));
  mkdirSync(join(root, 'native', 'lib'), { recursive: true });
  writeFileSync(join(root, 'native', 'lib', 'libx.so.1.2'), 'library');
  const links = [{ source: 'native/lib/libx.so.1.2', target: 'native/lib/libx.so.1' }];
  writeFileSync(join(root, 'native', 'pg-symlinks.json'), JSON.stringify(links));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

describe('findPostgresBinaries', () => {
  it('finds programs that run', () => {
    const { postgres, initdb } = findPostgresBinaries(join(root, 'spare'));
    expect(existsSync(initdb)).toBe(true);
    expect(spawnSync(postgres, ['--version']).stdout.toString()).toMatch(
      /^postgres \(PostgreSQL\) 18\./,
    );
  });
});

describe('linkLibraries', () => {
  it('makes the links that the install script would have made', () => {
    expect(linkLibraries(root, join(root, 'spare'))).toBeNull();
    expect(readlinkSync(join(root, 'native/lib/libx.so.1'))).toBe('libx.so.1.2');
    expect(linkLibraries(root, join(root, 'spare'))).toBeNull();
    expect(existsSync(join(root, 'spare'))).toBe(false);
  });

  it('makes them elsewhere where the package cannot be written', () => {
    // Nobody, root included, can make a link whose place is taken by a file's missing folder.
    const links = [{ source: 'native/lib/libx.so.1.2', target: 'native/read-only/libx.so.1' }];
    writeFileSync(join(root, 'native', 'pg-symlinks.json'), JSON.stringify(links));
    const spare = join(root, 'spare');
    expect(linkLibraries(root, spare)).toBe(`${spare}${delimiter}${join(root, 'native/lib')}`);
    expect(readlinkSync(join(spare, 'libx.so.1'))).toBe(join(root, 'native/lib/libx.so.1.2'));
  });
});
