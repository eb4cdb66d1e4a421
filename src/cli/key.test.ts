/** The command that makes keys: one line that is a key, or usage and nothing else. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { parseKey } from '#identity/api-key.ts';

const SCRIPT = fileURLToPath(new URL('key.ts', import.meta.url));

function run(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('omnix key', () => {
  it.each([
    ['mgmt', 'management'],
    ['live', 'live'],
    ['test', 'test'],
  ])(
    '%s prints one well-formed key and nothing else (contract: Starting, npm run key)',
    (argument, kind) => {
      const { status, stdout, stderr } = run(argument);
      expect(parseKey(stdout.replace(/\n$/, ''))).toEqual({ ok: true, value: kind });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    },
  );

  it.each([[[]], [['live', 'live']], [['management']], [['--help']]])('refuses %j', (args) => {
    const { status, stdout, stderr } = run(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('npm run --silent key -- mgmt|live|test');
  });
});
