/** The examples of the README are programs: they are type-checked, and run against a gateway. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestGateway, type TestGateway } from '#testing/test-gateway.ts';

const run = promisify(execFile);
const README = new URL('../typescript/README.md', import.meta.url);
const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

const examples = [...readFileSync(README, 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)].map(
  ([, code = ''], index) => ({ name: `example-${index + 1}.ts`, code }),
);

let house: TestGateway;
let url: string;
let directory: string;
beforeAll(async () => {
  house = await createTestGateway();
  ({ url } = await house.listen());
  // Within the checkout, for the types of Node and the package's own path.
  directory = mkdtempSync(fileURLToPath(new URL('./.readme-', import.meta.url)));
  for (const { name, code } of examples) {
    const here = code.replace("'@omnix/sdk'", "'../../typescript/src/index.ts'");
    writeFileSync(join(directory, name), here);
  }
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await house.close();
});

describe('the examples of the README', () => {
  it('are right by their types', async () => {
    expect(examples.length).toBeGreaterThanOrEqual(8);
    const config = { extends: '../../../tsconfig.node.json', include: ['*.ts'], exclude: [] };
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(config));
    const checked = run(process.execPath, [TSC, '-p', directory]).catch((error: unknown) => error);
    expect(await checked).toMatchObject({ stdout: '', stderr: '' });
  });

  it.each(examples)('run: $name', async ({ name }) => {
    const { stdout, stderr } = await run(process.execPath, [join(directory, name)], {
      env: {
        OMNIX_API_KEY: house.keys.test,
        OMNIX_MANAGEMENT_KEY: house.keys.management,
        OMNIX_BASE_URL: url,
      },
    });
    expect(stderr).toBe('');
    expect(stdout).not.toBe('');
    expect(stdout).not.toContain('undefined');
  });
});
