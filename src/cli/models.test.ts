/** The command that checks the catalog: one finding a line, and an exit code that says it. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { disputes } from '#catalog/data/disputes.ts';

const SCRIPT = fileURLToPath(new URL('models.ts', import.meta.url));

function run(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('omnix models check', () => {
  it('prints every dispute and a count, and fails if there is any finding', () => {
    const { status, stdout, stderr } = run('check');
    const lines = stdout.trimEnd().split('\n');
    const findings = lines.slice(0, -1);
    expect(stderr).toBe('');
    expect(findings.every((line) => /^(no_price|past_shutdown|disputed) \S+: ./.test(line))).toBe(
      true,
    );
    expect(findings.filter((line) => line.startsWith('disputed '))).toHaveLength(disputes.length);
    expect(lines.at(-1)).toMatch(/^\d+ models, \d+ offers of \d+ providers, \d+ findings$/);
    expect(lines.at(-1)).toContain(`, ${findings.length} findings`);
    expect(status).toBe(findings.length > 0 ? 1 : 0);
  });

  it.each([[[]], [['check', 'it']], [['list']], [['--help']]])('refuses %j', (args) => {
    const { status, stdout, stderr } = run(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('npm run --silent models -- check');
  });
});
