/** The command that prepares a deployment's database: it changes nothing on a misunderstanding. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('prepare-database.ts', import.meta.url));

describe('prepare:database refuses', () => {
  it('an option, before it looks for a database', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, '--dry-run'], {
      encoding: 'utf8',
      env: { DATABASE_URL: 'postgres://u:p@127.0.0.1:9/d', OMNIX_SECRET: 'x'.repeat(16) },
    });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('There is no option --dry-run here: settings are variables');
  });
});
